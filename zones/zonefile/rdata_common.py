"""Readers of the types that most records have, written for speed."""

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
    ipv4,
    ipv6,
    octets,
    period,
    string,
    unsigned,
    wire_name,
)


def _a(fields: list[bytes], first: int, _origin: bytes) -> bytes:
    """RFC 1035 3.4.1."""
    address = ipv4(fields, first)
    expect_end(fields, first + 1)
    return address


def _aaaa(fields: list[bytes], first: int, _origin: bytes) -> bytes:
    """RFC 3596 2.2."""
    address = ipv6(fields, first)
    expect_end(fields, first + 1)
    return address


def _name(fields: list[bytes], first: int, origin: bytes) -> bytes:
    name = wire_name(fields, first, origin)
    expect_end(fields, first + 1)
    return name


def _mx(fields: list[bytes], first: int, origin: bytes) -> bytes:
    """RFC 1035 3.3.9."""
    rdata = unsigned(fields, first, MAX_U16, "preference").to_bytes(2, "big") + wire_name(fields, first + 1, origin)
    expect_end(fields, first + 2)
    return rdata


def _soa(fields: list[bytes], first: int, origin: bytes) -> bytes:
    """RFC 1035 3.3.13."""
    rdata = b"".join(
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
    expect_end(fields, first + 7)
    return rdata


def _txt(fields: list[bytes], first: int, _origin: bytes) -> bytes:
    """RFC 1035 3.3.14: one string or more."""
    field_at(fields, first, "a string")
    return b"".join([string(fields, index) for index in range(first, len(fields))])


def _srv(fields: list[bytes], first: int, origin: bytes) -> bytes:
    """RFC 2782."""
    rdata = b"".join(
        (
            unsigned(fields, first, MAX_U16, "priority").to_bytes(2, "big"),
            unsigned(fields, first + 1, MAX_U16, "weight").to_bytes(2, "big"),
            unsigned(fields, first + 2, MAX_U16, "port").to_bytes(2, "big"),
            wire_name(fields, first + 3, origin),
        )
    )
    expect_end(fields, first + 4)
    return rdata


def _caa(fields: list[bytes], first: int, _origin: bytes) -> bytes:
    """RFC 8659 4.1."""
    flags = unsigned(fields, first, MAX_U8, "flags")
    tag = field_at(fields, first + 1, "a tag")
    if not tag.isalnum() or len(tag) > MAX_U8:
        raise Fault(first + 1, f"{quote(tag)} is no tag", "letters and digits, as in issue or iodef")
    value = octets(fields, first + 2, "a value")
    expect_end(fields, first + 3)
    return bytes((flags, len(tag))) + tag + value


_STRING_TYPES: Final = "TXT SPF AVC NINFO RESINFO WALLET"  # RESINFO: RFC 9606
STRINGS: Final = frozenset(rdtypes.NUMBERS[mnemonic] for mnemonic in _STRING_TYPES.split())
"""Types whose rdata is one string or more."""

COMMON: Final[dict[int, Callable[[list[bytes], int, bytes], bytes]]] = {
    rdtypes.NUMBERS[mnemonic]: reader
    for reader, mnemonics in (
        (_a, "A"),
        (_aaaa, "AAAA"),
        (_name, "NS CNAME PTR DNAME"),
        (_mx, "MX"),
        (_soa, "SOA"),
        (_txt, _STRING_TYPES),
        (_srv, "SRV"),
        (_caa, "CAA"),
    )
    for mnemonic in mnemonics.split()
}
