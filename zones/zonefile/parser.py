"""Reads a zone file: entries and directives (RFC 1035 5.1, RFC 2308 4, RFC 3597 5) into a zone and findings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from dns_platform.compiled import is_compiled
from zones import name as names
from zones import rdtypes
from zones.findings import Finding, Place, Severity
from zones.slices import Sliced
from zones.zone import Zone, ZoneBuilder
from zones.zonefile import fields as texts
from zones.zonefile.errors import BadText, Fault, quote
from zones.zonefile.generate import generated
from zones.zonefile.lexer import MAX_ENTRY, PLAIN, next_line, read_entry
from zones.zonefile.records import RecordReader

SCANNER_MODULE: Final = "zones.zonefile.scanner"
SCANNER: "type[Scanner] | None" = None
"""Reads the plainest lines where it is compiled."""
if TYPE_CHECKING or is_compiled(SCANNER_MODULE):
    from zones.zonefile.scanner import Scanner

    SCANNER = Scanner

MAX_ERRORS: Final = 20
"""Errors that are reported; reading stops at the one after."""
MAX_WARNINGS: Final = 20
MAX_DEPTH: Final = 10
"""Files that may be open at a time, each included by the one before."""
MAX_INCLUDES: Final = 10_000
"""`$INCLUDE` directives of a zone."""
MAX_TEXT: Final = 1 << 28
"""Octets of a zone's files."""
MAX_GENERATED: Final = 1_000_000
"""Records of all `$GENERATE` directives of a zone; a long one counts as several."""
MAX_LINE: Final = 4096
"""Octets of a line that is cut the quick way."""

_SLICE: Final = 200
"""Work between two turns of the event loop, in microseconds, about."""
_COST: Final = 15
"""Of a short record, in the same."""
_OCTETS_A_RECORD: Final = 256
"""So many octets of an entry take about as long as a short record."""
_AHEAD: Final = MAX_ENTRY + MAX_LINE
"""So many octets behind the begin of an entry say all about it."""
_NEWLINE: Final = 10
_DOLLAR: Final = 36
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")

Text = bytes | Iterator[bytes]
"""Content of a file, as a whole or in pieces: a large one is then never in memory as a whole, nor freed at once."""
Include = Callable[[str], Text]
"""Content of a file of the repository by its path from the top. FileNotFoundError when there is none."""


class Parsed(NamedTuple):
    """What came of a zone file."""

    zone: Zone | None
    """None when one of the findings is an error."""
    findings: tuple[Finding, ...]
    included: tuple[str, ...]
    """Paths that were included, missing ones too: when one of them changes the zone must be read again."""


def parse(text: Text, origin: bytes, file: str, include: Include, default_ttl: int | None = None) -> Sliced[Parsed]:
    """Read zone `origin` (wire) from the content of `file`; `include` gives other files of the repository.

    `default_ttl` (seconds) is in force until the file's own `$TTL`; without one, the file must say TTLs itself.
    What the pieces of a text raise comes through.
    """
    return _Parser(origin, file, include, default_ttl).run(text)


class _TooMany(Exception):
    """More errors than are reported."""


@dataclass(slots=True)
class _File:
    """A file that is being read."""

    path: str
    number: int
    """What the zone builder counts it by."""
    text: bytes
    """From the begin of some line on; `rest` has what comes behind it."""
    rest: Iterator[bytes] | None
    origin: bytes
    owner: bytes
    """Folded; empty before the first record."""
    line: int = 1
    """Line at which the entry in hand begins."""
    start: int = 0
    """Index in the text at which it begins."""

    def place(self, offset: int) -> Place:
        """Place of an octet of the entry in hand."""
        line = self.line + self.text.count(b"\n", self.start, offset)
        return Place(self.path, line, offset - self.text.rfind(b"\n", 0, offset))

    def place_of_field(self, index: int) -> Place:
        """Place of a field of the entry in hand; of its end when there is no such field."""
        entry = read_entry(self.text, self.start)
        if index < len(entry.offsets):
            return self.place(entry.offsets[index])
        return self.place(entry.offsets[-1] + len(entry.fields[-1]))


