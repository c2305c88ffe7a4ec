"""Counts of what was answered over one transport; at the speed of C where this module is compiled (Cython, pure-Python
mode), so that counting costs next to nothing of an answer. Nothing is allocated. Sans-I/O.
"""

from array import array
from collections.abc import Sequence

import cython

from dns_server.answer.batch import REPLY_STRIDE, Batch

COMPILED: bool = cython.compiled

SIZE_BOUNDS = (64, 128, 256, 512, 1232, 4096, 16384)
"""Octets of an answer."""
SECONDS_BOUNDS = (1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 1e-1)
"""Seconds that an answer took."""
TYPES = 512
"""Types below `TYPES - 2` count each for themselves."""
NO_QUESTION = TYPES - 2
OTHER_TYPE = TYPES - 1

_HEADER = cython.declare(cython.Py_ssize_t, 12)
_REPLY = cython.declare(cython.Py_ssize_t, REPLY_STRIDE)
_TYPES = cython.declare(cython.int, TYPES)
_NO_QUESTION = cython.declare(cython.int, NO_QUESTION)
_OTHER_TYPE = cython.declare(cython.int, OTHER_TYPE)
_SIZES = cython.declare(cython.Py_ssize_t, len(SIZE_BOUNDS))
_SECONDS = cython.declare(cython.Py_ssize_t, len(SECONDS_BOUNDS))


@cython.cclass
class Tally:
    """Counters of one transport. An index of a histogram is that of the first bound that is not below the value."""

    answered = cython.declare(cython.ulonglong, visibility="readonly")
    silent = cython.declare(cython.ulonglong, visibility="readonly")
    """Messages that got no answer: responses, and less than a header."""
    octets = cython.declare(cython.ulonglong, visibility="readonly")
    """Of all answers."""
    seconds = cython.declare(cython.double, visibility="readonly")
    """That all answers took."""
    types = cython.declare(object, visibility="readonly")
    """Answers by the type asked for, of `TYPES`."""
    rcodes = cython.declare(object, visibility="readonly")
    """Answers by the RCODE of their header."""
    size_counts = cython.declare(object, visibility="readonly")
    second_counts = cython.declare(object, visibility="readonly")
    _types: cython.ulonglong[::1]
    _rcodes: cython.ulonglong[::1]
    _sizes: cython.ulonglong[::1]
    _second_counts: cython.ulonglong[::1]
    _size_bounds: cython.int[::1]
    _second_bounds: cython.double[::1]

    def __init__(self) -> None:
        self.answered = 0
        self.silent = 0
        self.octets = 0
        self.seconds = 0.0
        self.types = self._types = array("Q", bytes(8 * TYPES))
        self.rcodes = self._rcodes = array("Q", bytes(8 * 16))
        self.size_counts = self._sizes = array("Q", bytes(8 * (len(SIZE_BOUNDS) + 1)))
        self.second_counts = self._second_counts = array("Q", bytes(8 * (len(SECONDS_BOUNDS) + 1)))
        self._size_bounds = array("i", SIZE_BOUNDS)
        self._second_bounds = array("d", SECONDS_BOUNDS)

    def values(self) -> list[float]:
        """Everything that was counted, for `add`."""
        arrays = (self.types, self.rcodes, self.size_counts, self.second_counts)
        counts: list[float] = [count for counted in arrays for count in counted]
        return [self.seconds, self.answered, self.silent, self.octets, *counts]

    def add(self, values: Sequence[float]) -> None:
        """Add what another tally counted. ValueError if `values` are none of a tally."""
        arrays = (self.types, self.rcodes, self.size_counts, self.second_counts)
        if len(values) != 4 + sum(map(len, arrays)):
            raise ValueError("these are no values of a tally")
        self.seconds += values[0]
        self.answered += int(values[1])
        self.silent += int(values[2])
        self.octets += int(values[3])
        rest = iter(values[4:])
        for counted in arrays:
            for index in range(len(counted)):
                counted[index] += int(next(rest))

    def note(self, reply: bytes, seconds: cython.double) -> None:
        """One message was answered with `reply`, or not at all if that is empty, after `seconds`."""
        view: cython.const[cython.uchar][::1] = reply
        before: cython.ulonglong = self.answered
        self._one(view, 0, len(reply))
        self._took(self.answered - before, seconds)

    def note_batch(self, batch: Batch, count: cython.Py_ssize_t, seconds: cython.double) -> None:
        """The first `count` datagrams of a batch were answered, in `seconds` altogether.

        Those without an answer are not counted: it may come later.
        """
        index: cython.Py_ssize_t
        before: cython.ulonglong = self.answered
        for index in range(count):
            if batch.reply_length_view[index]:
                self._one(batch.reply_view, index * _REPLY, batch.reply_length_view[index])
        if count:
            self._took(self.answered - before, seconds / count)

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _one(
        self, reply: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, length: cython.Py_ssize_t
    ) -> cython.int:
        if length < _HEADER:
            self.silent += 1
            return 0
        self.answered += 1
        self.octets += length
        self._rcodes[reply[at + 3] & 0x0F] += 1
        index: cython.Py_ssize_t = 0
        while index < _SIZES and length > self._size_bounds[index]:
            index += 1
        self._sizes[index] += 1
        qtype: cython.int = _NO_QUESTION
        if reply[at + 5]:  # our own reply, so its question is well-formed
            index = at + _HEADER
            while reply[index]:
                index += 1 + reply[index]
            qtype = reply[index + 1] << 8 | reply[index + 2]
            if qtype >= _NO_QUESTION:
                qtype = _OTHER_TYPE
        self._types[qtype] += 1
        return 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _took(self, count: cython.ulonglong, each: cython.double) -> cython.int:
        """Note that `count` answers took `each` seconds."""
        index: cython.Py_ssize_t = 0
        while index < _SECONDS and each > self._second_bounds[index]:
            index += 1
        self._second_counts[index] += count
        self.seconds += count * each
        return 0
