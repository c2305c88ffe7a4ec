"""Canonical form of records, over which signatures and digests are made.

Read first: RFC 4034 6.3 and 3.1.8.1.
"""

from zones import name as names
from zones.canonical import canonical_rdata
from zones.checks.rdata import name_at


def canonical_records(owner: bytes, rdtype: int, ttl: int, rdatas: tuple[bytes, ...]) -> bytes:
    """The records of an RRset in wire format, in canonical form and order, class IN."""
    head = owner + rdtype.to_bytes(2, "big") + b"\0\1" + ttl.to_bytes(4, "big")
    canonical = sorted({canonical_rdata(rdtype, rdata) for rdata in rdatas})
    return b"".join(head + len(rdata).to_bytes(2, "big") + rdata for rdata in canonical)


def signed_data(owner: bytes, rdtype: int, rdatas: tuple[bytes, ...], rrsig: bytes) -> bytes:
    """What a signature is made over (RFC 4034 3.1.8.1); `rrsig` is the rdata of the RRSIG."""
    _, end = name_at(rrsig, 18)
    prefix = rrsig[:18] + names.fold(rrsig[18:end])
    surplus = names.count_labels(owner) - rrsig[3]
    if surplus > 0 and not owner.startswith(names.WILDCARD_LABEL):
        for _ in range(surplus):
            owner = names.parent(owner)
        owner = names.WILDCARD_LABEL + owner
    return prefix + canonical_records(owner, rdtype, int.from_bytes(rrsig[4:8], "big"), rdatas)
