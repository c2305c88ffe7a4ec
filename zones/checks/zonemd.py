"""ZONEMD: the digest of the whole zone. Read first: RFC 8976 2 and 3."""

import hashlib
from typing import Final

from zones import rdtypes
from zones.canonical import canonical_rdata
from zones.checks.canonical import canonical_records
from zones.checks.context import Context
from zones.checks.registry import ZONEMD_DIGEST, ZONEMD_DUPLICATE, ZONEMD_SERIAL
from zones.rrset import Node
from zones.slices import Sliced

_SIMPLE: Final = 1  # RFC 8976 5.2
_HASHES: Final = {1: "sha384", 2: "sha512"}  # RFC 8976 5.3
_SLICE: Final = 16


def zonemd(context: Context) -> Sliced[None]:
    """Each ZONEMD of the apex is of this serial and these records; schemes and hashes not known are left alone."""
    rrset = context.zone.rrset(context.origin, rdtypes.ZONEMD)
    if rrset is None or context.zone.soa is None:
        return
    serial = context.zone.serial
    seen: set[bytes] = set()
    for index, rdata in enumerate(rrset.rdatas):
        kind = rdata[4:6]
        if kind in seen:
            message = f"two ZONEMD of scheme {kind[0]}, hash {kind[1]}"
            context.report(ZONEMD_DUPLICATE, context.origin, rdtypes.ZONEMD, message, "keep one", index=index)
        seen.add(kind)
        of = int.from_bytes(rdata[:4], "big")
        if of != serial:
            message = f"ZONEMD is of serial {of}, the SOA has {serial}"
            context.report(ZONEMD_SERIAL, context.origin, rdtypes.ZONEMD, message, "make it again", index=index)
        elif kind[0] == _SIMPLE and kind[1] in _HASHES:
            digest = yield from _digest(context, _HASHES[kind[1]])
            if digest != rdata[6:]:
                message = f"ZONEMD of hash {kind[1]} is not the digest of this zone"
                hint = "make it again, as the last step of signing"
                context.report(ZONEMD_DIGEST, context.origin, rdtypes.ZONEMD, message, hint, index=index)


def _digest(context: Context, algorithm: str) -> Sliced[bytes]:
    """RFC 8976 3.3.1: all records in canonical order but the ZONEMD of the apex and its signatures."""
    state = hashlib.new(algorithm)
    for count, (owner, node) in enumerate(context.zone.nodes()):
        if not count % _SLICE:
            yield
        for rdtype in sorted(node):
            if rdtype == rdtypes.RRSIG:
                state.update(_signatures(context, owner, node))
            elif rdtype != rdtypes.ZONEMD or owner != context.origin:
                rrset = node[rdtype]
                state.update(canonical_records(owner, rdtype, rrset.ttl, rrset.rdatas))
    return state.digest()


def _signatures(context: Context, owner: bytes, node: Node) -> bytes:
    """RRSIGs in canonical form, each with the TTL of what it covers (RFC 4034 3)."""
    rrsigs = node[rdtypes.RRSIG]
    records: list[tuple[bytes, bytes]] = []
    for original in rrsigs.rdatas:
        covered = int.from_bytes(original[:2], "big")
        if covered == rdtypes.ZONEMD and owner == context.origin:
            continue
        ttl = node[covered].ttl if covered in node else rrsigs.ttl
        rdata = canonical_rdata(rdtypes.RRSIG, original)
        records.append((rdata, canonical_records(owner, rdtypes.RRSIG, ttl, (rdata,))))
    return b"".join(record for _, record in sorted(records))
