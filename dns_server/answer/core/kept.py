"""Ready answers of one zone in segments of memory, found by number and type.

An answer is 16-bit words, then octets: six words (flags, length of the base, octets of the body, how many pointers and
marks, the needed mark); places in the body of pointers that move; for each mark its end and three counts; the body.

Nothing here takes long at once, however much is kept: memory is added by the segment; before the table of keys is full,
a larger one is cleared in pieces, then its keys move there a few at a time; what is forgotten is freed in pieces.
"""

from array import array
from typing import Any

import cython

from dns_server.answer import protocol
from dns_server.answer.render import Answer
from zones.slices import Sliced

if not cython.compiled:
    from dns_server.answer.core.ahead import fetch

_FIRST_SLOTS = 16
_FIRST_ROOM = 256
_SEGMENT_BITS = 20
_SEGMENT = 1 << _SEGMENT_BITS
_MAX_SEGMENTS = 128
_MOVED = 64  # slots of the table before that are emptied for each answer that comes
_CLEARED = 64  # and of the next table, cleared for each answer that comes to one that is seven eighths full
_RELEASED = 1 << 15  # words of a table that are freed at a time
_LARGEST = protocol.UDP_PAYLOAD

MAX_NODES = 1 << 22
"""A key has bits for node numbers below this."""
MAX_COVERS = 1 << 21
"""And for numbers of denial records below this."""


class Segment:
    """Memory for answers. Only the first one of a zone grows: most zones are small."""

    def __init__(self, room: int) -> None:
        self.octets: Any = bytearray(room)
        self.used = 0

    def take(self, octets: bytes) -> cython.Py_ssize_t:
        """Put `octets` in; where they are, or -1 if there is no room."""
        size: cython.Py_ssize_t = len(octets)
        room: cython.Py_ssize_t = len(self.octets)
        while self.used + size > room and room < _SEGMENT:
            room *= 2
        if self.used + size > room:
            return -1
        if room > len(self.octets):
            larger: cython.uchar[::1] = bytearray(room)
            larger[: self.used] = self.octets[: self.used]
            self.octets = larger
        at: cython.Py_ssize_t = self.used
        octet: cython.int
        for octet in octets:
            self.octets[self.used] = octet
            self.used += 1
        return at


