"""Fields of rdata from text to wire: names, numbers, addresses, strings, binary data.

Every function takes the fields of an entry and the index of one of them, so that a Fault can name it.
"""

import base64
import binascii
import re
from typing import Final

from zones import name as names
from zones.zonefile.errors import Fault, quote

MAX_U8: Final = 0xFF
MAX_U16: Final = 0xFFFF
MAX_U32: Final = 0xFFFFFFFF
MAX_STRING: Final = 255  # RFC 1035 3.3: a character-string has one length octet

_MAX_STRING_TEXT: Final = 4 * MAX_STRING + 1  # every octet as \DDD, and the quote
_LENGTH: Final = tuple(bytes([length]) for length in range(names.MAX_LABEL + 1))
_OCTET: Final = {str(octet).encode(): octet for octet in range(256)}
_ESCAPE: Final = re.compile(rb"\\([0-9]{3}|.)", re.DOTALL)
_ESCAPED: Final = {
    **{bytes([octet]): bytes([octet]) for octet in range(256)},
    **{b"%03d" % octet: bytes([octet]) for octet in range(256)},
}
"""Octet by what stands behind the backslash."""
_MAX_NAME_TEXT: Final = 4 * names.MAX_NAME  # every octet as \DDD
_MAX_ADDRESS_TEXT: Final = 45  # of an IPv6 address that ends with an IPv4 address
_NAME_HINT: Final = "a name such as www or www.example.com."
_BARE_QUOTE: Final = re.compile(rb'(?<!\\)(?:\\\\)*"')
_QUOTE: Final = 34
# RFC 1035 has none; BIND brought the units that every server reads: weeks, days, hours, minutes, seconds.
_TTL: Final = re.compile(rb"(?:([0-9]+)w)?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s?)?", re.IGNORECASE)
_TTL_SECONDS: Final = (604800, 86400, 3600, 60, 1)


def field_at(fields: list[bytes], index: int, expected: str) -> bytes:
    """The field at `index`. Fault when the entry has ended: `expected` says what belongs there."""
    if index < len(fields):
        return fields[index]
    raise Fault(index, f"{expected} is missing")


def expect_end(fields: list[bytes], index: int) -> None:
    """Fault unless the entry ends before `index`."""
    if index < len(fields):
        raise Fault(index, f"unexpected {quote(fields[index])}", "the record is complete before it")


def wire_name(fields: list[bytes], index: int, origin: bytes) -> bytes:
    """A name, relative to `origin` unless it ends with a dot; its letter case is kept."""
    text = field_at(fields, index, "a name")
    if text == b"@":
        return origin
    if len(text) > _MAX_NAME_TEXT:
        raise Fault(index, f"{quote(text)} is no name: name longer than 255 octets", _NAME_HINT)
    if b"\\" not in text and b'"' not in text:
        parts = text.split(b".")
        try:
            if parts[-1]:
                wire = b"".join([_LENGTH[len(part)] + part for part in parts]) + origin
            else:
                wire = b"".join([_LENGTH[len(part)] + part for part in parts])
            if len(wire) <= names.MAX_NAME and all(parts[:-1]):
                return wire
        except IndexError:
            pass  # a label longer than 63: the careful way below says where
    if text[0] == _QUOTE or _BARE_QUOTE.search(text):
        raise Fault(index, f"{quote(text)} in place of a name", "names are written without quotes")
    try:
        return names.from_text(text.decode("latin-1"), origin)
    except names.BadName as bad:
        raise Fault(index, f"{quote(text)} is no name: {bad}", _NAME_HINT) from None


def unsigned(fields: list[bytes], index: int, maximum: int, what: str) -> int:
    """A decimal number of 0 to `maximum`."""
    text = field_at(fields, index, what)
    if text.isdigit() and len(text) <= 20:
        number = int(text)
        if number <= maximum:
            return number
    raise Fault(index, f"{quote(text)} is no {what}", f"a decimal number of 0 to {maximum}")


def ttl(text: bytes) -> int | None:
    """Seconds of a time such as `3600` or `1h30m`; None when `text` is none, or above 2**32 - 1."""
    if text.isdigit():
        seconds = int(text) if len(text) <= 20 else MAX_U32 + 1
    else:
        found = _TTL.fullmatch(text)
        if found is None or not text or len(text) > 60:
            return None
        seconds = sum(int(part) * unit for part, unit in zip(found.groups(), _TTL_SECONDS, strict=True) if part)
    return seconds if seconds <= MAX_U32 else None


