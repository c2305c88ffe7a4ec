# cython: annotation_typing=False
"""SipHash-2-4, the keyed hash of server cookies.

Read first: RFC 9018 4.4 and https://www.aumasson.jp/siphash/siphash.pdf section 2.
"""

from collections.abc import Sequence
from typing import Final

import cython

_START_0: Final = 0x736F6D6570736575
_START_1: Final = 0x646F72616E646F6D
_START_2: Final = 0x6C7967656E657261
_START_3: Final = 0x7465646279746573
_WORD_ROUNDS: Final = 2
_LAST_ROUNDS: Final = 4


@cython.boundscheck(False)
def siphash(first: int, second: int, octets: Sequence[int], length: int) -> int:
    """The 64-bit hash of the first `length` of `octets` under the key of two 64-bit halves (little-endian).

    Bounds are looked at once. IndexError if there are not so many octets.
    """
    if length < 0 or length > len(octets):
        raise IndexError("the message is shorter than is said")
    mask = 0xFFFFFFFFFFFFFFFF  # a variable of the function is a constant to the C compiler
    v0 = _START_0 ^ first
    v1 = _START_1 ^ second
    v2 = _START_2 ^ first
    v3 = _START_3 ^ second
    words = (length >> 3) + 1
    for count in range(words + 1):
        word = 0
        rounds = _WORD_ROUNDS
        begin = count << 3
        if count < words - 1:
            for index in range(8):
                octet = octets[begin + index]
                word |= octet << (index << 3)
        elif count < words:
            for index in range(length - begin):
                octet = octets[begin + index]
                word |= octet << (index << 3)
            octet = length & 0xFF
            word |= octet << 56
        else:
            v2 ^= 0xFF
            rounds = _LAST_ROUNDS
        v3 ^= word
        for _ in range(rounds):
            v0 = (v0 + v1) & mask
            v2 = (v2 + v3) & mask
            v1 = ((v1 << 13 | v1 >> 51) & mask) ^ v0
            v3 = ((v3 << 16 | v3 >> 48) & mask) ^ v2
            v0 = (v0 << 32 | v0 >> 32) & mask
            v2 = (v2 + v1) & mask
            v0 = (v0 + v3) & mask
            v1 = ((v1 << 17 | v1 >> 47) & mask) ^ v2
            v3 = ((v3 << 21 | v3 >> 43) & mask) ^ v0
            v2 = (v2 << 32 | v2 >> 32) & mask
        v0 ^= word
    return v0 ^ v1 ^ v2 ^ v3
