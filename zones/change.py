"""How two versions of a zone differ, as far as the loader must know: whether at all, and how much would go."""

from dataclasses import dataclass
from typing import Final

from zones.slices import Sliced
from zones.zone import SOA, Node, RRset, Zone

# What a signer makes comes and goes as a whole when a zone is signed anew, so it says nothing about the data.
_SIGNERS: Final = frozenset({46, 47, 50, 51})  # RRSIG, NSEC, NSEC3, NSEC3PARAM
_SERIAL_START: Final = -20  # RFC 1035 3.3.13: five 32-bit fields end the SOA, SERIAL is the first
_SERIAL_END: Final = -16
_OWNERS_A_SLICE: Final = 32


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
    same = True
    records = removed = 0
    for number, owner in enumerate(before.names()):
        if number % _OWNERS_A_SLICE == 0:
            yield
        old, new = before.node(owner), after.node(owner)
        for rdtype, rrset in old.items():
            counterpart = new.get(rdtype)
            if rdtype not in _SIGNERS:
                records += len(rrset.rdatas)
                removed += max(0, len(rrset.rdatas) - (len(counterpart.rdatas) if counterpart else 0))
        same = same and _is_same(old, new)
    for number, owner in enumerate(after.names()):
        if not same:
            break
        if number % _OWNERS_A_SLICE == 0:
            yield
        same = owner in before
    return Change(same, records, removed)


def _is_same(old: Node, new: Node) -> bool:
    return old.keys() == new.keys() and all(_is_same_rrset(rrset, new[rdtype]) for rdtype, rrset in old.items())


def _is_same_rrset(old: RRset, new: RRset) -> bool:
    if old.ttl != new.ttl:
        return False
    if old.rdtype == SOA:
        return _without_serial(old) == _without_serial(new)
    return old.rdatas == new.rdatas or set(old.rdatas) == set(new.rdatas)


def _without_serial(soa: RRset) -> set[bytes]:
    return {rdata[:_SERIAL_START] + rdata[_SERIAL_END:] for rdata in soa.rdatas}