def period(fields: list[bytes], index: int, what: str) -> int:
    """A time in seconds or with units."""
    text = field_at(fields, index, what)
    seconds = ttl(text)
    if seconds is None:
        raise Fault(index, f"{quote(text)} is no {what}", "seconds below 2**32, or a time such as 1h30m")
    return seconds


def ipv4(fields: list[bytes], index: int) -> bytes:
    """An IPv4 address in dotted form without leading zeros."""
    text = field_at(fields, index, "an IPv4 address")
    try:
        first, second, third, fourth = text.split(b".", 4)
        return bytes((_OCTET[first], _OCTET[second], _OCTET[third], _OCTET[fourth]))
    except (ValueError, KeyError):
        raise Fault(index, f"{quote(text)} is no IPv4 address", "four numbers of 0 to 255, as in 192.0.2.1") from None


def ipv6(fields: list[bytes], index: int) -> bytes:
    """An IPv6 address (RFC 4291 2.2)."""
    text = field_at(fields, index, "an IPv6 address")
    head, gap, tail = text.partition(b"::")
    try:
        if len(text) > _MAX_ADDRESS_TEXT:
            raise ValueError
        left = _groups(head, last=not gap)
        if gap:
            right = _groups(tail, last=True)
            if len(left) + len(right) <= 14:
                return left.ljust(16 - len(right), b"\0") + right
        elif len(left) == 16:
            return left
    except (ValueError, KeyError):
        pass
    raise Fault(index, f"{quote(text)} is no IPv6 address", "eight groups, :: once, as in 2001:db8::1")


def _groups(text: bytes, *, last: bool) -> bytes:
    """Groups between colons as octets; the `last` of an address may be an IPv4 address."""
    if not text:
        return b""
    parts = text.split(b":")
    if len(parts) > 8:
        raise ValueError
    ending = b""
    if last and b"." in parts[-1]:
        first, second, third, fourth = parts.pop().split(b".")
        ending = bytes((_OCTET[first], _OCTET[second], _OCTET[third], _OCTET[fourth]))
    # A group is one to four hexadecimal digits; int() also reads signs, blanks and underscores.
    if not all(0 < len(part) <= 4 and part.isalnum() for part in parts):
        raise ValueError
    return b"".join([int(part, 16).to_bytes(2, "big") for part in parts]) + ending


def octets(fields: list[bytes], index: int, what: str) -> bytes:
    r"""Octets of a quoted or plain field: `\DDD` and `\X` resolved (RFC 1035 5.1)."""
    field = field_at(fields, index, what)
    if field[0] == _QUOTE:
        field = field[1:]
    elif b'"' in field and _BARE_QUOTE.search(field):
        raise Fault(index, f"quote inside {quote(field)}", 'quote the field as a whole, or write \\"')
    if b"\\" not in field:
        return field
    parts = _ESCAPE.split(field)
    parts[1::2] = [_ESCAPED[escape] for escape in parts[1::2]]
    return b"".join(parts)


def string(fields: list[bytes], index: int, what: str = "a string") -> bytes:
    """A character-string with its length octet (RFC 1035 3.3)."""
    if len(field_at(fields, index, what)) > _MAX_STRING_TEXT or len(text := octets(fields, index, what)) > MAX_STRING:
        hint = "split it into several quoted strings"
        raise Fault(index, f"string of more than {MAX_STRING} octets: {quote(fields[index])}", hint)
    return bytes([len(text)]) + text


def hexadecimal(fields: list[bytes], index: int, what: str) -> bytes:
    """Hexadecimal data of all fields from `index` on."""
    text = b"".join(fields[index:])
    try:
        if text:
            return binascii.unhexlify(text)
    except binascii.Error:
        pass
    field_at(fields, index, what)
    raise Fault(index, f"{quote(text)} is no hexadecimal {what}", "an even number of digits 0-9 and a-f")


def base64_data(fields: list[bytes], index: int, what: str) -> bytes:
    """Base64 data (RFC 4648 4) of all fields from `index` on."""
    text = b"".join(fields[index:])
    try:
        if text:
            return base64.b64decode(text, validate=True)
    except binascii.Error:
        pass
    field_at(fields, index, what)
    raise Fault(
        index, f"{quote(text)} is no base64 {what}", "groups of four of A-Z a-z 0-9 + /, the last padded with ="
    )
