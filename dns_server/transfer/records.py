"""Which records a transfer is made of, in their order.

Read first: RFC 5936 2.2 (AXFR), 3 (glue and occluded names are in it), RFC 1995 4 (IXFR).
"""

from collections.abc import Iterable, Iterator

from zones.delta import Delta, Record
from zones.rdtypes import SOA
from zones.rrset import RRset
from zones.zone import Zone


def whole(zone: Zone) -> Iterator[RRset]:
    """Everything, between two copies of the SOA. LookupError where there is none."""
    soa = zone.soa
    if soa is None:
        raise LookupError("a zone without SOA can't be transferred")
    yield soa
    for rrset in zone.rrsets():
        if rrset.rdtype != SOA:
            yield rrset
    yield soa


def difference(delta: Delta) -> Iterator[RRset]:
    """What goes and what comes, each behind the SOA of its version, between two copies of the newest SOA."""
    yield delta.after
    yield delta.before
    yield from _grouped(delta.removed)
    yield delta.after
    yield from _grouped(delta.added)
    yield delta.after


def _grouped(records: Iterable[Record]) -> Iterator[RRset]:
    return (RRset(record.owner, record.rdtype, record.ttl, (record.rdata,)) for record in records)
