"""What answering must know of rdata: where compressible names are, and which names ask for additional records."""

from collections.abc import Iterator
from typing import Final

from zones import rdtypes
from zones.name import ROOT

# RFC 3597 4: only the types of RFC 1035 may have their names compressed. Octets before the first name, number of names.
COMPRESSIBLE: Final = {
    rdtypes.NS: (0, 1),
    rdtypes.MD: (0, 1),
    rdtypes.MF: (0, 1),
    rdtypes.CNAME: (0, 1),
    rdtypes.SOA: (0, 2),
    rdtypes.MB: (0, 1),
    rdtypes.MG: (0, 1),
    rdtypes.MR: (0, 1),
    rdtypes.PTR: (0, 1),
    rdtypes.MINFO: (0, 2),
    rdtypes.MX: (2, 1),
}
ADDRESSES: Final = (rdtypes.A, rdtypes.AAAA)
# Octets before the name that ends the rdata and has addresses.
_TARGET_AT: Final = {rdtypes.NS: 0, rdtypes.MX: 2, rdtypes.AFSDB: 2, rdtypes.RT: 2, rdtypes.SRV: 6, rdtypes.KX: 2}
_CHARACTER_STRINGS: Final = 3  # of NAPTR: flags, services, regexp


def name_end(wire: bytes, position: int) -> int:
    """Where the uncompressed name at `position` ends."""
    while length := wire[position]:
        position += 1 + length
    return position + 1


def additional(rdtype: int, rdata: bytes) -> Iterator[tuple[bytes | None, tuple[int, ...]]]:
    """Names whose records belong into the additional section with this record, and of which types.

    RFC 1035 3.3 (NS, MX), RFC 1183 1 and 3.3 (AFSDB, RT), RFC 2230 3 (KX), RFC 2782 (SRV), RFC 3403 4.2 (NAPTR),
    RFC 9460 4.1 (SVCB, HTTPS). None is the record's own owner.
    """
    if rdtype in _TARGET_AT:
        yield rdata[_TARGET_AT[rdtype] :], ADDRESSES
    elif rdtype == rdtypes.NAPTR:
        yield from _naptr(rdata)
    elif rdtype in (rdtypes.SVCB, rdtypes.HTTPS):
        alias = rdata[:2] == b"\0\0"
        target = rdata[2 : name_end(rdata, 2)]
        if target != ROOT:
            yield target, (*ADDRESSES, rdtype) if alias else ADDRESSES
        elif not alias:  # RFC 9460 2.5: "." is the owner here, and nobody in alias mode
            yield None, ADDRESSES


def _naptr(rdata: bytes) -> Iterator[tuple[bytes, tuple[int, ...]]]:
    """RFC 3404 4.1: flag S leads to SRV records, A to addresses; the others end or go on with a NAPTR."""
    flags = rdata[5 : 5 + rdata[4]].lower()
    position = 4
    for _ in range(_CHARACTER_STRINGS):
        position += 1 + rdata[position]
    if b"s" in flags:
        yield rdata[position:], (rdtypes.SRV,)
    elif b"a" in flags:
        yield rdata[position:], ADDRESSES
