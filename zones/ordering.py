# cython: annotation_typing=False, wraparound=True
"""Canonical order of many names (RFC 4034 6.1) in slices: one call of `sorted` would hold the event loop.

Names in order, as most files have them, are found to be so in one pass. Others are dealt into buckets by names drawn
as separators, and each bucket is sorted by itself: work is n log n, and no step is longer than a bucket.
"""

import bisect
from array import array
from collections.abc import Sequence
from typing import Final

from zones.arena import NameTable
from zones.slices import Sliced

_BUCKET: Final = 512
_OCTETS_A_SLICE: Final = 4096
"""Octets of keys between two turns of the event loop: time goes by labels, and those by octets."""
_OVERHEAD: Final = 16
"""Octets that a key counts beyond its own."""
_LAST: Final = b"\xff"
"""Behind the keys of names as they are; others are looked for one by one."""


def canonical_order(table: NameTable, origin: bytes) -> Sliced["array[int]"]:
    """Numbers of the names in canonical order. All are at or below `origin`."""
    count = len(table)
    if count <= _BUCKET:
        keys = yield from _keys(table, origin, range(count))
        return array("I", sorted(range(count), key=keys.__getitem__))
    if (yield from _is_in_order(table, origin)):
        order = array("I")
        for start in range(0, count, 4096):
            order.extend(range(start, min(start + 4096, count)))
            yield
        return order
    return (yield from _bucket_sort(table, origin))


def _is_in_order(table: NameTable, origin: bytes) -> Sliced[bool]:
    above = len(origin)
    before = b""
    budget = _OCTETS_A_SLICE
    for number in range(len(table)):
        key = table.canonical_key(number, above)
        if key < before:
            return False
        before = key
        budget -= len(key) + _OVERHEAD
        if budget <= 0:
            yield
            budget = _OCTETS_A_SLICE
    return True


def _bucket_sort(table: NameTable, origin: bytes) -> Sliced["array[int]"]:
    above = len(origin)
    buckets = len(table) // _BUCKET + 1
    drawn = yield from _keys(table, origin, array("I", table.sample(2 * buckets)))
    separators = sorted(set(drawn))[1::2]
    dealt = [array("I") for _ in range(len(separators) + 1)]
    budget = _OCTETS_A_SLICE
    lowest, end = b"", b""
    bucket = dealt[0]
    for number in range(len(table)):
        key = table.canonical_key(number, above)
        if not lowest <= key < end:  # most names go where the one before went
            index = bisect.bisect_right(separators, key)
            bucket = dealt[index]
            lowest = separators[index - 1] if index else b""
            end = separators[index] if index < len(separators) else _LAST
        bucket.append(number)
        budget -= len(key) + _OVERHEAD
        if budget <= 0:
            yield
            budget = _OCTETS_A_SLICE
    order = array("I")
    for bucket in dealt:
        keys = yield from _keys(table, origin, bucket)
        order.extend([bucket[index] for index in sorted(range(len(bucket)), key=keys.__getitem__)])
        yield
    return order


def _keys(table: NameTable, origin: bytes, numbers: Sequence[int]) -> Sliced[list[bytes]]:
    above = len(origin)
    keys = []
    budget = _OCTETS_A_SLICE
    for number in numbers:
        key = table.canonical_key(number, above)
        keys.append(key)
        budget -= len(key) + _OVERHEAD
        if budget <= 0:
            yield
            budget = _OCTETS_A_SLICE
    return keys
