"""Rdata of each type from its fields to wire format: the types that people use here, dnspython for the others."""

from collections.abc import Callable
from typing import Final

from zones import rdtypes
from zones.zonefile.errors import Fault, quote
from zones.zonefile.fields import (
    MAX_U8,
    MAX_U16,
    MAX_U32,
    expect_end,
    field_at,
    hexadecimal,
    ipv4,
    ipv6,
    octets,
    period,
    string,
    unsigned,
    wire_name,
)

MAX_RDATA: Final = 65535

Reader = Callable[[list[bytes], int, bytes], bytes]
"""Takes the fields of an entry, the index of the first one of the rdata and the origin; gives wire rdata or a Fault."""


def read_rdata(rdtype: int, fields: list[bytes], first: int, origin: bytes) -> bytes:
    """Wire rdata of a record of `rdtype` whose rdata begins at field `first`. Fault when it is none."""
    if first < len(fields) and fields[first] == b"\\#":
        return _generic(rdtype, fields, first)
    reader = READERS.get(rdtype)
    if reader is not None:
        return reader(fields, first, origin)
    from zones.zonefile import fallback

    return fallback.read_rdata(rdtype, fields, first, origin)


def _generic(rdtype: int, fields: list[bytes], first: int) -> bytes:
    """Rdata in the form for unknown types, which known types may use too (RFC 3597 5)."""
    length = unsigned(fields, first + 1, MAX_RDATA, "rdata length")
    rdata = hexadecimal(fields, first + 2, "rdata") if length or first + 2 < len(fields) else b""
    if len(rdata) != length:
        raise Fault(first + 1, f"rdata of {len(rdata)} octets", f"{length} octets, as the length says")
    if rdtype in rdtypes.MNEMONICS:
        from zones.zonefile import fallback

        fallback.check_rdata(rdtype, rdata, first)
    return rdata


def _a(fields: list[bytes], first: int, _origin: bytes) -> bytes:
    expect_end(fields, first + 1)
    return ipv4(fields, first)


def _aaaa(fields: list[bytes], first: int, _origin: bytes) -> bytes:
    expect_end(fields, first + 1)
    return ipv6(fields, first)


def _name(fields: list[bytes], first: int, origin: bytes) -> bytes:
    expect_end(fields, first + 1)
    return wire_name(fields, first, origin)


def _preference_and_name(fields: list[bytes], first: int, origin: bytes) -> bytes:
    expect_end(fields, first + 2)
    return unsigned(fields, first, MAX_U16, "preference").to_bytes(2, "big") + wire_name(fields, first + 1, origin)


def _soa(fields: list[bytes], first: int, origin: bytes) -> bytes:
    expect_end(fields, first + 7)
    return b"".join(
        (
            wire_name(fields, first, origin),
            wire_name(fields, first + 1, origin),
            unsigned(fields, first + 2, MAX_U32, "serial").to_bytes(4, "big"),
            period(fields, first + 3, "refresh time").to_bytes(4, "big"),
            period(fields, first + 4, "retry time").to_bytes(4, "big"),
            period(fields, first + 5, "expire time").to_bytes(4, "big"),
            period(fields, first + 6, "minimum").to_bytes(4, "big"),
        )
    )


def _strings(fields: list[bytes], first: int, _origin: bytes) -> bytes:
    field_at(fields, first, "a string")
    rdata = b"".join([string(fields, index) for index in range(first, len(fields))])
    if len(rdata) > MAX_RDATA:
        raise Fault(first, f"rdata of {len(rdata)} octets", f"at most {MAX_RDATA}")
    return rdata


def _srv(fields: list[bytes], first: int, origin: bytes) -> bytes:
    expect_end(fields, first + 4)
    return b"".join(
        (
            unsigned(fields, first, MAX_U16, "priority").to_bytes(2, "big"),
            unsigned(fields, first + 1, MAX_U16, "weight").to_bytes(2, "big"),
            unsigned(fields, first + 2, MAX_U16, "port").to_bytes(2, "big"),
            wire_name(fields, first + 3, origin),
        )
    )


def _caa(fields: list[bytes], first: int, _origin: bytes) -> bytes:
    expect_end(fields, first + 3)
    flags = unsigned(fields, first, MAX_U8, "flags")
    tag = field_at(fields, first + 1, "a tag")
    # RFC 8659 4.1: one to 255 letters and digits.
    if not tag.isalnum() or len(tag) > MAX_U8:
        raise Fault(first + 1, f"{quote(tag)} is no tag", "letters and digits, as in issue or iodef")
    return bytes((flags, len(tag))) + tag + octets(fields, first + 2, "a value")


READERS: Final[dict[int, Reader]] = {
    rdtypes.NUMBERS[mnemonic]: reader
    for reader, mnemonics in (
        (_a, "A"),
        (_aaaa, "AAAA"),
        (_name, "NS CNAME PTR DNAME"),
        (_preference_and_name, "MX AFSDB KX RT LP"),
        (_soa, "SOA"),
        (_strings, "TXT SPF"),
        (_srv, "SRV"),
        (_caa, "CAA"),
    )
    for mnemonic in mnemonics.split()
}
