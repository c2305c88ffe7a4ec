# cython: annotation_typing=False, wraparound=True
"""Two versions of a zone side by side, at the speed of C where this module is compiled.

Most owners of a large zone are the same in both. Who wants to know how the versions differ asks here for the next
owner that is not, and for the records that one of them has alone. Types of variables are in comparison.pxd.
"""

from typing import Final

from zones.arena import NameTable, SetTables

LARGE: Final = 128
"""RRsets or records of an owner above which it is left to the caller, who can do with hashes what is quadratic here."""

_AT_ONCE: Final = 2000
"""Owners and records between two turns of the event loop: about 200 microseconds."""
_STOP: Final = 20
"""So many take as long as what is done with an owner that differs."""
_SOA: Final = 6
# What a signer makes comes and goes as a whole when a zone is signed anew, so it says nothing about the data.
_RRSIG, _NSEC, _NSEC3, _NSEC3PARAM = 46, 47, 50, 51


class Side:
    """One of the versions."""

    def __init__(self, tables: SetTables) -> None:
        self.count = len(tables.order)
        """Owners; their numbers are those below it."""
        self.names: NameTable = tables.names
        self.octets: bytearray = tables.names.octets
        self.sets_at = tables.sets_at
        self.types = tables.types
        self.ttls = tables.ttls
        self.records_at = tables.records_at
        self.rdata: bytearray = tables.rdata
        self.rdata_at = tables.rdata_at

    def find(self, number: int, rdtype: int) -> int:
        """Index of the RRset of owner `number` and `rdtype`; -1: none."""
        for index in range(self.sets_at[number], self.sets_at[number + 1]):
            if self.types[index] == rdtype:
                return index
        return -1

    def size(self, number: int) -> int:
        """Records of owner `number`, or its RRsets, whatever is more."""
        begin, end = self.sets_at[number], self.sets_at[number + 1]
        return max(end - begin, self.records_at[end] - self.records_at[begin])


class Comparison:
    """A walk over the owners of the older version, by number, and then over those that only the newer one has."""

    def __init__(self, old: SetTables, new: SetTables) -> None:
        self.old = Side(old)
        self.new = Side(new)
        self.number = -1
        """The owner at which `advance` stopped."""
        self.counterpart = -1
        """Its number in the newer version; -1: it is not there."""
        self.is_large = False
        """Whether that owner has too many records to be tallied or collected here."""
        self.records = 0
        """Of the older version as far as the walk went; neither signatures nor denial, nor owners that are large."""
        self.removed = 0
        """Of them, how many more there were than the newer version has of the same owner and type."""
        self._met = bytearray(self.new.count)
        """1 for each owner of the newer version that the older one has."""
        self._position = 0
        self._likely = 0
        self._budget = _AT_ONCE

    @property
    def is_over(self) -> bool:
        """Whether the walk over the older version is."""
        return self._position == self.old.count

    def advance(self) -> bool:
        """Go on to the next owner that is not the same in both. False: 100 microseconds have passed, or it is over.

        The SOA counts with its serial. Records in another order may count as a difference.
        """
        while self._position < self.old.count:
            if self._budget <= 0:
                self._budget = _AT_ONCE
                return False
            number = self._position
            self._position += 1
            self.counterpart = self._find(number)
            self._budget -= 1 + self.old.size(number)
            if self.counterpart < 0 or not self._is_same(number, self.counterpart):
                self.number = number
                self._budget -= _STOP
                self._tally(number, self.counterpart)
                return True
        return False

    def next_new(self, number: int) -> int:
        """First owner of the newer version from `number` on that the older one has not; its count of owners: none.

        Only when the walk over the older one is over.
        """
        found = self._met.find(0, number)
        return self.new.count if found < 0 else found

    def _find(self, number: int) -> int:
        """Number of the owner in the newer version, noted as met; -1: none."""
        found = self._likely  # files keep their order, mostly
        if found >= self.new.count or not self._is_same_name(number, found):
            found = self.new.names.find(self.old.names.name(number))
            if not 0 <= found < self.new.count:
                return -1
        self._likely = found + 1
        self._met[found] = 1
        return found

    def _is_same_name(self, number: int, other: int) -> bool:
        begin = self.old.names.begin(number)
        other_begin = self.new.names.begin(other)
        length = self.old.names.begin(number + 1) - begin
        if length != self.new.names.begin(other + 1) - other_begin:
            return False
        for index in range(length):  # noqa: SIM110 -- a generator is no loop of C
            if self.old.octets[begin + index] != self.new.octets[other_begin + index]:
                return False
        return True

    def _is_same(self, number: int, other: int) -> bool:
        """Whether the owner has the same RRsets in the same order; if so its records are counted."""
        old, new = self.old, self.new
        begin, end = old.sets_at[number], old.sets_at[number + 1]
        shift = new.sets_at[other] - begin
        if new.sets_at[other + 1] != end + shift:
            return False
        count = 0
        for index in range(begin, end):
            if old.types[index] != new.types[index + shift] or not self._is_same_set(index, index + shift):
                return False
            if not is_signers(old.types[index]):
                count += old.records_at[index + 1] - old.records_at[index]
        self.records += count
        return True

    def _is_same_set(self, index: int, other: int) -> bool:
        old, new = self.old, self.new
        if old.ttls[index] != new.ttls[other]:
            return False
        begin, end = old.records_at[index], old.records_at[index + 1]
        shift = new.records_at[other] - begin
        if new.records_at[other + 1] != end + shift:
            return False
        for record in range(begin, end):  # noqa: SIM110
            if not is_same_rdata(old, record, new, record + shift):
                return False
        return True

    def _tally(self, number: int, other: int) -> None:
        """Count the records of an owner that differs, and those that go."""
        old, new = self.old, self.new
        self.is_large = old.size(number) > LARGE or (other >= 0 and new.size(other) > LARGE)
        if self.is_large:
            return
        for index in range(old.sets_at[number], old.sets_at[number + 1]):
            rdtype = old.types[index]
            if is_signers(rdtype):
                continue
            count = old.records_at[index + 1] - old.records_at[index]
            self.records += count
            found = new.find(other, rdtype) if other >= 0 else -1
            if found >= 0:
                count -= new.records_at[found + 1] - new.records_at[found]
            if count > 0:
                self.removed += count


