"""Reads a zone file: entries and directives (RFC 1035 5.1, RFC 2308 4, RFC 3597 5) into a zone and findings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from zones import name as names
from zones import rdtypes
from zones.findings import Finding, Place, Severity
from zones.slices import Sliced
from zones.zone import SOA, Zone, ZoneBuilder
from zones.zonefile import fields as texts
from zones.zonefile.errors import BadText, Fault, quote
from zones.zonefile.lexer import PLAIN, read_entry
from zones.zonefile.rdata import read_rdata

MAX_ERRORS: Final = 20
"""Errors that are reported; reading stops at the one after."""
MAX_DEPTH: Final = 10
"""Files that may include one another."""
MAX_LINE: Final = 4096
"""Octets of a line that is cut the quick way."""
MAX_TTL: Final = 0x7FFFFFFF  # RFC 2181 8

_RECORDS_A_SLICE: Final = 16
_TYPE_HINT: Final = "a type such as A, or TYPE and its number"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")

Include = Callable[[str], bytes]
"""Content of a file of the repository by its path from the top. FileNotFoundError when there is none."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What came of a zone file."""

    zone: Zone | None
    """None when one of the findings is an error."""
    findings: tuple[Finding, ...]
    included: tuple[str, ...]
    """Paths that were included, missing ones too: when one of them changes the zone must be read again."""


def parse(text: bytes, origin: bytes, file: str, include: Include, default_ttl: int | None = None) -> Sliced[Parsed]:
    """Read zone `origin` (wire) from the content of `file`; `include` gives other files of the repository.

    `default_ttl` (seconds) is in force until the file's own `$TTL`; without one, the file must say TTLs itself.
    """
    return _Parser(origin, file, include, default_ttl).run(text)


class _TooMany(Exception):
    """More errors than are reported."""


@dataclass(slots=True)
class _File:
    """A file that is being read."""

    path: str
    text: bytes
    origin: bytes
    owner: bytes = b""
    """Folded; empty before the first record."""
    line: int = 1
    """Line at which the entry in hand begins."""
    start: int = 0
    """Index in the text at which it begins."""


