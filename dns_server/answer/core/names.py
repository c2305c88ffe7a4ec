"""A set of folded wire names that is searched without making objects."""

from array import array
from typing import Any

import cython

from dns_server.answer.core.query import Query, hash_octets

if not cython.compiled:
    from dns_server.answer.core.ahead import fetch

_FIRST_SLOTS = 16


@cython.cfunc
@cython.inline
@cython.exceptval(-1, check=False)
@cython.boundscheck(False)
def _is_same(
    one: cython.uchar[::1],
    at: cython.Py_ssize_t,
    other: cython.uchar[::1],
    start: cython.Py_ssize_t,
    size: cython.Py_ssize_t,
) -> cython.bint:
    """Are `size` octets the same? Bounds are looked at once; without an early end many octets go at a time."""
    if at < 0 or start < 0 or size < 0 or at + size > len(one) or start + size > len(other):
        raise IndexError("comparison past the end of a name")
    index: cython.Py_ssize_t
    difference: cython.uchar = 0
    for index in range(size):
        difference |= one[at + index] ^ other[start + index]
    return difference == 0


class Names:
    """Distinct names, numbered from 0 in the order of their coming. Nothing is taken out."""

    def __init__(self) -> None:
        self.count = 0
        self._entered = 0
        """How many can be found: those with lower numbers."""
        self._octets = bytearray()
        """The names, one behind the other."""
        self._at = array("I", [0])
        """Where each begins, and where the last ends."""
        self._slots = array("I", [0]) * _FIRST_SLOTS
        """Open addressing by hash: number of the name plus 1, the hash's bits above the mask with it; or 0."""
        self._mask = _FIRST_SLOTS - 1
        self._name: Any = self._octets
        self._begin: Any = self._at

    def adopt(
        self, octets: bytearray, begins: cython.uint[::1], count: cython.Py_ssize_t, slots: cython.uint[::1]
    ) -> None:
        """Take `count` names from where they lie, in place of any that are here: one behind the other in `octets`.

        The array `begins` says where each begins, and where the last ends. The array `slots` is zeros: a power of two,
        at least twice as many as names. None is found before `put`, and none can be added.
        """
        self.count = count
        self._octets = octets
        self._slots = slots
        self._mask = len(slots) - 1
        self._name = octets
        self._begin = begins

    def put(self, number: cython.Py_ssize_t) -> None:
        """Make a name to be found that is not yet."""
        state: cython.uint = hash_octets(self._name, self._begin[number], self._begin[number + 1])
        slot: cython.uint = self._slot(state)
        while self._slots[slot]:
            slot = (slot + 1) & self._mask
        self._slots[slot] = (state & ~self._mask) | (number + 1)

    def is_wildcard(self, number: cython.Py_ssize_t) -> cython.bint:
        """Whether the leftmost label is `*`."""
        begin: cython.Py_ssize_t = self._begin[number]
        return self._name[begin] == 1 and self._name[begin + 1] == 42

    def add(self, name: bytes) -> cython.Py_ssize_t:
        """Add a name that is not there; its number. It is not found before `enter`."""
        self._name = None  # lets go of what can't be made longer while somebody looks at it
        self._begin = None
        self._octets += name
        self._at.append(len(self._octets))
        self.count += 1
        return self.count - 1

    def enter(self, limit: cython.Py_ssize_t) -> cython.bint:
        """Make up to `limit` more names to be found, 100 nanoseconds each; whether all can be."""
        self._name = self._octets
        self._begin = self._at
        if 2 * self.count > self._mask:
            size: cython.Py_ssize_t = self._mask + 1
            while size < 2 * self.count:
                size *= 2
            self._slots = array("I", [0]) * (2 * size)
            self._mask = 2 * size - 1
            self._entered = 0
        end: cython.Py_ssize_t = min(self.count, self._entered + limit)
        number: cython.Py_ssize_t
        for number in range(self._entered, end):
            self.put(number)
        self._entered = end
        return end == self.count

    def fetch_slot(self, state: cython.uint) -> None:
        """Have the slot of a hash fetched."""
        fetch(cython.address(self._slots[self._slot(state)]))

    def fetch_begin(self, state: cython.uint) -> cython.Py_ssize_t:
        """Number of a name that most likely has this hash, or -1; where the name lies is fetched."""
        slot: cython.uint = self._slot(state)
        entry: cython.uint = self._slots[slot]
        while entry:
            if not (entry ^ state) & ~self._mask:
                fetch(cython.address(self._begin[(entry & self._mask) - 1]))
                return (entry & self._mask) - 1
            slot = (slot + 1) & self._mask
            entry = self._slots[slot]
        return -1

    def fetch_name(self, number: cython.Py_ssize_t) -> cython.int:
        """Have the octets of a name fetched."""
        fetch(cython.address(self._name[self._begin[number]]))
        return 0

    def find(self, query: Query, label: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Number of the name in hand from `label` on; -1 if it is not there."""
        return _search(self, query.folded, query.labels[label], query.length, query.states[label])

    def find_name(self, name: bytes) -> cython.Py_ssize_t:
        """Number of `name`; -1 if it is not there."""
        octets: cython.uchar[::1] = bytearray(name)
        return _search(self, octets, 0, len(name), hash_octets(octets, 0, len(name)))

    def find_wildcard(self, query: Query, label: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Number of the wildcard whose closest encloser is the name in hand from `label` on; -1 if it is not there."""
        start: cython.Py_ssize_t = query.labels[label]
        size: cython.Py_ssize_t = query.length - start + 2
        state: cython.uint = query.wildcard_state(label)
        slot: cython.uint = self._slot(state)
        entry: cython.uint = self._slots[slot]
        number: cython.Py_ssize_t
        begin: cython.Py_ssize_t
        while entry:
            if not (entry ^ state) & ~self._mask:
                number = (entry & self._mask) - 1
                begin = self._begin[number]
                if (
                    self._begin[number + 1] - begin == size
                    and self.is_wildcard(number)
                    and _is_same(query.folded, start, self._name, begin + 2, size - 2)
                ):
                    return number
            slot = (slot + 1) & self._mask
            entry = self._slots[slot]
        return -1

    def _slot(self, state: cython.uint) -> cython.uint:
        """Where to begin to look for a hash; the high bits of an FNV state are the good ones."""
        return (state ^ (state >> 15)) & self._mask


@cython.cfunc
@cython.inline
@cython.exceptval(-2)
def _search(
    names: Names, octets: cython.uchar[::1], start: cython.Py_ssize_t, end: cython.Py_ssize_t, state: cython.uint
) -> cython.Py_ssize_t:
    """Number of the name `octets[start:end]`, whose hash is `state`; -1 if it is not there."""
    slot: cython.uint = names._slot(state)
    entry: cython.uint = names._slots[slot]
    number: cython.Py_ssize_t
    begin: cython.Py_ssize_t
    while entry:
        if not (entry ^ state) & ~names._mask:  # the names themselves are looked at where the hashes agree
            number = (entry & names._mask) - 1
            begin = names._begin[number]
            if names._begin[number + 1] - begin == end - start and _is_same(
                octets, start, names._name, begin, end - start
            ):
                return number
        slot = (slot + 1) & names._mask
        entry = names._slots[slot]
    return -1