def is_signers(rdtype: int) -> bool:
    """Whether records of `rdtype` are made by who signs the zone."""
    return rdtype in (_RRSIG, _NSEC, _NSEC3, _NSEC3PARAM)


def is_same_rdata(side: Side, record: int, other: Side, other_record: int) -> bool:
    """Whether two records have the same rdata, to the letter."""
    begin, other_begin = side.rdata_at[record], other.rdata_at[other_record]
    for index in range(2 + (side.rdata[begin] << 8 | side.rdata[begin + 1])):
        if side.rdata[begin + index] != other.rdata[other_begin + index]:
            return False
    return True


def collect(side: Side, number: int, other: Side, other_number: int, packed: bytearray) -> int:
    """Append the records of owner `number`, without the SOA, that the `other` side does not have; how many.

    `other_number` is that owner there, -1 where there is none. The owner must not be larger than `LARGE`.
    """
    count = 0
    owner = side.names.name(number)
    for index in range(side.sets_at[number], side.sets_at[number + 1]):
        rdtype = side.types[index]
        if rdtype == _SOA:
            continue
        found = other.find(other_number, rdtype) if other_number >= 0 else -1
        if found >= 0 and other.ttls[found] != side.ttls[index]:
            found = -1
        for record in range(side.records_at[index], side.records_at[index + 1]):
            if found < 0 or not has_rdata(other, found, side, record):
                begin = side.rdata_at[record]
                pack(packed, owner, rdtype, side.ttls[index])
                packed += side.rdata[begin : begin + 2 + (side.rdata[begin] << 8 | side.rdata[begin + 1])]
                count += 1
    return count


def has_rdata(side: Side, index: int, other: Side, other_record: int) -> bool:
    """Whether RRset `index` has the rdata of a record of the `other` side."""
    for record in range(side.records_at[index], side.records_at[index + 1]):
        if is_same_rdata(side, record, other, other_record):
            return True
    return False


def pack(packed: bytearray, owner: bytes, rdtype: int, ttl: int) -> None:
    """Append what comes before the length of the rdata: the owner behind its length, type and TTL."""
    packed.append(len(owner))
    packed += owner
    packed.append(rdtype >> 8)
    packed.append(rdtype & 255)
    packed.append(ttl >> 24)
    packed.append(ttl >> 16 & 255)
    packed.append(ttl >> 8 & 255)
    packed.append(ttl & 255)
