# cython: annotation_typing=False
"""Server cookies: what a client shows to prove that it gets what is sent to its address.

Read first: RFC 7873, RFC 9018. The cookie is the interoperable one, so servers that share a secret take each other's.
The engine and the compiled core use this very code.
"""

from array import array
from collections.abc import Sequence
from typing import Any, Final

import cython

from dns_server.answer.core.siphash import siphash

Octets = bytes | bytearray

SECRET_SIZE: Final = 16
"""Octets of a secret (RFC 9018 4.4)."""
CLIENT_SIZE: Final = 8
"""Octets of a client cookie (RFC 7873 4.1)."""
REPLY_SIZE: Final = 24
"""Octets of the option in replies: client cookie and server cookie."""
MAX_SIZE: Final = 40
"""Octets of the longest option (RFC 7873 4)."""
PROVEN: Final = 1
"""The client holds a valid cookie."""
UNPROVEN: Final = 0

# The same for compiled code: what the .pxd file gives a C type is hidden from Python.
_CLIENT: Final = CLIENT_SIZE
_REPLY: Final = REPLY_SIZE
_MAX: Final = MAX_SIZE
_PROVEN: Final = PROVEN
_UNPROVEN: Final = UNPROVEN
_SERVER_MIN: Final = 8  # RFC 7873 4.2
_VERSION: Final = 1  # RFC 9018 4.1
_HASHED: Final = 16  # octets before the hash: client cookie, version, reserved, timestamp
_ENTRIES: Final = 64  # remembered hashes; a power of two
_ENTRY: Final = _HASHED + 16 + 1  # octets of a remembered input, and its size
_MAX_AGE_S: Final = 3600  # RFC 9018 4.3
_MAX_AHEAD_S: Final = 300
_RENEWED_AFTER_S: Final = 1800
_HALF: Final = 0x80000000
_MASK32: Final = 0xFFFFFFFF


class Cookies:
    """Judges the cookies of queries and makes those of replies."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        """The first of `secrets` makes cookies; those of all others are taken too, so that secrets can roll over.

        Each has 16 octets: ValueError.
        """
        if not secrets or any(len(secret) != SECRET_SIZE for secret in secrets):
            raise ValueError(f"a cookie secret has {SECRET_SIZE} octets")
        self._halves = [int.from_bytes(secret[at : at + 8], "little") for secret in secrets for at in (0, 8)]
        self._first = self._halves[0]
        self._second = self._halves[1]
        buffer = bytearray(_HASHED + 16)
        self._input: Any = buffer
        self._hashed: Any = bytearray(_ENTRIES * _ENTRY)
        """Inputs whose hashes are known, each with its size behind it: a client shows one cookie again and again."""
        self._hashes: Any = array("Q", bytes(8 * _ENTRIES))
        """Their hashes under the first secret."""
        self.reply: Any = bytearray(_REPLY)
        """The option's data for the reply to the query that was judged last."""

    def judge(
        self, octets: Octets, at: int, length: int, source: Octets, source_at: int, source_size: int, now: int
    ) -> int:
        """PROVEN or UNPROVEN for the `length` octets of a COOKIE option at `at`; makes `reply`.

        `length` is one of `is_size`. The client's address is `source_size` octets of `source`; `now` is in seconds
        since 1970.
        """
        index = 0
        for index in range(_CLIENT):
            self._input[index] = self.reply[index] = octets[at + index]
        for index in range(source_size):
            self._input[_HASHED + index] = source[source_at + index]
        size = _HASHED + source_size
        if length == _REPLY and octets[at + _CLIENT] == _VERSION:
            for index in range(_CLIENT, _HASHED):
                self._input[index] = octets[at + index]
            shown = 0
            for index in range(8):
                octet = octets[at + _HASHED + index]
                shown |= octet << (index << 3)
            then = self._input[12] << 24 | self._input[13] << 16 | self._input[14] << 8 | self._input[15]
            age = (now - then) & _MASK32
            if age >= _HALF:
                age -= _MASK32 + 1
            if -_MAX_AHEAD_S <= age <= _MAX_AGE_S:
                if shown == self._hash(size):
                    if age <= _RENEWED_AFTER_S:
                        for index in range(_CLIENT, _REPLY):
                            self.reply[index] = octets[at + index]
                    else:
                        self._make(size, now)
                    return _PROVEN
                for index in range(2, len(self._halves), 2):
                    if shown == siphash(self._halves[index], self._halves[index + 1], self._input, size):
                        self._make(size, now)
                        return _PROVEN
        self._make(size, now)
        return _UNPROVEN

    @cython.boundscheck(False)
    def _make(self, size: int, now: int) -> None:
        """Put a new server cookie into `reply`; client cookie and address are in the input, `size` octets in all.

        Bounds need no look: places are constants, below the sizes that both buffers are made with.
        """
        self._input[8] = _VERSION
        self._input[9] = self._input[10] = self._input[11] = 0
        self._input[12] = (now >> 24) & 0xFF
        self._input[13] = (now >> 16) & 0xFF
        self._input[14] = (now >> 8) & 0xFF
        self._input[15] = now & 0xFF
        made = self._hash(size)
        index = 0
        for index in range(_CLIENT, _HASHED):
            self.reply[index] = self._input[index]
        for index in range(8):
            self.reply[_HASHED + index] = (made >> (index << 3)) & 0xFF

    @cython.boundscheck(False)
    def _hash(self, size: int) -> int:
        """The hash of the input, `size` octets, under the first secret; that of one that came lately is remembered.

        An input may push another out, but is never taken for it: all octets are compared. Bounds need no look: numbers
        of entries are below `_ENTRIES`, and `size` octets were put into the input with a look at its end.
        """
        entry = 0
        index = 0
        for index in range(_CLIENT):
            entry += self._input[index]
        for index in range(_HASHED, size):
            entry += self._input[index]
        entry &= _ENTRIES - 1
        begin = entry * _ENTRY
        difference = self._hashed[begin + _ENTRY - 1] ^ size
        for index in range(_HASHED + 4):
            difference |= self._hashed[begin + index] ^ self._input[index]
        for index in range(_HASHED + 4, size):
            difference |= self._hashed[begin + index] ^ self._input[index]
        if difference:
            for index in range(size):
                self._hashed[begin + index] = self._input[index]
            self._hashed[begin + _ENTRY - 1] = size
            self._hashes[entry] = siphash(self._first, self._second, self._input, size)
        return self._hashes[entry]


def is_size(length: int) -> bool:
    """Whether an option can have so many octets: a client cookie, alone or with a server cookie (RFC 7873 5.2.2)."""
    return length == _CLIENT or _CLIENT + _SERVER_MIN <= length <= _MAX
