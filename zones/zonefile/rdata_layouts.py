"""Readers of types whose rdata is a row of simple fields, as a table of rows."""

import base64
import binascii
import datetime as dt
import re
from collections.abc import Callable
from typing import Final

from zones import rdtypes
from zones.zonefile.errors import Fault, quote
from zones.zonefile.fields import (
    base64_data,
    expect_end,
    field_at,
    hexadecimal,
    ipv4,
    octets,
    period,
    string,
    unsigned,
    wire_name,
)

Item = Callable[[list[bytes], int, bytes], bytes]
"""Takes the fields of an entry, an index in them and the origin; gives the wire form of the field there, or a Fault."""

# IANA's registry of DNSSEC algorithms, with the spellings that BIND reads too.
_ALGORITHMS: Final = {
    b"DELETE": 0, b"RSAMD5": 1, b"DH": 2, b"DSA": 3, b"RSASHA1": 5, b"DSA-NSEC3-SHA1": 6, b"NSEC3DSA": 6,
    b"RSASHA1-NSEC3-SHA1": 7, b"NSEC3RSASHA1": 7, b"RSASHA256": 8, b"RSASHA512": 10, b"ECC-GOST": 12, b"ECCGOST": 12,
    b"ECDSAP256SHA256": 13, b"ECDSAP384SHA384": 14, b"ED25519": 15, b"ED448": 16, b"INDIRECT": 252,
    b"PRIVATEDNS": 253, b"PRIVATEOID": 254,
}  # fmt: skip
# RFC 4398 2.1
_CERTIFICATES: Final = {
    b"PKIX": 1, b"SPKI": 2, b"PGP": 3, b"IPKIX": 4, b"ISPKI": 5, b"IPGP": 6, b"ACPKIX": 7, b"IACPKIX": 8,
    b"URI": 253, b"OID": 254,
}  # fmt: skip
_DSYNC_SCHEMES: Final = {b"NOTIFY": 1}  # RFC 9859 2.1
_TIME: Final = re.compile(rb"[0-9]{14}")
_EUI: Final = re.compile(rb"[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2})*")
_LOCATOR: Final = re.compile(rb"[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){3}")


class Layout:
    """Reads rdata that is a row of fields; what is left after them goes to `rest`, if there is one."""

    def __init__(self, *items: Item, rest: Item | None = None) -> None:
        self._items: Final = items
        self._rest: Final = rest

    def __call__(self, fields: list[bytes], first: int, origin: bytes) -> bytes:
        """Wire rdata of the fields from `first` on. Fault when they do not fit the row."""
        parts = [item(fields, index, origin) for index, item in enumerate(self._items, first)]
        after = first + len(self._items)
        if self._rest is None:
            expect_end(fields, after)
        else:
            parts.append(self._rest(fields, after, origin))
        return b"".join(parts)


def _number(octets: int, what: str) -> Item:
    maximum = (1 << 8 * octets) - 1

    def item(fields: list[bytes], index: int, _origin: bytes) -> bytes:
        return unsigned(fields, index, maximum, what).to_bytes(octets, "big")

    return item


def _mnemonic(octets: int, what: str, known: dict[bytes, int]) -> Item:
    """A number, or one of the `known` words for it."""
    plain = _number(octets, what)

    def item(fields: list[bytes], index: int, origin: bytes) -> bytes:
        number = known.get(field_at(fields, index, what).upper())
        return plain(fields, index, origin) if number is None else number.to_bytes(octets, "big")

    return item


def _seconds(fields: list[bytes], index: int, _origin: bytes) -> bytes:
    return period(fields, index, "TTL").to_bytes(4, "big")


def _time(fields: list[bytes], index: int, _origin: bytes) -> bytes:
    """Signature time: YYYYMMDDHHmmSS, or seconds since 1970, modulo 2**32 (RFC 4034 3.2, 3.1.5)."""
    text = field_at(fields, index, "a signature time")
    if _TIME.fullmatch(text):
        year, rest = int(text[:4]), [int(text[at : at + 2]) for at in range(4, 14, 2)]
        try:
            moment = dt.datetime(year, rest[0], rest[1], rest[2], rest[3], rest[4], tzinfo=dt.UTC)
        except ValueError as error:
            raise Fault(index, f"{quote(text)} is no signature time: {error}", "YYYYMMDDHHmmSS") from None
        return (int(moment.timestamp()) & 0xFFFFFFFF).to_bytes(4, "big")
    if len(text) <= 10:
        return unsigned(fields, index, 0xFFFFFFFF, "signature time").to_bytes(4, "big")
    raise Fault(index, f"{quote(text)} is no signature time", "YYYYMMDDHHmmSS, or seconds since 1970")