class _Parser:
    """State of reading one zone."""

    def __init__(self, origin: bytes, file: str, include: Include, default_ttl: int | None) -> None:
        self._zone = names.fold(origin)
        self._file = file
        self._include = include
        self._builder = ZoneBuilder(self._zone, file)
        self._findings: list[Finding] = []
        self._included: list[str] = []
        self._open: list[str] = [file]
        self._default_ttl = default_ttl
        self._last_ttl: int | None = None
        self._types: dict[bytes, int] = {mnemonic.encode(): number for mnemonic, number in rdtypes.NUMBERS.items()}

    def run(self, text: bytes) -> Sliced[Parsed]:
        """The whole zone."""
        try:
            yield from self._read(_File(self._file, text, self._zone))
        except _TooMany:
            more = f"and more: reading stopped after {MAX_ERRORS} errors"
            self._findings.append(Finding(Place(self._file), "syntax", Severity.ERROR, more))
        if self._findings:
            return Parsed(None, tuple(self._findings), tuple(self._included))
        zone = yield from self._builder.build()
        return Parsed(zone, (), tuple(self._included))

    def _read(self, file: _File) -> Sliced[None]:
        """One file, with what it includes."""
        text = file.text
        position = len(_BYTE_ORDER_MARK) if text.startswith(_BYTE_ORDER_MARK) else 0
        if text.startswith(_UTF_16):
            self._report(Place(file.path, 1, 1), "the file is UTF-16", "save it as plain ASCII or UTF-8")
            return
        end = len(text)
        budget = _RECORDS_A_SLICE
        while position < end:
            budget -= 1
            if not budget:
                yield
                budget = _RECORDS_A_SLICE
            file.start = position
            fields, position = self._entry(file, position)
            if fields:
                try:
                    if fields[0][:1] == b"$" and text[file.start] == 36:
                        yield from self._directive(file, fields)
                    else:
                        self._record(file, fields)
                except Fault as fault:
                    self._report(self._locate(file, fault.field), fault.message, fault.hint)
            file.line += text.count(b"\n", file.start, position)

    def _entry(self, file: _File, position: int) -> tuple[list[bytes], int]:
        """Fields of the entry at `position`, and where the next one begins."""
        text = file.text
        newline = text.find(b"\n", position, position + MAX_LINE)
        if newline >= 0:
            line = text[position:newline]
            if not line.translate(None, PLAIN):
                return line.split(), newline + 1
        try:
            entry = read_entry(text, position)
        except BadText as bad:
            self._report(_place(file, bad.offset), bad.message, bad.hint)
            return [], bad.resume
        return entry.fields, entry.end

    def _record(self, file: _File, fields: list[bytes]) -> None:
        """Add the record of `fields`."""
        index = 0
        if file.text[file.start] not in b" \t":
            owner = names.fold(texts.wire_name(fields, 0, file.origin))
            file.owner = owner
            index = 1
        elif not file.owner:
            raise Fault(0, "record without an owner before any owner was given", "begin the line with a name or @")
        rdtype, ttl, index = self._head(fields, index)
        rdata = read_rdata(rdtype, fields, index, file.origin)
        if ttl is None:
            ttl = self._implied_ttl(rdtype, rdata)
        self._last_ttl = ttl
        if not names.is_at_or_below(file.owner, self._zone):
            message = f"{names.to_text(file.owner)} is outside the zone {names.to_text(self._zone)}"
            raise Fault(0, message, "is a final dot missing, or one too many?")
        self._builder.add(file.owner, rdtype, ttl, rdata, self._locate(file, 0))

    def _head(self, fields: list[bytes], index: int) -> tuple[int, int | None, int]:
        """Type, TTL where there is one, and the index behind them: TTL and class stand in either order."""
        ttl: int | None = None
        seen_class = False
        while True:
            field = texts.field_at(fields, index, "a type")
            rdtype = self._types.get(field)
            if rdtype is None:
                rdtype = rdtypes.from_text(field.decode("ascii"))
            if rdtype is not None:
                if rdtypes.is_meta(rdtype):
                    raise Fault(index, f"type {quote(field)} has no place in zones", _TYPE_HINT)
                return rdtype, ttl, index + 1
            upper = field.upper()
            seconds = texts.ttl(field) if ttl is None else None
            if seconds is not None:
                # RFC 2181 8: a TTL with the highest bit set counts as zero.
                ttl = seconds if seconds <= MAX_TTL else 0
            elif not seen_class and upper in (b"IN", b"CLASS1"):
                seen_class = True
            elif upper in (b"CH", b"HS", b"CS", b"ANY", b"NONE") or (upper[:5] == b"CLASS" and upper[5:].isdigit()):
                raise Fault(index, f"class {quote(field)}", "zones are served in class IN alone")
            else:
                raise Fault(index, f"unknown type {quote(field)}", _TYPE_HINT)
            index += 1

    def _implied_ttl(self, rdtype: int, rdata: bytes) -> int:
        """TTL of a record that has none: $TTL, else that of the record before, else of the SOA its MINIMUM."""
        if self._default_ttl is not None:
            return self._default_ttl
        if self._last_ttl is not None:
            return self._last_ttl
        if rdtype == SOA:
            return min(int.from_bytes(rdata[-4:], "big"), MAX_TTL)
        raise Fault(0, "record without a TTL", "begin the file with $TTL, as in $TTL 1h")

    def _directive(self, file: _File, fields: list[bytes]) -> Sliced[None]:
        """Obey a line that begins with `$`."""
        name = fields[0].upper()
        if name == b"$ORIGIN":
            texts.expect_end(fields, 2)
            file.origin = texts.wire_name(fields, 1, file.origin)
        elif name == b"$TTL":
            texts.expect_end(fields, 2)
            seconds = texts.period(fields, 1, "TTL")
            self._default_ttl = seconds if seconds <= MAX_TTL else 0
        elif name == b"$INCLUDE":
            yield from self._include_file(file, fields)
        else:
            raise Fault(0, f"unknown directive {quote(fields[0])}", "$ORIGIN, $TTL, $INCLUDE or $GENERATE")

    def _include_file(self, file: _File, fields: list[bytes]) -> Sliced[None]:
        """Read another file in place; owner and origin of this one stay as they are (RFC 1035 5.1)."""
        texts.expect_end(fields, 3)
        path = texts.octets(fields, 1, "a path").decode("latin-1")
        origin = texts.wire_name(fields, 2, file.origin) if len(fields) > 2 else file.origin
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if path.startswith("/") or ".." in parts or not parts:
            raise Fault(1, f"path {quote(path.encode())} leaves the repository", "a path from its top, without ..")
        path = "/".join(parts)
        if path in self._open:
            raise Fault(1, f"{path} includes itself: {' -> '.join([*self._open, path])}")
        if len(self._open) >= MAX_DEPTH:
            raise Fault(1, f"more than {MAX_DEPTH} files include one another", "include fewer")
        if path not in self._included:
            self._included.append(path)
        try:
            text = self._include(path)
        except FileNotFoundError:
            raise Fault(1, f"there is no file {path} in the repository", "a path from its top") from None
        self._open.append(path)
        yield from self._read(_File(path, text, origin, file.owner))
        self._open.pop()

    def _locate(self, file: _File, field: int) -> Place:
        """Place of field `field` of the entry in hand; of its end when there is no such field."""
        try:
            entry = read_entry(file.text, file.start)
        except BadText:
            return Place(file.path, file.line, 1)
        if field < len(entry.offsets):
            return _place(file, entry.offsets[field])
        return _place(file, entry.offsets[-1] + len(entry.fields[-1]))

    def _report(self, place: Place, message: str, hint: str) -> None:
        if len(self._findings) >= MAX_ERRORS:
            raise _TooMany
        self._findings.append(Finding(place, "syntax", Severity.ERROR, message, hint))


def _place(file: _File, offset: int) -> Place:
    """Place of an octet of the entry in hand."""
    line = file.line + file.text.count(b"\n", file.start, offset)
    return Place(file.path, line, offset - file.text.rfind(b"\n", 0, offset))
