"""The difference of two versions of a zone, record by record, for people who are about to push one."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from zones import name as names
from zones import rdtypes
from zones.rrset import Node, RRset
from zones.serial import without_serial
from zones.slices import Sliced
from zones.zone import Zone

_OWNERS_A_SLICE: Final = 32
# What a signer makes comes and goes as a whole: it is counted, not listed.
_SIGNING: Final = frozenset((rdtypes.RRSIG, rdtypes.NSEC, rdtypes.NSEC3, rdtypes.NSEC3PARAM))


class Record(NamedTuple):
    """A record that is there in one version only."""

    owner: bytes
    rdtype: int
    ttl: int
    rdata: bytes


class NewValue(NamedTuple):
    """A record that has another value in the new version."""

    owner: bytes
    rdtype: int
    ttl: int
    """Of the new version."""
    before: bytes
    after: bytes


class TtlMove(NamedTuple):
    """An RRset with another TTL."""

    owner: bytes
    rdtype: int
    before: int
    after: int


@dataclass(slots=True)
class ZoneDiff:
    """From one version of a zone to the next, in canonical order. A version that is None does not exist."""

    origin: bytes
    before: Zone | None
    after: Zone | None
    added: list[Record] = field(default_factory=list)
    removed: list[Record] = field(default_factory=list)
    changed: list[NewValue] = field(default_factory=list)
    """Records of one RRset that left and came in pairs; the SOA without its serial."""
    ttls: list[TtlMove] = field(default_factory=list)
    signing_added: int = 0
    """Records of signatures and denial of existence that are new."""
    signing_removed: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs, the serial and what a signer makes apart."""
        return not (self.added or self.removed or self.changed or self.ttls)


def diff(origin: bytes, before: Zone | None, after: Zone | None) -> Sliced[ZoneDiff]:
    """The difference of two versions of the zone `origin`."""
    result = ZoneDiff(origin, before, after)
    if before is not None:
        for count, (owner, old) in enumerate(before.nodes()):
            if not count % _OWNERS_A_SLICE:
                yield
            new = after.node(owner) if after is not None else {}
            if old != new:
                _compare(result, old, new)
    if after is not None:
        for count, (owner, new) in enumerate(after.nodes()):
            if not count % _OWNERS_A_SLICE:
                yield
            if before is None or owner not in before:
                _compare(result, {}, new)
    for records in (result.added, result.removed, result.changed, result.ttls):
        records.sort(key=_order)
    return result


def _compare(result: ZoneDiff, old: Node, new: Node) -> None:
    """Add what differs between two nodes of one owner."""
    for rdtype in old.keys() | new.keys():
        before, after = old.get(rdtype), new.get(rdtype)
        left, came = _surplus(before, after), _surplus(after, before)
        if rdtype in _SIGNING:
            result.signing_removed += len(left)
            result.signing_added += len(came)
            continue
        if before is not None and after is not None and before.ttl != after.ttl:
            result.ttls.append(TtlMove(after.owner, rdtype, before.ttl, after.ttl))
        pairs = min(len(left), len(came))
        if after is not None:
            result.changed += [
                NewValue(after.owner, rdtype, after.ttl, *pair) for pair in zip(left, came, strict=False)
            ]
            result.added += [Record(after.owner, rdtype, after.ttl, rdata) for rdata in came[pairs:]]
        if before is not None:
            result.removed += [Record(before.owner, rdtype, before.ttl, rdata) for rdata in left[pairs:]]


def _surplus(rrset: RRset | None, other: RRset | None) -> list[bytes]:
    """Rdata that `rrset` has and `other` has not; an SOA that differs in the serial alone does not differ."""
    if rrset is None:
        return []
    if other is None:
        return list(rrset.rdatas)
    if rrset.rdtype == rdtypes.SOA:
        known = set(map(without_serial, other.rdatas))
        return [rdata for rdata in rrset.rdatas if without_serial(rdata) not in known]
    kept = frozenset(other.rdatas)
    return [rdata for rdata in rrset.rdatas if rdata not in kept]


def _order(item: Record | NewValue | TtlMove) -> tuple[bytes, int]:
    return names.canonical_key(item.owner), item.rdtype
