"""Editing a zone file in place: the lines concerned change; comments, order, directives and spelling stay.

An edit is checked by reading its result: it gives exactly the zone that was asked for, or it is not made.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from zones import name as names
from zones import rdtypes
from zones.change import compare
from zones.rrset import RRset
from zones.slices import Sliced
from zones.zone import Zone, ZoneBuilder
from zones.zonefile import fields as texts
from zones.zonefile import parse
from zones.zonefile.lexer import read_entry
from zones.zonefile.writer import rdata_text

_SERIAL_FIELD: Final = 3  # behind the type: MNAME, RNAME, SERIAL (RFC 1035 3.3.13)
_ENTRIES_A_SLICE: Final = 32


class CannotEdit(Exception):
    """The text cannot be edited so that it gives the zone that was asked for; says why and what to do."""


class Change(NamedTuple):
    """What an RRset is to become."""

    owner: bytes
    """Folded wire name."""
    rdtype: int
    after: RRset | None
    """None removes it."""


class Edited(NamedTuple):
    """What came of an edit."""

    text: bytes
    zone: Zone
    """Read from the text."""


class _Entry(NamedTuple):
    """An entry of the file."""

    start: int
    end: int
    fields: list[bytes]
    offsets: list[int]

    @property
    def is_directive(self) -> bool:
        return bool(self.fields) and self.fields[0].startswith(b"$") and self.offsets[0] == self.start

    @property
    def owner(self) -> bytes | None:
        """The owner as it is written; None where the entry takes the one before."""
        return self.fields[0] if self.offsets[0] == self.start else None


class _Splice(NamedTuple):
    """Octets to be replaced."""

    start: int
    end: int
    text: bytes


def edit(
    text: bytes, zone: Zone, changes: Sequence[Change], serial: int, include: Callable[[str], bytes]
) -> Sliced[Edited]:
    """`text`, of which `zone` was read, with `changes` made and with this SOA serial. CannotEdit.

    A change of the SOA replaces it: there is one, it stays, and its serial is `serial` whatever the change has.
    """
    editor = _Editor(text, zone)
    yield from editor.read()
    for change in changes:
        if change.rdtype == rdtypes.SOA:
            editor.change_soa(change)
        else:
            editor.change(change)
    editor.set_serial(serial)
    result = editor.result()
    parsed = yield from parse(result, zone.origin, zone.file, include)
    if parsed.zone is None:
        raise CannotEdit(f"the edited file would not parse: {parsed.findings[0]}")
    wanted = yield from changed(zone, changes)
    difference = yield from compare(wanted, parsed.zone)
    if not difference.same or parsed.zone.serial != serial:
        raise CannotEdit(
            f"{zone.file} is written in a way that cannot be edited safely: does a record stand there twice, or take"
            " its TTL from a record before?"
        )
    return Edited(result, parsed.zone)


class _Editor:
    """The entries of one file and what is to be done to them."""

    def __init__(self, text: bytes, zone: Zone) -> None:
        self._text = text
        self._zone = zone
        self._entries: list[_Entry] = []
        self._by_line: dict[int, int] = {}
        self._removed: set[int] = set()
        self._splices: list[_Splice] = []
        self._newline = b"\r\n" if b"\r\n" in text[:4096] else b"\n"

    def read(self) -> Sliced[None]:
        """Find the entries; the text is known to parse."""
        position = 3 if self._text.startswith(b"\xef\xbb\xbf") else 0
        line = 1
        while position < len(self._text):
            if len(self._entries) % _ENTRIES_A_SLICE == 0:
                yield
            entry = read_entry(self._text, position)
            self._by_line[line] = len(self._entries)
            self._entries.append(_Entry(position, entry.end, entry.fields, entry.offsets))
            line += self._text.count(b"\n", position, entry.end)
            position = entry.end

    def change(self, change: Change) -> None:
        """Make one RRset what it is to be."""
        owner, rdtype, after = change
        before = self._zone.rrset(owner, rdtype)
        known = before.rdatas if before is not None else ()
        wanted = after.rdatas if after is not None else ()
        ttl = after.ttl if after is not None else 0
        for index, rdata in enumerate(known):
            if rdata not in wanted:
                self._removed.add(self._entry_of(owner, rdtype, index))
            elif before is not None and before.ttl != ttl:
                self._retime(self._entries[self._entry_of(owner, rdtype, index)], ttl)
        added = [rdata for rdata in wanted if rdata not in known]
        if added:
            self._insert(owner, rdtype, ttl, added)

    def change_soa(self, change: Change) -> None:
        """Write the fields of the SOA that become others, the serial apart."""
        soa = self._zone.soa
        if soa is None or change.owner != self._zone.origin or change.after is None or len(change.after.rdatas) != 1:
            raise CannotEdit("a zone has one SOA, at its apex")
        before, after = (rdata_text(rdtypes.SOA, rrset.rdatas[0]).split() for rrset in (soa, change.after))
        for number, (old, new) in enumerate(zip(before, after, strict=True), 1):
            if old != new and number != _SERIAL_FIELD:
                self._set_soa_field(number, new.encode("ascii"))
        if soa.ttl != change.after.ttl:
            self._retime(self._entries[self._entry_of(self._zone.origin, rdtypes.SOA, 0)], change.after.ttl)

    def set_serial(self, serial: int) -> None:
        """Write another serial into the SOA."""
        self._set_soa_field(_SERIAL_FIELD, b"%d" % serial)

    def _set_soa_field(self, number: int, text: bytes) -> None:
        """Write another text into a field of the SOA, which is `number` fields behind the type."""
        entry = self._entries[self._entry_of(self._zone.origin, rdtypes.SOA, 0)]
        index = _index_of_type(entry)[0] + number
        if index >= len(entry.fields) or (number == _SERIAL_FIELD and not entry.fields[index].isdigit()):
            raise CannotEdit(f"the SOA of {self._zone.file} has no serial that is a plain number")
        start = entry.offsets[index]
        self._splices.append(_Splice(start, start + len(entry.fields[index]), text))

    def result(self) -> bytes:
        """The edited text."""
        for index in self._removed:
            entry = self._entries[index]
            self._splices.append(_Splice(entry.start, entry.end, b""))
        self._hand_owners_on()
        parts, position = [], 0
        # Of splices at one place, what is put before an entry comes before its removal.
        for splice in sorted(self._splices, key=lambda splice: (splice.start, splice.end)):
            parts += [self._text[position : splice.start], splice.text]
            position = max(position, splice.end)
        return b"".join([*parts, self._text[position:]])

    def _entry_of(self, owner: bytes, rdtype: int, index: int) -> int:
        """The entry at which a record stands. CannotEdit where it is not an entry of its own of this file."""
        place = self._zone.place(owner, rdtype, index)
        what = f"{names.to_text(owner)} {rdtypes.to_text(rdtype)}"
        if place.file != self._zone.file:
            raise CannotEdit(f"{what} stands in {place}, which other zones may include: edit it there")
        found = self._by_line.get(place.line)
        if found is None or self._entries[found].is_directive:
            raise CannotEdit(f"{what} is made by a directive in {place}: edit it there")
        return found

    def _retime(self, entry: _Entry, ttl: int) -> None:
        """Write another TTL into an entry."""
        of_type, of_ttl = _index_of_type(entry)
        if of_ttl is not None:
            start = entry.offsets[of_ttl]
            self._splices.append(_Splice(start, start + len(entry.fields[of_ttl]), b"%d" % ttl))
        else:
            start = entry.offsets[0 if entry.owner is None else 1] if of_type else entry.offsets[of_type]
            self._splices.append(_Splice(start, start, b"%d " % ttl))

    def _insert(self, owner: bytes, rdtype: int, ttl: int, rdatas: Sequence[bytes]) -> None:
        """Write new records behind the last one of their owner, else at the end of the file."""
        last = max(self._entries_of_owner(owner), default=-1)
        name = names.to_text(owner).encode("ascii")
        position = len(self._text)
        if last >= 0:
            entry = self._entries[last]
            name, position = entry.owner or name, entry.end
        head = b"%s %d %s " % (name, ttl, rdtypes.to_text(rdtype).encode("ascii"))
        lines = [head + rdata_text(rdtype, rdata).encode("ascii") + self._newline for rdata in rdatas]
        if position == len(self._text) and not self._text.endswith(b"\n"):
            lines.insert(0, self._newline)
        self._splices.append(_Splice(position, position, b"".join(lines)))

    def _entries_of_owner(self, owner: bytes) -> Iterator[int]:
        """Entries of this file, no directives, in which a record of `owner` stands."""
        for rrset in self._zone.node(owner).values():
            for index in range(len(rrset.rdatas)):
                place = self._zone.place(owner, rrset.rdtype, index)
                found = self._by_line.get(place.line) if place.file == self._zone.file else None
                if found is not None and not self._entries[found].is_directive:
                    yield found

    def _hand_owners_on(self) -> None:
        """Give an entry that took its owner from a removed one that owner itself."""
        for index in sorted(self._removed):
            owner = self._entries[index].owner
            if owner is None:
                continue
            for following in range(index + 1, len(self._entries)):
                entry = self._entries[following]
                if not entry.fields:
                    continue
                if entry.is_directive:
                    if entry.fields[0].upper() == b"$ORIGIN":
                        break  # the spelling may mean another name there: the check of the result decides
                    continue
                if entry.owner is None and following not in self._removed:
                    self._splices.append(_Splice(entry.start, entry.start, owner))
                if entry.owner is not None or following not in self._removed:
                    break


def _index_of_type(entry: _Entry) -> tuple[int, int | None]:
    """Where type and TTL stand among the fields of a record."""
    index, of_ttl = 0 if entry.owner is None else 1, None
    while True:
        field = entry.fields[index]
        if field.upper() in (b"IN", b"CLASS1"):
            index += 1
        elif of_ttl is None and texts.ttl(field) is not None:
            index, of_ttl = index + 1, index
        else:
            return index, of_ttl


def changed(zone: Zone, changes: Sequence[Change]) -> Sliced[Zone]:
    """`zone` with `changes` made; its records stand nowhere."""
    targets = {(change.owner, change.rdtype): change.after for change in changes}
    builder = ZoneBuilder(zone.origin, zone.file)
    number = builder.file_number(zone.file)
    kept = (rrset for rrset in zone.rrsets() if (rrset.owner, rrset.rdtype) not in targets)
    new = (rrset for rrset in targets.values() if rrset is not None)
    for group in (kept, new):
        for count, rrset in enumerate(group):
            if count % _ENTRIES_A_SLICE == 0:
                yield from builder.make_room()
                yield
            for rdata in rrset.rdatas:
                builder.append(rrset.owner, rrset.rdtype, rrset.ttl, rdata, number, 0, 0)
    return (yield from builder.build())