class Kept:
    """Answers by key, as `key_of` makes it. There is no removing; all are forgotten when they take too much room."""

    def __init__(self) -> None:
        self._last = Segment(_FIRST_ROOM)
        self._segments = [self._last]
        self._doomed: list[Segment | array[int]] = []
        """Forgotten segments and tables, which go piece by piece."""
        self._count = 0
        self._words = _table_of(_FIRST_SLOTS)
        """Open addressing, two words a slot: a key, or 0, which is none; and where the answer is."""
        self._table: Any = self._words
        """The same as Cython has it; an array cannot be made shorter while somebody looks at it."""
        self._mask = _FIRST_SLOTS - 1
        self._next = array("Q")
        """The table after this one, as far as it is cleared."""
        self._words_before = self._words
        """The table before, while keys move out of it."""
        self._before: Any = self._words
        self._before_mask = self._mask
        self._moved = _FIRST_SLOTS
        """So many of its slots are done."""

    def find(self, key: cython.ulonglong) -> cython.Py_ssize_t:
        """Where the answer is, for `segment` and `place`; -1 if it is not kept."""
        slot: cython.Py_ssize_t = self._slot(key)
        if self._table[slot]:
            return self._table[slot + 1]
        if self._moved <= self._before_mask:
            slot = self._slot_before(key)
            if self._before[slot]:
                return self._before[slot + 1]
        return -1

    def fetch_slot(self, key: cython.ulonglong) -> cython.int:
        """Have the slot fetched where `key` most likely is."""
        fetch(cython.address(self._table[2 * _first_slot(self._mask, key)]))
        return 0

    def fetch_answer(self, key: cython.ulonglong) -> cython.int:
        """Have the answer fetched that most likely has this key."""
        slot: cython.Py_ssize_t = 2 * _first_slot(self._mask, key)
        if self._table[slot] == key:
            answer: cython.Py_ssize_t = self._table[slot + 1]
            segment: Segment = self.segment(answer)
            fetch(cython.address(segment.octets[self.place(answer)]))
        return 0

    def segment(self, answer: cython.Py_ssize_t) -> Segment:
        """The segment of an answer."""
        return self._segments[answer >> _SEGMENT_BITS]

    def place(self, answer: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """And its place there."""
        return answer & (_SEGMENT - 1)

    def keep(self, key: cython.ulonglong, answer: Answer) -> None:
        """Keep as much of an answer as fits a datagram."""
        if self._doomed:
            self._free()
        if self.find(key) >= 0:
            return
        octets = _packed(answer)
        at: cython.Py_ssize_t = self._last.take(octets)
        if at < 0:
            if len(self._segments) == _MAX_SEGMENTS:
                self._forget()
            else:
                self._last = Segment(_SEGMENT)
                self._segments.append(self._last)
            at = self._last.take(octets)
        self._move()
        if 16 * self._count >= 7 * self._mask:
            self._clear()
        if 2 * (self._count + 1) > self._mask:
            self._grow()
        slot: cython.Py_ssize_t = self._slot(key)
        self._table[slot] = key
        self._table[slot + 1] = (len(self._segments) - 1) << _SEGMENT_BITS | at
        self._count += 1

    def release(self) -> Sliced[None]:
        """Forget all answers, whose memory goes in steps."""
        self._forget()
        while self._doomed:
            self._free()
            yield

    def _forget(self) -> None:
        """Drop all answers: who asks for so many different ones does not ask for them again soon."""
        self._doomed += [*self._segments, self._words_before, self._words, self._next]
        self._last = Segment(_FIRST_ROOM)
        self._segments = [self._last]
        self._count = 0
        self._mask = _FIRST_SLOTS - 1
        self._words = self._words_before = _table_of(_FIRST_SLOTS)
        self._table = self._before = self._words
        self._next = array("Q")
        self._before_mask = self._mask
        self._moved = _FIRST_SLOTS

    def _free(self) -> None:
        """Free a piece of what is forgotten."""
        last = self._doomed[len(self._doomed) - 1]
        if isinstance(last, array) and len(last) > _RELEASED:
            del last[len(last) - _RELEASED :]
        else:
            self._doomed.pop()

    def _slot(self, key: cython.ulonglong) -> cython.Py_ssize_t:
        """Word of the slot of `key`, or of the free one where it belongs."""
        return _find_slot(self._table, self._mask, key)

    def _slot_before(self, key: cython.ulonglong) -> cython.Py_ssize_t:
        """The same in the table before."""
        return _find_slot(self._before, self._before_mask, key)

    def _clear(self) -> None:
        """Clear a piece of the next table, which has four times as many slots."""
        if len(self._next) < 8 * (self._mask + 1):
            self._next.frombytes(bytes(16 * _CLEARED))

    def _grow(self) -> None:
        """Begin to use the next table. All of it is cleared by then, and the one before is done: see `_MOVED`."""
        self._words_before = self._words
        self._before = self._words
        self._before_mask = self._mask
        self._moved = 0
        self._words = self._next
        self._table = self._words
        self._next = array("Q")
        self._mask = 4 * (self._mask + 1) - 1

    def _move(self) -> None:
        """Move some keys from the table before."""
        end: cython.Py_ssize_t = min(self._before_mask + 1, self._moved + _MOVED)
        if self._moved == end:
            return
        at: cython.Py_ssize_t
        for at in range(2 * self._moved, 2 * end, 2):
            if self._before[at]:
                slot: cython.Py_ssize_t = self._slot(self._before[at])
                self._table[slot] = self._before[at]
                self._table[slot + 1] = self._before[at + 1]
        self._moved = end
        if end > self._before_mask:
            self._before = self._table
            self._doomed.append(self._words_before)
            self._words_before = self._words


def _table_of(slots: cython.Py_ssize_t) -> "array[int]":
    """An empty table."""
    return array("Q", bytes(16 * slots))


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _first_slot(mask: cython.uint, key: cython.ulonglong) -> cython.Py_ssize_t:
    """The slot to begin to look for `key` at."""
    mask32: cython.ulonglong = 0xFFFFFFFF  # variables of the function are constants to the C compiler
    prime: cython.ulonglong = 16777619
    state: cython.uint = ((key ^ (key >> 21) ^ (key >> 42)) * prime) & mask32
    return (state ^ (state >> 15)) & mask


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def _find_slot(table: cython.ulonglong[::1], mask: cython.uint, key: cython.ulonglong) -> cython.Py_ssize_t:
    """Word of the slot of `key`, or of the free one where it belongs."""
    slot: cython.Py_ssize_t = _first_slot(mask, key)
    while table[2 * slot] and table[2 * slot] != key:
        slot = (slot + 1) & mask
    return 2 * slot


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
    """The answer as it lies in a segment."""
    marks = [mark for mark in answer.marks if mark.end <= _LARGEST]
    end = marks[len(marks) - 1].end
    pointers = [place for place in answer.pointers if place < end]
    words = [answer.flags, answer.base, end, len(pointers), len(marks), answer.needed, *pointers]
    for mark in marks:
        words += (mark.end, *mark.counts)
    return b"".join(word.to_bytes(2, "big") for word in words) + answer.body[:end]