def _type(fields: list[bytes], index: int, _origin: bytes) -> bytes:
    return _type_number(fields, index).to_bytes(2, "big")


def _type_number(fields: list[bytes], index: int) -> int:
    text = field_at(fields, index, "a type")
    rdtype = rdtypes.from_text(text.decode("ascii"))
    if rdtype is None:
        raise Fault(index, f"{quote(text)} is no type", "a type such as A, or TYPE and its number")
    return rdtype


def _bitmap(fields: list[bytes], index: int, _origin: bytes) -> bytes:
    """Types as windows of bits (RFC 4034 4.1.2)."""
    windows: dict[int, bytearray] = {}
    for at in range(index, len(fields)):
        rdtype = _type_number(fields, at)
        bits = windows.setdefault(rdtype >> 8, bytearray())
        octet = rdtype >> 3 & 31
        if octet >= len(bits):
            bits.extend(bytes(octet + 1 - len(bits)))
        bits[octet] |= 0x80 >> (rdtype & 7)
    return b"".join([bytes((window, len(bits))) + bits for window, bits in sorted(windows.items())])


def _salt(fields: list[bytes], index: int, _origin: bytes) -> bytes:
    """Hexadecimal without blanks, `-` for none (RFC 5155 3.3)."""
    text = field_at(fields, index, "a salt")
    salt = b"" if text == b"-" else hexadecimal(fields[: index + 1], index, "salt")
    if len(salt) > 255:
        raise Fault(index, f"salt of {len(salt)} octets", "at most 255")
    return bytes([len(salt)]) + salt


def _hash(fields: list[bytes], index: int, _origin: bytes) -> bytes:
    """Base32 with the extended hexadecimal alphabet, without padding (RFC 5155 3.3)."""
    text = field_at(fields, index, "a hashed owner")
    try:
        digest = base64.b32hexdecode(text.upper() + b"=" * (-len(text) % 8))
    except binascii.Error:
        digest = b""
    if not 0 < len(digest) <= 255:
        raise Fault(index, f"{quote(text)} is no hashed owner", "base32hex: digits and the letters A to V")
    return bytes([len(digest)]) + digest


def _hexadecimal(what: str) -> Item:
    return lambda fields, index, _origin: hexadecimal(fields, index, what)


def _base64(what: str) -> Item:
    return lambda fields, index, _origin: base64_data(fields, index, what)


def _string(fields: list[bytes], index: int, _origin: bytes) -> bytes:
    return string(fields, index)


def _octets(fields: list[bytes], index: int, _origin: bytes) -> bytes:
    return octets(fields, index, "a string")


def _ipv4(fields: list[bytes], index: int, _origin: bytes) -> bytes:
    return ipv4(fields, index)


def _eui(size: int) -> Item:
    """Hexadecimal octets between hyphens (RFC 7043)."""

    def item(fields: list[bytes], index: int, _origin: bytes) -> bytes:
        text = field_at(fields, index, "an address")
        if len(text) != 3 * size - 1 or not _EUI.fullmatch(text):
            raise Fault(index, f"{quote(text)} is no EUI-{8 * size}", f"{size} octets such as 00-00-5e-00-53-2a")
        return binascii.unhexlify(text.replace(b"-", b""))

    return item


def _locator(fields: list[bytes], index: int, _origin: bytes) -> bytes:
    """Four groups of up to four hexadecimal digits between colons (RFC 6742 2.1.1)."""
    text = field_at(fields, index, "a locator")
    if not _LOCATOR.fullmatch(text):
        raise Fault(index, f"{quote(text)} is no locator", "four groups, as in 2001:db8:1140:1000")
    return b"".join([int(group, 16).to_bytes(2, "big") for group in text.split(b":")])


