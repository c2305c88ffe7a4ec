# cython: annotation_typing=False, wraparound=True
"""A zone in memory: what the parser makes, the checks read and the answer tables are built from.

Owners are folded wire names, rdata is uncompressed wire format with the letter case of the file. A zone never
changes once it is built; another version is another object. How records are kept is this module's own business.
"""

import bisect
from array import array
from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Final

from zones import name as names
from zones.arena import SLICE, RecordLog, SetTables, pack_place, rdata_at, unpack_place
from zones.canonical import canonical_rdata
from zones.findings import Place
from zones.ordering import canonical_order
from zones.rdtypes import RRSIG, SOA
from zones.rrset import Node, RRset
from zones.serial import serial_in, with_serial
from zones.slices import Sliced
from zones.survey import Survey, add_empty

_KEPT_CONFLICTS: Final = 20
_RUN: Final = 16
"""Owners of a single record, one after the other, from which on they are not taken one by one."""


_EMPTY: Final[Node] = MappingProxyType({})


class Zone:
    """Records of one zone; made by `ZoneBuilder`."""

    __slots__ = ("_serial", "_tables", "file", "origin", "record_count")

    def __init__(self, origin: bytes, file: str, tables: SetTables, serial: int | None = None) -> None:
        self.origin: Final = origin
        self.file: Final = file
        self.record_count: Final = len(tables.rdata_at)
        self._tables: Final = tables
        self._serial: Final = serial
        """Stands in for the serial of the file's SOA."""

    def __contains__(self, owner: bytes) -> bool:
        """Whether `owner` has records itself (an empty non-terminal has none)."""
        number = self._tables.names.find(owner)
        return number >= 0 and self._tables.sets_at[number] < self._tables.sets_at[number + 1]

    def exists(self, name: bytes) -> bool:
        """Whether `name` has records or is an empty non-terminal (RFC 8499 7)."""
        return self._tables.names.find(name) >= 0

    def node(self, owner: bytes) -> Node:
        """RRsets of `owner` by type; empty where there are none."""
        number = self._tables.names.find(owner)
        return self._node(number, owner) if number >= 0 else _EMPTY

    def types(self, owner: bytes) -> Sequence[int]:
        """Types that `owner` has, in the order of the file; quicker than `node`."""
        number = self._tables.names.find(owner)
        return types_of(self._tables, number) if number >= 0 else ()

    def rrset(self, owner: bytes, rdtype: int) -> RRset | None:
        """The RRset of `owner` and `rdtype`, if there is one."""
        index = set_of(self._tables, owner, rdtype)
        return self._rrset(index, owner) if index >= 0 else None

    def names(self) -> Iterator[bytes]:
        """Owners in canonical order (RFC 4034 6.1)."""
        table = self._tables.names
        return (table[number] for number in self._tables.order)

    def nodes(self) -> Iterator[tuple[bytes, Node]]:
        """Owners in canonical order, each with its RRsets; quicker than `node` for each of `names`."""
        table = self._tables.names
        for number in self._tables.order:
            owner = table[number]
            yield owner, self._node(number, owner)

    def owner_at(self, position: int) -> bytes:
        """The owner at `position` of the canonical order, from 0 on."""
        return self._tables.names[self._tables.order[position]]

    def types_at(self, position: int) -> Sequence[int]:
        """Types that the owner at `position` has, in the order of the file; quicker than `node_at`."""
        return types_of(self._tables, self._tables.order[position])

    def rrset_at(self, index: int, owner: bytes) -> RRset:
        """The RRset that a survey calls `index`, which is one of `owner`."""
        return self._rrset(index, owner)

    def node_at(self, position: int) -> tuple[bytes, Node]:
        """The owner at `position` of the canonical order, from 0 on, with its RRsets."""
        number = self._tables.order[position]
        owner = self._tables.names[number]
        return owner, self._node(number, owner)

    def survey(self) -> Survey:
        """A walk in canonical order that passes over what needs no look."""
        return Survey(self._tables)

    @property
    def tables(self) -> SetTables:
        """How the records lie in memory, for who reads them without Python's objects; the serial is the file's."""
        return self._tables

    def rrsets(self) -> Iterator[RRset]:
        """RRsets, owners in canonical order, types in the order of the file."""
        table, sets_at = self._tables.names, self._tables.sets_at
        for number in self._tables.order:
            owner = table[number]
            for index in range(sets_at[number], sets_at[number + 1]):
                yield self._rrset(index, owner)

    @property
    def soa(self) -> RRset | None:
        """The apex SOA; a zone that passed the checks has one."""
        return self.rrset(self.origin, SOA)

    @property
    def serial(self) -> int:
        """SOA serial. LookupError when there is no SOA."""
        soa = self.soa
        if soa is None:
            raise LookupError(f"{names.to_text(self.origin)} has no SOA")
        return serial_in(soa.rdatas[0])

    def with_serial(self, serial: int) -> "Zone":
        """The same zone with another SOA serial; everything else is shared. LookupError when there is no SOA."""
        if self.soa is None:
            raise LookupError(f"{names.to_text(self.origin)} has no SOA")
        return Zone(self.origin, self.file, self._tables, serial)

    def place(self, owner: bytes, rdtype: int, index: int = 0) -> Place:
        """Where record `index` of an RRset stands; the file alone where that is not known."""
        tables = self._tables
        found = set_of(tables, owner, rdtype)
        if found >= 0:
            record = tables.records_at[found] + index
            if record < tables.records_at[found + 1]:
                return unpack_place(tables.places[record], tables.files)
        return Place(self.file)

    def has_below(self, owner: bytes) -> bool:
        """Whether a name below `owner` has records: `owner` is then at least an empty non-terminal (RFC 8499 7)."""
        table, order = self._tables.names, self._tables.order
        after = bisect.bisect_right(
            order, names.canonical_key(owner), key=lambda number: names.canonical_key(table[number])
        )
        return after < len(order) and names.is_at_or_below(table[order[after]], owner)

    def _node(self, number: int, owner: bytes) -> Node:
        tables = self._tables
        indexes = range(tables.sets_at[number], tables.sets_at[number + 1])
        return {tables.types[index]: self._rrset(index, owner) for index in indexes}

    def _rrset(self, index: int, owner: bytes) -> RRset:
        tables = self._tables
        rdtype = tables.types[index]
        rdatas = tuple(rdatas_of(tables, index))
        if rdtype == SOA and self._serial is not None and owner == self.origin:
            rdatas = (with_serial(rdatas[0], self._serial),)
        return RRset(owner, rdtype, tables.ttls[index], rdatas)


