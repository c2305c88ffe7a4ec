"""Canonical order of many names (RFC 4034 6.1) in slices: one call of `sorted` would hold the event loop.

Names in order, as most files have them, are found to be so in one pass. Others are dealt into buckets by names drawn
as separators, and each bucket is sorted by itself: work is n log n, and no step is longer than a bucket.
"""

import bisect
from array import array
from typing import Final

from zones import name as names
from zones.arena import SLICE, NameTable
from zones.slices import Sliced

_BUCKET: Final = 512


def canonical_order(table: NameTable, origin: bytes) -> Sliced["array[int]"]:
    """Numbers of the names in canonical order. All are at or below `origin`."""
    count = len(table)
    if (yield from _is_in_order(table, origin)):
        order = array("I")
        for start in range(0, count, 4096):
            order.extend(range(start, min(start + 4096, count)))
            yield
        return order
    return (yield from _bucket_sort(table, origin))


def _key(name: bytes, origin: bytes) -> bytes:
    """Canonical sort key of what `name` has above `origin`."""
    relative = name[: len(name) - len(origin)]
    if not relative:
        return b""
    if relative[0] == len(relative) - 1 and min(relative) > 1:
        return relative[1:] + b"\0"
    return names.canonical_key(relative + names.ROOT)


def _is_in_order(table: NameTable, origin: bytes) -> Sliced[bool]:
    before = b""
    for number in range(len(table)):
        key = _key(table[number], origin)
        if key < before:
            return False
        before = key
        if not number % SLICE:
            yield
    return True


def _bucket_sort(table: NameTable, origin: bytes) -> Sliced["array[int]"]:
    buckets = len(table) // _BUCKET + 1
    drawn = sorted({_key(table[number], origin) for number in table.sample(2 * buckets)})
    separators = drawn[1::2]
    dealt = [array("I") for _ in range(len(separators) + 1)]
    for number in range(len(table)):
        dealt[bisect.bisect_right(separators, _key(table[number], origin))].append(number)
        if not number % SLICE:
            yield
    order = array("I")
    for bucket in dealt:
        order.extend(sorted(bucket, key=lambda number: _key(table[number], origin)))
        yield
    return order
