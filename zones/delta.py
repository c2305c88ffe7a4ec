"""The exact difference of two versions of a zone, in the form in which IXFR tells it.

Read first: RFC 1995 2 (what is told) and 5 (several differences in one).
"""

import struct
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from zones.comparison import LARGE, Comparison, collect, pack
from zones.rdtypes import SOA
from zones.rrset import Node, RRset
from zones.slices import Sliced
from zones.zone import Zone

_OWNERS_A_SLICE: Final = 128
_RECORDS_A_SLICE: Final = 256
_OVERHEAD: Final = 500  # octets of memory that a difference takes beside its records, about
_AFTER_OWNER: Final = struct.Struct("!HIH")  # type, TTL, RDLENGTH


class Record(NamedTuple):
    """One record; equal means equal in all."""

    owner: bytes
    """Folded wire name."""
    rdtype: int
    ttl: int
    rdata: bytes


class Records(Collection[Record]):
    """Records, packed: objects for many would take ten times the memory, and hold the event loop when they go."""

    __slots__ = ("_count", "_packed")

    def __init__(self, packed: bytes | bytearray = b"", count: int = 0) -> None:
        """`packed` has, for each of `count` records, the owner behind its length, and what `_AFTER_OWNER` names."""
        self._packed: Final = packed
        self._count: Final = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Record]:
        packed = self._packed
        position = 0
        for _ in range(self._count):
            begin = position + 1 + packed[position]
            rdtype, ttl, length = _AFTER_OWNER.unpack_from(packed, begin)
            rdata = begin + _AFTER_OWNER.size
            yield Record(bytes(packed[position + 1 : begin]), rdtype, ttl, bytes(packed[rdata : rdata + length]))
            position = rdata + length

    def __contains__(self, record: object) -> bool:
        return any(known == record for known in self)

    @property
    def octets(self) -> int:
        """Of memory."""
        return len(self._packed)


class _Packer:
    """Makes `Records`."""

    def __init__(self) -> None:
        self.packed = bytearray()
        self.count = 0

    def add(self, record: Record) -> None:
        pack(self.packed, record.owner, record.rdtype, record.ttl)
        self.packed += len(record.rdata).to_bytes(2, "big")
        self.packed += record.rdata
        self.count += 1

    def result(self) -> Records:
        return Records(self.packed, self.count)


@dataclass(frozen=True, slots=True)
class Delta:
    """From one version of a zone to a later one. The SOA is not among the records."""

    before: RRset
    """SOA."""
    after: RRset
    """SOA."""
    removed: Records
    added: Records

    @property
    def octets(self) -> int:
        """Of memory, about."""
        return _OVERHEAD + self.removed.octets + self.added.octets


def delta(before: Zone, after: Zone) -> Sliced[Delta]:
    """The difference of two versions of one zone. LookupError where one has no SOA."""
    found = yield from delta_within(before, after, sys.maxsize)
    assert found is not None  # no memory is as large
    return found


def delta_within(before: Zone, after: Zone, limit: int) -> Sliced[Delta | None]:
    """As `delta`; None where it takes more than `limit` octets of memory."""
    old_soa, new_soa = before.soa, after.soa
    if old_soa is None or new_soa is None:
        raise LookupError("a zone without SOA has no versions")
    comparison = Comparison(before.tables, after.tables)
    old, new = comparison.old, comparison.new
    removed, added = _Packer(), _Packer()
    while not comparison.is_over and len(removed.packed) + len(added.packed) <= limit:
        if not comparison.advance():
            yield
            continue
        if comparison.is_large:
            owner = old.names.name(comparison.number)
            yield from _collect_large(before.node(owner), after.node(owner), removed)
            yield from _collect_large(after.node(owner), before.node(owner), added)
            continue
        removed.count += collect(old, comparison.number, new, comparison.counterpart, removed.packed)
        if comparison.counterpart >= 0:
            added.count += collect(new, comparison.counterpart, old, comparison.number, added.packed)
    number, count = comparison.next_new(0), 0
    while number < new.count and len(removed.packed) + len(added.packed) <= limit:
        count += 1
        if not count % _OWNERS_A_SLICE:
            yield
        if new.size(number) > LARGE:
            yield from _collect_large(after.node(new.names.name(number)), {}, added)
        else:
            added.count += collect(new, number, old, -1, added.packed)
        number = comparison.next_new(number + 1)
    made = Delta(old_soa, new_soa, removed.result(), added.result())
    return made if made.octets <= limit else None


def _collect_large(node: Node, other: Node, records: _Packer) -> Sliced[None]:
    """Add the records of `node` that `other` does not have."""
    for rdtype, rrset in node.items():
        if rdtype == SOA:
            continue
        counterpart = other.get(rdtype)
        known = frozenset(counterpart.rdatas) if counterpart and counterpart.ttl == rrset.ttl else frozenset()
        for count, rdata in enumerate(rrset.rdatas):
            if not count % _RECORDS_A_SLICE:
                yield
            if rdata not in known:
                records.add(Record(rrset.owner, rdtype, rrset.ttl, rdata))


def condense(deltas: Iterable[Delta]) -> Sliced[Delta]:
    """Consecutive differences as one, without what came and went again. ValueError where there is none."""
    chain = list(deltas)
    if not chain:
        raise ValueError("no differences")
    if len(chain) == 1:
        return chain[0]
    removed: dict[Record, None] = {}
    added: dict[Record, None] = {}
    for step in chain:
        for records, undone, done in ((step.removed, added, removed), (step.added, removed, added)):
            for count, record in enumerate(records):
                if not count % _RECORDS_A_SLICE:
                    yield
                if record in undone:
                    del undone[record]
                else:
                    done[record] = None
    return Delta(chain[0].before, chain[-1].after, (yield from _packed(removed)), (yield from _packed(added)))


def _packed(records: dict[Record, None]) -> Sliced[Records]:
    """The `records`, which are gone then: a piece at a time, as to free them all at once takes long."""
    packer = _Packer()
    for count, record in enumerate(records):
        if not count % _RECORDS_A_SLICE:
            yield
        packer.add(record)
    while records:
        for _ in range(min(_RECORDS_A_SLICE, len(records))):
            records.popitem()
        yield
    return packer.result()