def set_of(tables: SetTables, owner: bytes, rdtype: int) -> int:
    """Index of the RRset of `owner` and `rdtype`, -1 when there is none."""
    number = tables.names.find(owner)
    if number >= 0:
        for index in range(tables.sets_at[number], tables.sets_at[number + 1]):
            if tables.types[index] == rdtype:
                return index
    return -1


def types_of(tables: SetTables, number: int) -> Sequence[int]:
    """Types of the name that `tables` calls `number`."""
    return tables.types[tables.sets_at[number] : tables.sets_at[number + 1]]


def rdatas_of(tables: SetTables, index: int) -> list[bytes]:
    """Rdata of the RRset at `index`."""
    rdatas = []
    for record in range(tables.records_at[index], tables.records_at[index + 1]):
        rdatas.append(rdata_at(tables.rdata, tables.rdata_at[record]))  # noqa: PERF401 -- as in `Survey.notable_sets`
    return rdatas


def add_alone(tables: SetTables, log: RecordLog, record: int) -> None:
    """Add an RRset of a single record of `log`."""
    tables.add_record(log, record)
    tables.close_set(log.rdtype(record), log.ttl(record))


def folded(log: RecordLog, record: int) -> bytes:
    """All of the rdata of a record of `log` as if it were a name."""
    return names.fold(rdata_at(log.rdata, log.rdata_at(record)))


