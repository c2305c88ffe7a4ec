"""How two versions of a zone differ, as far as the loader must know: whether at all, and how much would go."""

from dataclasses import dataclass
from typing import Final

from zones.comparison import Comparison, is_signers
from zones.rdtypes import SOA
from zones.rrset import Node, RRset
from zones.serial import without_serial
from zones.slices import Sliced
from zones.zone import Zone

_TYPES_A_SLICE: Final = 256


@dataclass(frozen=True, slots=True)
class Change:
    """From one version to the next. DNSSEC signatures and denial are not counted as records."""

    same: bool
    """Whether all records and TTLs are equal, the SOA serial apart."""
    records: int
    """Records of the version before."""
    removed: int
    """Records which it has more of than the next: a record that gets another value is not removed."""


def compare(before: Zone, after: Zone) -> Sliced[Change]:
    """The change from `before` to `after`, which have one origin."""
    comparison = Comparison(before.tables, after.tables)
    same = True
    records = removed = 0
    while not comparison.is_over:
        if not comparison.advance():
            yield
            continue
        if same or comparison.is_large:
            owner = before.tables.names.name(comparison.number)
            old, new = before.node(owner), after.node(owner)
            same = same and (yield from _is_same(old, new))
            if comparison.is_large:
                more, gone = yield from _tally(old, new)
                records += more
                removed += gone
                yield
    same = same and comparison.next_new(0) == comparison.new.count
    return Change(same, records + comparison.records, removed + comparison.removed)


def _tally(old: Node, new: Node) -> Sliced[tuple[int, int]]:
    """Records of a node, and how many of them go."""
    records = removed = 0
    for count, (rdtype, rrset) in enumerate(old.items(), 1):
        if not count % _TYPES_A_SLICE:
            yield
        if not is_signers(rdtype):
            counterpart = new.get(rdtype)
            records += len(rrset.rdatas)
            removed += max(0, len(rrset.rdatas) - (len(counterpart.rdatas) if counterpart else 0))
    return records, removed


def _is_same(old: Node, new: Node) -> Sliced[bool]:
    if old.keys() != new.keys():
        return False
    for count, (rdtype, rrset) in enumerate(old.items(), 1):
        if not count % _TYPES_A_SLICE:
            yield
        if not _is_same_rrset(rrset, new[rdtype]):
            return False
    return True


def _is_same_rrset(old: RRset, new: RRset) -> bool:
    if old.ttl != new.ttl:
        return False
    if old.rdtype == SOA:
        return set(map(without_serial, old.rdatas)) == set(map(without_serial, new.rdatas))
    return old.rdatas == new.rdatas or set(old.rdatas) == set(new.rdatas)
