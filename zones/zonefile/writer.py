"""Records from wire to presentation format."""

from collections.abc import Iterator

from zones import name as names
from zones import rdtypes
from zones.rrset import RRset


def rdata_text(rdtype: int, rdata: bytes) -> str:
    """Presentation format of wire `rdata`; names are absolute, unknown types as RFC 3597 5 has them."""
    from zones.zonefile import fallback  # imports dnspython: only who writes needs it

    return fallback.to_text(rdtype, rdata)


def record_lines(rrset: RRset) -> Iterator[str]:
    """One line a record: owner, TTL, class, type and rdata, ready for a zone file."""
    head = f"{names.to_text(rrset.owner)} {rrset.ttl} IN {rdtypes.to_text(rrset.rdtype)}"
    for rdata in rrset.rdatas:
        yield f"{head} {rdata_text(rrset.rdtype, rdata)}".rstrip()