class ZoneBuilder:
    """Collects records and makes a `Zone` of them."""

    def __init__(self, origin: bytes, file: str) -> None:
        self.origin: Final = names.fold(origin)
        self.file: Final = file
        self.ttl_conflicts: Final[list[tuple[bytes, int, Place]]] = []
        """After `build`: owner, type and place of the first records whose TTL differs from that of their RRset."""
        self.duplicates: Final[list[tuple[bytes, int, Place]]] = []
        """After `build`: the same of the first records that were dropped for a difference in letter case alone."""
        self.log: Final = RecordLog(file)
        """What was added, in the order of the file."""
        self._file_numbers: Final = {file: 0}

    def __len__(self) -> int:
        """Records added, those that are there twice too."""
        return len(self.log)

    @property
    def rdata_octets(self) -> int:
        """Octets of rdata added."""
        return len(self.log.rdata)

    def add(self, owner: bytes, rdtype: int, ttl: int, rdata: bytes, place: Place) -> None:
        """Add a record; one that is there already is dropped (RFC 2181 5), the lowest TTL wins (5.2)."""
        self.append(names.fold(owner), rdtype, ttl, rdata, self.file_number(place.file), place.line, place.column)

    def append(self, owner: bytes, rdtype: int, ttl: int, rdata: bytes, file: int, line: int, column: int) -> None:
        """As `add`, quicker: `owner` is folded already, and `file` comes from `file_number`."""
        self.log.turn_to(owner)
        self.log.append(rdtype, ttl, bytearray(rdata), len(rdata), pack_place(file, line, column))

    def file_number(self, file: str) -> int:
        """What `append` counts `file` by."""
        number = self._file_numbers.setdefault(file, len(self._file_numbers))
        if number == len(self.log.files):
            self.log.files.append(file)
        return number

    def make_room(self) -> Sliced[None]:
        """To be called now and then between records: spares `append` from long work."""
        if self.log.names.is_crowded:
            yield from self.log.names.grow()

    def build(self) -> Sliced[Zone]:
        """The zone of everything added; the builder is used up."""
        log = self.log
        order = yield from canonical_order(log.names, self.origin)
        by_owner = None if log.is_grouped else (yield from self._by_owner())
        records_of: Sequence[int] = range(len(log)) if by_owner is None else by_owner
        begins = log.begins
        begins.append(len(log))
        tables = SetTables(log, order)
        count = len(log.names)
        budget = SLICE
        number = 0
        while number < count:
            ahead = number + _RUN
            if ahead <= count and begins[ahead] - begins[number] == _RUN:  # each owner has a record, so each has one
                number = tables.add_single(log, by_owner, number, min(number + SLICE, count))
                yield
                budget = SLICE
                continue
            records = records_of[begins[number] : begins[number + 1]]
            if len(records) == 1:
                add_alone(tables, log, records[0])
                budget -= 1
            else:
                yield from self._add_node(tables, number, records)
                budget -= len(records)
            tables.close_owner()
            number += 1
            if budget <= 0:
                yield
                budget = SLICE
        yield from log.release()
        yield from add_empty(tables, self.origin)
        return Zone(self.origin, self.file, tables)

    def _by_owner(self) -> Sliced["array[int]"]:
        """Indexes of the records in the order of the numbers of their owners; `begins` of the log is made to fit."""
        log = self.log
        ends = array("I", [0]) * (len(log.names) + 1)
        for record in range(len(log)):
            ends[log.owner(record) + 1] += 1
            if not record % SLICE:
                yield
        for number in range(1, len(ends)):
            ends[number] += ends[number - 1]
            if not number % SLICE:
                yield
        log.begins = ends[: len(log.names)]
        order = array("I", [0]) * len(log)
        for record in range(len(log)):
            number = log.owner(record)
            order[ends[number]] = record
            ends[number] += 1
            if not record % SLICE:
                yield
        return order

    def _add_node(self, tables: SetTables, number: int, records: Sequence[int]) -> Sliced[None]:
        """Add the RRsets of owner `number`, which has several `records`."""
        log = self.log
        by_type: dict[int, list[int]] = {}
        for count, record in enumerate(records, 1):
            by_type.setdefault(log.rdtype(record), []).append(record)
            if not count % SLICE:
                yield
        budget = SLICE
        for rdtype, same_type in by_type.items():
            if len(same_type) == 1:
                add_alone(tables, log, same_type[0])
                budget -= 1
                continue
            # RFC 2181 5: the records of an RRset differ in their data; the letter case of names makes none (RFC 4343).
            # What differs by more than letter case needs no look at where names stand in it: those of a few records.
            is_short = len(same_type) <= SLICE
            all_differ = is_short and len({folded(log, record) for record in same_type}) == len(same_type)
            seen: dict[bytes, bytes] = {}
            first_ttl = lowest_ttl = log.ttl(same_type[0])
            for count, record in enumerate(same_type, 1):
                if all_differ:
                    tables.add_record(log, record)
                else:
                    rdata = rdata_at(log.rdata, log.rdata_at(record))
                    canonical = canonical_rdata(rdtype, rdata)
                    if canonical not in seen:
                        seen[canonical] = rdata
                        tables.add_record(log, record)
                    elif seen[canonical] != rdata and len(self.duplicates) < _KEPT_CONFLICTS:
                        self.duplicates.append(self._spot(number, rdtype, record))
                if log.ttl(record) != first_ttl:
                    self._note_conflict(number, rdtype, record)
                    lowest_ttl = min(lowest_ttl, log.ttl(record))
                if not count % SLICE:
                    yield
            tables.close_set(rdtype, lowest_ttl)
            budget -= len(same_type)
            if budget <= 0:
                yield
                budget = SLICE

    def _note_conflict(self, number: int, rdtype: int, record: int) -> None:
        # RFC 4034 3: an RRSIG has the TTL of what it covers, so those of one owner may well differ.
        if rdtype != RRSIG and len(self.ttl_conflicts) < _KEPT_CONFLICTS:
            self.ttl_conflicts.append(self._spot(number, rdtype, record))

    def _spot(self, number: int, rdtype: int, record: int) -> tuple[bytes, int, Place]:
        place = unpack_place(self.log.place(record), self.log.files)
        return self.log.names[number], rdtype, place
