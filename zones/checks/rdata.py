"""Fields of wire rdata that checks look at. Rdata of a zone is well formed: its parser saw to that."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from zones import name as names
from zones import rdtypes

TARGET_STARTS: Final = {rdtypes.NS: 0, rdtypes.PTR: 0, rdtypes.MX: 2, rdtypes.SRV: 6}
"""Octets before the name that ends the rdata of a type (RFC 1035 3.3, RFC 2782)."""

_RRSIG_FIXED: Final = 18  # octets before the signer's name (RFC 4034 3.1)


def name_at(rdata: bytes, position: int) -> tuple[bytes, int]:
    """The uncompressed name at `position`, letter case kept, and where it ends."""
    end = position
    while length := rdata[end]:
        end += 1 + length
    end += 1
    return rdata[position:end], end


def strings(rdata: bytes) -> Iterator[bytes]:
    """Character strings of TXT and its like (RFC 1035 3.3)."""
    position = 0
    while position < len(rdata):
        length = rdata[position]
        yield rdata[position + 1 : position + 1 + length]
        position += 1 + length


class Signature(NamedTuple):
    """An RRSIG (RFC 4034 3.1), its signer folded."""

    covered: int
    algorithm: int
    labels: int
    original_ttl: int
    expiration: int
    inception: int
    key_tag: int
    signer: bytes
    signature: bytes


def signature(rdata: bytes) -> Signature:
    """The fields of an RRSIG."""
    signer, end = name_at(rdata, _RRSIG_FIXED)
    return Signature(
        int.from_bytes(rdata[0:2], "big"),
        rdata[2],
        rdata[3],
        int.from_bytes(rdata[4:8], "big"),
        int.from_bytes(rdata[8:12], "big"),
        int.from_bytes(rdata[12:16], "big"),
        int.from_bytes(rdata[16:18], "big"),
        names.fold(signer),
        rdata[end:],
    )


def key_tag(rdata: bytes) -> int:
    """Key tag of a DNSKEY (RFC 4034 appendix B; B.1 for algorithm 1)."""
    if rdata[3] == 1:
        return int.from_bytes(rdata[-3:-1], "big")
    total = sum(rdata[0::2]) * 256 + sum(rdata[1::2])
    return (total + (total >> 16)) & 0xFFFF


class Hashed(NamedTuple):
    """An NSEC3 (RFC 5155 3.1)."""

    parameters: bytes
    """Algorithm, iterations and salt as they stand in the rdata, without the flags."""
    opt_out: bool
    next: bytes
    bitmap: bytes


def hashed(rdata: bytes) -> Hashed:
    """The fields of an NSEC3."""
    salt_end = 5 + rdata[4]
    next_end = salt_end + 1 + rdata[salt_end]
    return Hashed(rdata[:1] + rdata[2:salt_end], bool(rdata[1] & 1), rdata[salt_end + 1 : next_end], rdata[next_end:])


def bitmap(types: list[int]) -> bytes:
    """Type bitmap of `types` (RFC 4034 4.1.2)."""
    windows: dict[int, bytearray] = {}
    for rdtype in sorted(types):
        octets = windows.setdefault(rdtype >> 8, bytearray())
        position = (rdtype & 0xFF) >> 3
        octets.extend(bytes(position + 1 - len(octets)))
        octets[position] |= 0x80 >> (rdtype & 7)
    return b"".join(bytes((window, len(octets))) + octets for window, octets in windows.items())


def bitmap_types(wire: bytes) -> list[int]:
    """Types of a bitmap, rising (RFC 4034 4.1.2)."""
    types: list[int] = []
    position = 0
    while position + 2 <= len(wire):
        window, length = wire[position], wire[position + 1]
        for index, octet in enumerate(wire[position + 2 : position + 2 + length]):
            types.extend((window << 8) + (index << 3) + bit for bit in range(8) if octet & (0x80 >> bit))
        position += 2 + length
    return types
