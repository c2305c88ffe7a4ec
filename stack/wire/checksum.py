"""The Internet checksum (RFC 1071), at C speed without C.

The checksum is a sum of 16-bit words with the carry added back in, which is arithmetic modulo 65535; and 65536 is 1
modulo 65535, so the whole buffer read as one number leaves the same remainder as the sum of its words.

Read first: RFC 1071, RFC 1624 (the two zeros of one's complement).
"""

from dns_platform.protocols import Octets
from stack.address import Address


def ones_sum(data: Octets, start: int = 0) -> int:
    """`start` plus the 16-bit words of `data`, folded to 1..65535, or 0 if all are zero.

    An odd last octet is the high half of a word. `start` is any sum of words, folded or not.
    """
    total = int.from_bytes(data)
    if len(data) & 1:
        total <<= 8
    total += start
    # One's complement has two zeros: words that are not all zero sum to the one that is written ffff.
    return total % 65535 or (65535 if total else 0)


def checksum(data: Octets, start: int = 0) -> int:
    """The checksum of `data` whose own checksum field is zero, on top of the sum `start` (of a pseudo-header)."""
    return 65535 - ones_sum(data, start)


def is_valid(data: Octets, start: int = 0) -> bool:
    """Is the complement of the sum of `data`, checksum included, zero?"""
    return ones_sum(data, start) == 65535


def pseudo_header(source: Address, destination: Address, protocol: int, length: int) -> int:
    """Sum of the words of the pseudo-header of RFC 768 and RFC 9293 3.1 (IPv4) or RFC 8200 8.1 (IPv6)."""
    return int.from_bytes(source + destination) + protocol + (length >> 16) + (length & 0xFFFF)