_ALGORITHM: Final = _mnemonic(1, "algorithm", _ALGORITHMS)
_PREFERENCE: Final = _number(2, "preference")
_PREFERRED_NAME: Final = Layout(_PREFERENCE, wire_name)
_DELEGATION: Final = Layout(_number(2, "key tag"), _ALGORITHM, _number(1, "digest type"), rest=_hexadecimal("digest"))
_KEY: Final = Layout(_number(2, "flags"), _number(1, "protocol"), _ALGORITHM, rest=_base64("key"))
_SIGNATURE: Final = Layout(
    _type, _ALGORITHM, _number(1, "number of labels"), _seconds, _time, _time, _number(2, "key tag"), wire_name,
    rest=_base64("signature"),
)  # fmt: skip
_ASSOCIATION: Final = Layout(
    _number(1, "usage"), _number(1, "selector"), _number(1, "matching type"), rest=_hexadecimal("certificate data")
)
_NSEC3_HEAD: Final = (_number(1, "hash algorithm"), _number(1, "flags"), _number(2, "number of iterations"), _salt)

LAYOUTS: Final[dict[int, Layout]] = {
    rdtypes.NUMBERS[mnemonic]: layout
    for mnemonics, layout in (
        ("MB MG MR NSAP-PTR", Layout(wire_name)),  # RFC 1035 3.3, RFC 1706
        ("HINFO", Layout(_string, _string)),  # RFC 1035 3.3.2
        ("MINFO RP", Layout(wire_name, wire_name)),  # RFC 1035 3.3.7, RFC 1183 2.2
        ("AFSDB RT KX LP", _PREFERRED_NAME),  # RFC 1183 1 and 3.3, RFC 2230 3, RFC 6742 2.4
        ("NAPTR", Layout(_number(2, "order"), _PREFERENCE, _string, _string, _string, wire_name)),  # RFC 3403 4.1
        ("CERT", Layout(_mnemonic(2, "certificate type", _CERTIFICATES), _number(2, "key tag"), _ALGORITHM,
                        rest=_base64("certificate"))),  # RFC 4398 2
        ("DS CDS DLV TA", _DELEGATION),  # RFC 4034 5, RFC 7344, RFC 4431
        ("DNSKEY CDNSKEY KEY", _KEY),  # RFC 4034 2, RFC 7344, RFC 2535 3
        ("RRSIG SIG", _SIGNATURE),  # RFC 4034 3
        ("NSEC", Layout(wire_name, rest=_bitmap)),  # RFC 4034 4
        ("NSEC3", Layout(*_NSEC3_HEAD, _hash, rest=_bitmap)),  # RFC 5155 3
        ("NSEC3PARAM", Layout(*_NSEC3_HEAD)),  # RFC 5155 4
        ("CSYNC", Layout(_number(4, "serial"), _number(2, "flags"), rest=_bitmap)),  # RFC 7477 2
        ("SSHFP", Layout(_number(1, "algorithm"), _number(1, "fingerprint type"), rest=_hexadecimal("fingerprint"))),
        ("TLSA SMIMEA", _ASSOCIATION),  # RFC 6698 2, RFC 8162 2
        ("DHCID OPENPGPKEY HHIT BRID", Layout(rest=_base64("data"))),  # RFC 4701, RFC 7929, RFC 9886
        ("ZONEMD", Layout(_number(4, "serial"), _number(1, "scheme"), _number(1, "hash algorithm"),
                          rest=_hexadecimal("digest"))),  # RFC 8976 2
        ("DSYNC", Layout(_type, _mnemonic(1, "scheme", _DSYNC_SCHEMES), _number(2, "port"), wire_name)),  # RFC 9859 2
        ("NID L64", Layout(_PREFERENCE, _locator)),  # RFC 6742 2.1, 2.3
        ("L32", Layout(_PREFERENCE, _ipv4)),  # RFC 6742 2.2
        ("EUI48", Layout(_eui(6))),  # RFC 7043 3
        ("EUI64", Layout(_eui(8))),  # RFC 7043 4
        ("URI", Layout(_number(2, "priority"), _number(2, "weight"), _octets)),  # RFC 7553 4
    )
    for mnemonic in mnemonics.split()
}  # fmt: skip
