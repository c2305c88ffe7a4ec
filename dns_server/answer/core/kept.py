"""Ready answers of one zone in one arena, found by number and type.

An answer is 16-bit words, then octets: six words (flags, length of the base, octets of the body, how many pointers and
marks, the needed mark); places in the body of pointers that move; for each mark its end and three counts; the body.
"""

from array import array

import cython

from dns_server.answer import protocol
from dns_server.answer.render import Answer

_FIRST_SLOTS = 16
_FIRST_ROOM = 256
_MAX_ARENA = 1 << 27
_LARGEST = protocol.UDP_PAYLOAD
_MASK32 = 0xFFFFFFFF
_PRIME = 16777619

MAX_NODES = 1 << 22
"""A key has bits for node numbers below this."""
MAX_COVERS = 1 << 21
"""And for numbers of denial records below this."""


class Kept:
    """Answers by key, as `key_of` makes it. There is no removing; all are forgotten when they take too much room."""

    def __init__(self) -> None:
        self.arena = bytearray(_FIRST_ROOM)
        self._used = 0
        self._count = 0
        self._keys = array("Q", bytes(8 * _FIRST_SLOTS))
        """Open addressing; no key is 0."""
        self._places = array("I", bytes(4 * _FIRST_SLOTS))
        self._mask = _FIRST_SLOTS - 1

    def find(self, key: cython.ulonglong) -> cython.Py_ssize_t:
        """Where in the arena the answer is; -1 if it is not kept."""
        slot: cython.ulonglong = self._slot(key)
        return self._places[slot] if self._keys[slot] else -1

    def word(self, position: cython.Py_ssize_t) -> cython.int:
        """The 16 bits at `position` of the arena."""
        return self.arena[position] << 8 | self.arena[position + 1]

    def keep(self, key: cython.ulonglong, answer: Answer) -> None:
        """Keep as much of an answer as fits a datagram."""
        if self._keys[self._slot(key)]:
            return
        octets = _packed(answer)
        if self._used + len(octets) > _MAX_ARENA:
            self._forget()
        if 2 * (self._count + 1) > self._mask:
            self._grow_keys()
        size: cython.Py_ssize_t = len(self.arena)
        while self._used + len(octets) > size:
            size *= 2
        if size > len(self.arena):
            larger: cython.uchar[::1] = bytearray(size)
            larger[: self._used] = self.arena[: self._used]
            self.arena = larger
        slot: cython.ulonglong = self._slot(key)
        self._keys[slot] = key
        self._places[slot] = self._used
        self._count += 1
        octet: cython.int
        for octet in octets:
            self.arena[self._used] = octet
            self._used += 1

    def _forget(self) -> None:
        """Drop all answers: who asks for so many different ones does not ask for them again soon."""
        self.arena = bytearray(_FIRST_ROOM)
        self._used = 0
        self._count = 0
        self._keys = array("Q", bytes(8 * _FIRST_SLOTS))
        self._places = array("I", bytes(4 * _FIRST_SLOTS))
        self._mask = _FIRST_SLOTS - 1

    def _slot(self, key: cython.ulonglong) -> cython.ulonglong:
        """The slot of `key`, or the free one where it belongs."""
        state: cython.ulonglong = ((key ^ (key >> 21) ^ (key >> 42)) * _PRIME) & _MASK32
        slot: cython.ulonglong = (state ^ (state >> 15)) & self._mask
        while self._keys[slot] and self._keys[slot] != key:
            slot = (slot + 1) & self._mask
        return slot

    def _grow_keys(self) -> None:
        """Four times as many slots."""
        keys: cython.ulonglong[::1] = self._keys
        places: cython.uint[::1] = self._places
        size: cython.Py_ssize_t = 4 * (self._mask + 1)
        self._keys = array("Q", bytes(8 * size))
        self._places = array("I", bytes(4 * size))
        self._mask = size - 1
        index: cython.Py_ssize_t
        for index in range(len(keys)):
            if keys[index]:
                slot: cython.ulonglong = self._slot(keys[index])
                self._keys[slot] = keys[index]
                self._places[slot] = places[index]


def key_of(
    node: cython.ulonglong,
    cover: cython.ulonglong,
    rdtype: cython.ulonglong,
    kind: cython.ulonglong,
    do: cython.ulonglong,
) -> cython.ulonglong:
    """Key of an answer; never 0.

    `cover` is the denial record that covers the name asked for, counted from 1, or 0; `rdtype` the type asked for where
    the answer depends on it, or 0.
    """
    return node << 42 | cover << 21 | rdtype << 5 | kind << 2 | do << 1 | 1


def _packed(answer: Answer) -> bytes:
    """The answer as it lies in the arena."""
    marks = [mark for mark in answer.marks if mark.end <= _LARGEST]
    end = marks[len(marks) - 1].end
    pointers = [place for place in answer.pointers if place < end]
    words = [answer.flags, answer.base, end, len(pointers), len(marks), answer.needed, *pointers]
    for mark in marks:
        words += (mark.end, *mark.counts)
    return b"".join(word.to_bytes(2, "big") for word in words) + answer.body[:end]
