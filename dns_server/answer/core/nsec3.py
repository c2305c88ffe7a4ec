# cython: annotation_typing=False
"""The hash of NSEC3: SHA-1, salted and iterated, without making objects.

Read first: RFC 5155 5, RFC 3174 6.1. One name is hashed for a query whose name does not exist, and none for others. A
hash of a usual name with little salt is one block, about 0.3 microseconds; each iteration takes as long again, and so
does each 64 octets more: a flood of random names costs no more than that beyond other queries, once answers are ready.
"""

from array import array
from typing import Any, Final

DIGEST_SIZE: Final = 20
_MASK: Final = 0xFFFFFFFF
_BLOCK: Final = 64
_LENGTH_SIZE: Final = 8
_MAX_MESSAGE: Final = 512 + 2 * _BLOCK  # name and salt have 255 octets each, and there is padding
_K0: Final = 0x5A827999
_K1: Final = 0x6ED9EBA1
_K2: Final = 0x8F1BBCDC
_K3: Final = 0xCA62C1D6
_START: Final = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)


class Nsec3Hash:
    """Hashes names with one salt and number of iterations."""

    def __init__(self, salt: bytes, iterations: int) -> None:
        self._salt_octets: Any = bytearray(salt + b"\0")
        self._salt_size = len(salt)
        self._iterations = iterations
        self._message: Any = bytearray(_MAX_MESSAGE)
        self._words: Any = array("I", bytes(4 * 80))
        self._state: Any = array("I", _START)
        self._start: Any = array("I", _START)
        self.digest: Any = bytearray(DIGEST_SIZE)
        """The hash that was made last."""

    def hash(self, octets: bytearray, start: int, length: int) -> None:
        """Hash the folded name of `length` octets at `start`, which has 255 at most, into `digest`."""
        for index in range(length):
            self._message[index] = octets[start + index]
        self._round(length)
        for _ in range(self._iterations):
            for index in range(20):
                self._message[index] = self.digest[index]
            self._round(20)

    def _round(self, length: int) -> None:
        """Hash the first `length` octets of the message with the salt."""
        for index in range(self._salt_size):
            self._message[length + index] = self._salt_octets[index]
        length += self._salt_size
        end = (length + 1 + _LENGTH_SIZE + _BLOCK - 1) // _BLOCK * _BLOCK
        self._message[length] = 0x80
        for index in range(length + 1, end - 2):
            self._message[index] = 0
        self._message[end - 2] = (length >> 5) & 0xFF  # bits: 8 times the octets, which are less than 8192
        self._message[end - 1] = (length << 3) & 0xFF
        for index in range(5):
            self._state[index] = self._start[index]
        for index in range(0, end, _BLOCK):
            self._block(index)
        for index in range(5):
            word = self._state[index]
            self.digest[4 * index] = word >> 24
            self.digest[4 * index + 1] = (word >> 16) & 0xFF
            self.digest[4 * index + 2] = (word >> 8) & 0xFF
            self.digest[4 * index + 3] = word & 0xFF

    def _block(self, at: int) -> None:
        """Take the 64 octets of the message at `at` into the state."""
        for index in range(16):
            octet = self._message[at + 4 * index]
            word = octet << 24
            octet = self._message[at + 4 * index + 1]
            word |= octet << 16
            octet = self._message[at + 4 * index + 2]
            self._words[index] = word | octet << 8 | self._message[at + 4 * index + 3]
        for index in range(16, 80):
            word = self._words[index - 3] ^ self._words[index - 8] ^ self._words[index - 14] ^ self._words[index - 16]
            self._words[index] = (word << 1 | word >> 31) & _MASK
        a = self._state[0]
        b = self._state[1]
        c = self._state[2]
        d = self._state[3]
        e = self._state[4]
        for index in range(80):
            if index < 20:
                mixed = (d ^ (b & (c ^ d))) + _K0
            elif index < 40:
                mixed = (b ^ c ^ d) + _K1
            elif index < 60:
                mixed = ((b & c) | (d & (b | c))) + _K2
            else:
                mixed = (b ^ c ^ d) + _K3
            word = (mixed + ((a << 5 | a >> 27) & _MASK) + e + self._words[index]) & _MASK
            e = d
            d = c
            c = (b << 30 | b >> 2) & _MASK
            b = a
            a = word
        self._state[0] = (self._state[0] + a) & _MASK
        self._state[1] = (self._state[1] + b) & _MASK
        self._state[2] = (self._state[2] + c) & _MASK
        self._state[3] = (self._state[3] + d) & _MASK
        self._state[4] = (self._state[4] + e) & _MASK
