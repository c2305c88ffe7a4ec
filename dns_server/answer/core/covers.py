"""The denial records of a zone, to find the one that covers a name."""

from array import array
from typing import Any

import cython


class Covers:
    """Sort keys of owners, in order: canonical ones of NSEC records, hashes of NSEC3 records."""

    def __init__(self, before: cython.bint) -> None:
        """With `before` a record is not said to cover its own key."""
        self.count = 0
        self._before = before
        self._octets = bytearray()
        self._at = array("I", [0])
        self._key: Any = self._octets
        self._begin: Any = self._at

    def add(self, key: bytes) -> None:
        """Add the key that comes next in order. Before `close`."""
        self._key = None  # lets go of what can't be made longer while somebody looks at it
        self._begin = None
        self._octets += key
        self._at.append(len(self._octets))
        self.count += 1

    def close(self) -> None:
        """All keys are there."""
        self._key = self._octets
        self._begin = self._at

    def find_key(self, key: bytes) -> cython.Py_ssize_t:
        """As `find`, for the whole of `key`."""
        octets: cython.uchar[::1] = bytearray(key)
        return self.find(octets, len(key))

    def find(self, key: cython.uchar[::1], length: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Number of the record that covers the first `length` octets of `key`, counted from 1: the last one before.

        What comes before the first record is covered by the last.
        """
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = self.count
        after: cython.bint
        while low < high:
            middle: cython.Py_ssize_t = (low + high) >> 1
            begin: cython.Py_ssize_t = self._begin[middle]
            size: cython.Py_ssize_t = self._begin[middle + 1] - begin
            index: cython.Py_ssize_t = 0
            while index < size and index < length and self._key[begin + index] == key[index]:
                index += 1
            if index < size:
                after = index == length or self._key[begin + index] > key[index]
            else:
                after = self._before and index == length
            if after:
                high = middle
            else:
                low = middle + 1
        return low or self.count
