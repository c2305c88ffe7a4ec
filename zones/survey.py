# cython: annotation_typing=False, wraparound=True
"""Passes over the names of a zone that need no look of their own, at the speed of C where this module is compiled.

Most names of a large zone are alike: they have some records that nothing follows from, right below the name that the
one before is below. Who walks a zone, to check it or to make it ready for answering, asks here for the next name that
is not so, and makes Python objects of that one alone. Types of variables are in survey.pxd.
"""

from array import array
from typing import Final

from zones.arena import SLICE, SetTables
from zones.name import parent
from zones.slices import Sliced

_ANY_NUMBER: Final = 255  # of records, in the table that `next_notable` takes
_LAST: Final = 255
_NSEC3: Final = 50
_RRSIG: Final = 46
_AT_ONCE: Final = 2048
"""Names passed over between two turns of the event loop: 100 microseconds at most."""
_INNER: Final = 2
# Characters of host names (RFC 1123 2.1), folded: 1 where they may stand anywhere, 2 inside labels alone.
_HOST: Final = bytes(
    _INNER if octet == 45 else chr(octet).isalnum() and octet < 128 and not chr(octet).isupper() for octet in range(256)
)


def kinds(notable: tuple[int, ...], limits: dict[int, int], otherwise: int = _ANY_NUMBER) -> bytes:
    """The table that `next_notable` takes: how many records of each type are nothing special.

    None of the types in `notable`, as many as `limits` says, else `otherwise`; types from 255 on are alike.
    """
    table = bytearray([otherwise]) * 256
    for rdtype, count in limits.items():
        table[rdtype] = count
    for rdtype in notable:
        table[rdtype] = 0
    return bytes(table)


NO_HOSTS: Final = b""
"""No owner need be a host name."""


class Survey:
    """A walk over the owners of a zone in canonical order, by position."""

    def __init__(self, tables: SetTables) -> None:
        self.count = len(tables.order)
        """Positions there are."""
        self._names = tables.names
        # Cython makes views of the arrays: they can't be made longer as long as there is a survey.
        self._order = tables.order
        self._sets_at = tables.sets_at
        self._types = tables.types
        self._records_at = tables.records_at
        self._host = _HOST

    def next_notable(self, position: int, above: bytes, most: bytes, hosts: bytes) -> int:
        """First position from `position` on whose owner is notable; an earlier one after some 100 microseconds.

        Not notable is who stands right below `above`, has no more records of any type than `most` says, and has a
        first label that is a host name's or no type that is not 0 in the table `hosts`.
        """
        limit = min(self.count, position + _AT_ONCE)
        while position < limit and self._is_plain(self._order[position], above, most, hosts):
            position += 1
        return position

    def notable_sets(self, position: int, most: bytes) -> list[int]:
        """Indexes of the RRsets of the owner at `position` that have more records than `most` says."""
        number = self._order[position]
        notable = []
        for index in range(self._sets_at[number], self._sets_at[number + 1]):
            if self._is_notable(index, most):
                notable.append(index)  # noqa: PERF401 -- in a comprehension Cython would make the index an object
        return notable

    def _is_plain(self, number: int, above: bytes, most: bytes, hosts: bytes) -> bool:
        octets = self._names.octets
        begin = self._names.begin(number)
        end = self._names.begin(number + 1)
        first = begin + 1 + octets[begin]
        if end - first != len(above):
            return False
        for index in range(end - first):
            if octets[first + index] != above[index]:
                return False
        is_odd = hosts != b"" and not self._is_host(begin + 1, first)
        for index in range(self._sets_at[number], self._sets_at[number + 1]):
            if self._is_notable(index, most) or (is_odd and hosts[min(_LAST, self._types[index])]):
                return False
        return True

    def _is_host(self, begin: int, end: int) -> bool:
        """Whether the label from `begin` to `end` is that of a host name; the root has none."""
        octets = self._names.octets
        for index in range(begin, end):
            kind = self._host[octets[index]]
            if not kind or (kind == _INNER and index in (begin, end - 1)):
                return False
        return begin < end

    def _is_notable(self, index: int, most: bytes) -> bool:
        largest = most[min(_LAST, self._types[index])]
        return largest != _ANY_NUMBER and self._records_at[index + 1] - self._records_at[index] > largest


_BUT_HASHED: Final = kinds((_NSEC3,), {})


def add_empty(tables: SetTables, origin: bytes) -> Sliced[None]:
    """Add the empty non-terminals (RFC 8499 7) to the names, behind the owners.

    What stands at a hash alone is not in the tree of names (RFC 5155 7.2.8): nothing follows from it.
    """
    names = tables.names
    survey = Survey(tables)
    last = origin
    added = position = 0
    budget = SLICE
    while True:
        position = survey.next_notable(position, last, _BUT_HASHED, NO_HOSTS)
        if position == survey.count:
            break
        budget -= SLICE // 4
        if budget <= 0:
            yield
            budget = SLICE
        number = tables.order[position]
        owner = names.name(number)
        position += 1
        if owner == origin or _is_hashed(tables, number):
            continue
        above = last = parent(owner)
        while len(above) > len(origin) and names.find(above) < 0:
            if names.is_crowded:
                yield from names.grow()
            names.intern(above)
            added += 1
            above = parent(above)
    del survey  # it looks at what gets longer now
    if not added:
        return
    ends = array("I", tables.sets_at[-1:])
    for start in range(0, added, SLICE):
        tables.sets_at.extend(ends * min(SLICE, added - start))
        yield


def _is_hashed(tables: SetTables, number: int) -> bool:
    types = tables.types[tables.sets_at[number] : tables.sets_at[number + 1]]
    return _NSEC3 in types and all(rdtype in (_NSEC3, _RRSIG) for rdtype in types)
