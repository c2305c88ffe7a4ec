"""The exact difference of two versions of a zone, in the form in which IXFR tells it.

Read first: RFC 1995 2 (what is told) and 5 (several differences in one).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from zones.slices import Sliced
from zones.zone import SOA, Node, RRset, Zone

_OWNERS_A_SLICE: Final = 32
_RECORDS_A_SLICE: Final = 256
_OVERHEAD: Final = 200  # octets of memory that a record takes beside its name and data, about


class Record(NamedTuple):
    """One record; equal means equal in all."""

    owner: bytes
    """Folded wire name."""
    rdtype: int
    ttl: int
    rdata: bytes


@dataclass(frozen=True, slots=True)
class Delta:
    """From one version of a zone to a later one. The SOA is not among the records."""

    before: RRset
    """SOA."""
    after: RRset
    """SOA."""
    removed: tuple[Record, ...]
    added: tuple[Record, ...]
    octets: int
    """Of memory, about."""


def delta(before: Zone, after: Zone) -> Sliced[Delta]:
    """The difference of two versions of one zone. LookupError where one has no SOA."""
    old_soa, new_soa = before.soa, after.soa
    if old_soa is None or new_soa is None:
        raise LookupError("a zone without SOA has no versions")
    removed: list[Record] = []
    added: list[Record] = []
    for count, (owner, old) in enumerate(before.nodes()):
        if not count % _OWNERS_A_SLICE:
            yield
        new = after.node(owner)
        if old != new:
            _compare(old, new, removed)
            _compare(new, old, added)
    for count, (owner, new) in enumerate(after.nodes()):
        if not count % _OWNERS_A_SLICE:
            yield
        if owner not in before:
            _compare(new, {}, added)
    return _made(old_soa, new_soa, removed, added)


def condense(deltas: Iterable[Delta]) -> Sliced[Delta]:
    """Consecutive differences as one, without what came and went again. ValueError where there is none."""
    chain = list(deltas)
    if not chain:
        raise ValueError("no differences")
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
    return _made(chain[0].before, chain[-1].after, list(removed), list(added))


def _made(before: RRset, after: RRset, removed: list[Record], added: list[Record]) -> Delta:
    octets = sum(_OVERHEAD + len(record.owner) + len(record.rdata) for record in (*removed, *added))
    return Delta(before, after, tuple(removed), tuple(added), 2 * _OVERHEAD + octets)


def _compare(node: Node, other: Node, records: list[Record]) -> None:
    """Add the records of `node` that `other` does not have."""
    for rdtype, rrset in node.items():
        if rdtype == SOA:
            continue
        counterpart = other.get(rdtype)
        known = frozenset(counterpart.rdatas) if counterpart and counterpart.ttl == rrset.ttl else frozenset()
        records += [Record(rrset.owner, rdtype, rrset.ttl, rdata) for rdata in rrset.rdatas if rdata not in known]