class _Parser:
    """State of reading one zone."""

    def __init__(self, origin: bytes, file: str, include: Include, default_ttl: int | None) -> None:
        zone = names.fold(origin)
        self._include = include
        self._builder = ZoneBuilder(zone, file)
        self._records = RecordReader(zone, self._builder, default_ttl, self._warn)
        self._errors: list[Finding] = []
        self._warnings: list[Finding] = []
        self._included: dict[str, None] = {}
        self._includes = 0
        self._octets = 0
        self._generated = 0
        self._files: list[_File] = []
        """Those that are open, the one in hand last."""

    def run(self, text: Text) -> Sliced[Parsed]:
        """The whole zone."""
        builder = self._builder
        try:
            yield from self._read(builder.file, 0, text, builder.origin, b"")
        except _TooMany:
            more = f"and more: reading stopped after {MAX_ERRORS} errors"
            self._errors.append(Finding(Place(builder.file), "syntax", Severity.ERROR, more))
        # It refers back to here: without this, all that was read would wait for a garbage collection.
        del self._records
        zone: Zone | None = None
        if not self._errors:
            zone = yield from builder.build()
            for owner, rdtype, place in builder.duplicates:
                message = f"{rdtypes.to_text(rdtype)} of {names.to_text(owner)} is there twice, in other letter case"
                self._note("duplicate-rdata", place, message, "remove one")
            for owner, rdtype, place in builder.ttl_conflicts:
                message = f"TTL of {names.to_text(owner)} {rdtypes.to_text(rdtype)} differs from the record before"
                self._note("ttl-differs", place, message, "the lowest one is served for all")
        return Parsed(zone, (*self._errors, *self._warnings), tuple(self._included))

    def _read(self, path: str, number: int, text: Text, origin: bytes, owner: bytes) -> Sliced[None]:
        """One file, with what it includes."""
        file = _File(path, number, b"", iter((text,)) if isinstance(text, bytes) else text, origin, owner)
        del text
        self._files.append(file)
        self._fill(file, 0, _AHEAD)
        if file.text.startswith(_UTF_16):
            self._error(Place(file.path, 1, 1), "the file is UTF-16", "save it as ASCII or UTF-8")
        else:
            yield from self._read_entries(file, len(_BYTE_ORDER_MARK) if file.text.startswith(_BYTE_ORDER_MARK) else 0)
        self._files.pop()

    def _fill(self, file: _File, position: int, wanted: int) -> None:
        """Let go of the text before `position`, and get what comes behind: more than the `wanted` octets in all."""
        assert file.rest is not None
        left = file.text[position:]
        parts = [left] if left else []  # a single piece is not copied when it is joined
        ahead = len(left)
        while ahead <= wanted:
            piece = next(file.rest, None)
            if piece is None:
                file.rest = None
                break
            parts.append(piece)
            ahead += len(piece)
            self._octets += len(piece)
            if self._octets > MAX_TEXT:
                file.rest = None
                parts.clear()
                self._error(Place(file.path), f"files of more than {MAX_TEXT} octets", "make several zones of it")
                break
        file.text = b"".join(parts)

    def _read_entries(self, file: _File, position: int) -> Sliced[None]:
        """Entries of `file` from `position` on."""
        text = file.text
        read_record = self._records.read
        end = len(text)
        scanner = SCANNER(text, self._builder.origin) if SCANNER else None
        budget = _SLICE
        ahead = MAX_LINE
        while True:
            if budget <= 0:
                yield from self._builder.make_room()
                yield
                budget = _SLICE
            if file.rest is not None and end - position <= ahead:
                is_cut = position == end > 0 and text[-1] != _NEWLINE
                self._fill(file, position, ahead)
                text = file.text
                end = len(text)
                scanner = SCANNER(text, self._builder.origin) if SCANNER else None
                position = next_line(text, 0) if is_cut else 0  # the end of a line that could not be read
                file.line += text.count(b"\n", 0, position)
                budget = 0
                continue
            if position >= end:
                break
            if scanner is not None:
                lines = self._scan(scanner, file, position, budget)
                position = scanner.position
                budget -= lines
                if budget <= 0 or position >= end:
                    continue
            budget -= _COST
            file.start = position
            newline = text.find(b"\n", position, position + MAX_LINE)
            line = text[position:newline] if newline >= 0 else b"("
            if line.translate(None, PLAIN):
                if file.rest is not None and end - position <= _AHEAD:
                    ahead = _AHEAD
                    continue
                ahead = MAX_LINE
                fields, position, column = self._read_entry(file)
                budget -= (position - file.start) // _OCTETS_A_RECORD * _COST
                lines = text.count(b"\n", file.start, position)
            else:
                fields = line.split()
                column = 0
                position = newline + 1
                lines = 1
            if fields:
                try:
                    if text[file.start] in b" \t":
                        if not file.owner:
                            raise Fault(
                                0, "record without an owner before any owner was given", "begin with a name or @"
                            )
                        column = column or line.index(fields[0]) + 1
                        read_record(fields, 0, file.owner, file.origin, file.number, file.line, column)
                    elif text[file.start] == _DOLLAR:
                        yield from self._obey(file, fields)
                    else:
                        file.owner = self._records.owner(fields, file.origin)
                        read_record(fields, 1, file.owner, file.origin, file.number, file.line, 1)
                except Fault as fault:
                    self._error(file.place_of_field(fault.field), fault.message, fault.hint)
            file.line += lines

    def _scan(self, scanner: "Scanner", file: _File, position: int, budget: int) -> int:
        """Let `scanner` read up to `budget` lines from `position` on; the number of those read."""
        records = self._records
        if not records.has_room:
            return 0
        scanner.position = position
        scanner.line = file.line
        scanner.owner = file.owner
        scanner.default_ttl = -1 if records.default_ttl is None else records.default_ttl
        lines: int = scanner.scan(self._builder, file.number, file.origin, budget)
        if lines:
            file.line = scanner.line
            file.owner = scanner.owner
            if scanner.ttl >= 0:
                records.last_ttl = scanner.ttl
            if scanner.default_ttl >= 0:
                records.default_ttl = scanner.default_ttl
        return lines

    def _read_entry(self, file: _File) -> tuple[list[bytes], int, int]:
        """Fields of the entry in hand the careful way, where the next one begins, and the column of the first field."""
        try:
            entry = read_entry(file.text, file.start)
        except BadText as bad:
            self._error(file.place(bad.offset), bad.message, bad.hint)
            return [], bad.resume, 0
        return entry.fields, entry.end, entry.offsets[0] - file.start + 1 if entry.offsets else 0

    def _obey(self, file: _File, fields: list[bytes]) -> Sliced[None]:
        """Do what a line says that begins with `$`."""
        directive = fields[0].upper()
        if directive == b"$ORIGIN":
            texts.expect_end(fields, 2)
            file.origin = texts.wire_name(fields, 1, file.origin)
        elif directive == b"$TTL":
            texts.expect_end(fields, 2)
            self._records.default_ttl = self._records.effective_ttl(texts.period(fields, 1, "TTL"), 1)
        elif directive == b"$INCLUDE":
            yield from self._include_file(file, fields)
        elif directive == b"$GENERATE":
            yield from self._generate(file, fields)
        else:
            raise Fault(0, f"unknown directive {quote(fields[0])}", "$ORIGIN, $TTL, $INCLUDE or $GENERATE")

    def _include_file(self, file: _File, fields: list[bytes]) -> Sliced[None]:
        """Read another file in place; owner and origin of this one stay as they are (RFC 1035 5.1)."""
        texts.expect_end(fields, 3)
        path = _path(fields)
        origin = texts.wire_name(fields, 2, file.origin) if len(fields) > 2 else file.origin
        chain = [opened.path for opened in self._files]
        self._includes += 1
        if path in chain:
            raise Fault(
                1, f"{path} includes itself: {' -> '.join([*chain[chain.index(path) :], path])}", "break the loop"
            )
        if len(chain) >= MAX_DEPTH:
            raise Fault(1, f"more than {MAX_DEPTH} files, each included by the one before", "include fewer levels")
        if self._includes > MAX_INCLUDES:
            raise Fault(0, f"more than {MAX_INCLUDES} $INCLUDE directives", "join some of the files")
        self._included[path] = None
        try:
            text = self._include(path)
        except FileNotFoundError:
            raise Fault(
                1, f"there is no file {quote(path.encode())}", "a path from the top of the repository"
            ) from None
        yield from self._read(path, self._builder.file_number(path), text, origin, file.owner)

    def _generate(self, file: _File, fields: list[bytes]) -> Sliced[None]:
        """Add the records of a `$GENERATE`; the owner in force stays as it is."""
        for index, what in enumerate(("a range", "an owner", "a type"), 1):
            texts.field_at(fields, index, what)
        budget = _SLICE
        for number, entry in generated(fields, self._records.index_of_type(fields, 3)):
            size = 1 + sum(map(len, entry)) // _OCTETS_A_RECORD
            self._generated += size
            if self._generated > MAX_GENERATED:
                raise Fault(0, f"$GENERATE makes more than {MAX_GENERATED} records", "write less with it")
            try:
                owner = self._records.owner(entry, file.origin)
                self._records.read(entry, 1, owner, file.origin, file.number, file.line, 1)
            except Fault as fault:
                # The entry lacks the first two fields of the directive.
                raise Fault(fault.field + 2, f"{fault.message}, with {number} for $", fault.hint) from None
            budget -= size * _COST
            if budget <= 0:
                yield from self._builder.make_room()
                yield
                budget = _SLICE

    def _error(self, place: Place, message: str, hint: str) -> None:
        if len(self._errors) >= MAX_ERRORS:
            raise _TooMany
        self._errors.append(Finding(place, "syntax", Severity.ERROR, message, hint))

    def _warn(self, field: int, check: str, message: str, hint: str) -> None:
        """Warn of a field of the entry in hand."""
        if len(self._warnings) < MAX_WARNINGS:
            self._note(check, self._files[-1].place_of_field(field), message, hint)

    def _note(self, check: str, place: Place, message: str, hint: str) -> None:
        if len(self._warnings) < MAX_WARNINGS:
            self._warnings.append(Finding(place, check, Severity.WARNING, message, hint))


def _path(fields: list[bytes]) -> str:
    """Path of an `$INCLUDE`, from the top of the repository. Fault when it leads out of there."""
    written = texts.octets(fields, 1, "a path")
    try:
        path = written.decode()
    except UnicodeDecodeError:
        path = ""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or not parts or not path.isprintable():
        raise Fault(1, f"path {quote(written)} leads out of the repository", "a path from its top, without ..")
    return "/".join(parts)
