# cython: annotation_typing=False, wraparound=True
"""Where the records of a zone are kept: octets in two buffers, everything else in arrays of machine numbers.

A million records take about 100 MB this way, give the cyclic garbage collector nothing to walk, and go away in a few
calls of the allocator. Objects for every record would take five times as much, and hold the event loop while they are
freed. Where this module is compiled, arena.pxd gives its variables the types of C.
"""

from array import array
from collections.abc import Iterator
from typing import Final

import cython

from zones import name as names
from zones.findings import Place
from zones.slices import Sliced

if not cython.compiled:
    from zones.octets import cut, extend

SLICE: Final = 256
"""Steps of a loop between two turns of the event loop; each takes about a microsecond."""

_FIRST_SLOTS: Final = 16
_FIRST_ROOM: Final = 16
_MOST_ROOM: Final = 4096
_PAGES: Final = 1 << 17
_RELEASED: Final = 1 << 18  # words that are given back at a time: about 200 microseconds
_NO_OFFSETS: Final = array("I")
_NO_WORDS: Final = array("Q")
_LOW: Final = 0xFFFFFFFF  # of a word; a literal of more than 31 bits is a Python object to Cython
_LINE_BITS: Final = 28
_COLUMN_BITS: Final = 20
_MAX_LINE: Final = (1 << _LINE_BITS) - 1
_MAX_COLUMN: Final = (1 << _COLUMN_BITS) - 1


class NameTable:
    """Distinct names and their numbers, counted from 0 in the order of their coming."""

    def __init__(self) -> None:
        self.octets = bytearray()
        """The names, one behind the other."""
        self._count = 0
        self._at_array = array("I", bytes(4 * _FIRST_ROOM))
        self._at = self._at_array  # of which Cython makes a view
        """Where each begins in `octets`, and where the last ends."""
        self._slots_array = array("Q", bytes(8 * _FIRST_SLOTS))
        self._slots = self._slots_array
        """Open addressing by hash: 32 bits of the hash above the number of the name plus 1, or 0."""
        self._mask = _FIRST_SLOTS - 1

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> bytes:
        return self.name(number)

    def __reduce__(self) -> tuple[object, ...]:
        """For pickle, between processes that hash alike: forked from one another."""
        at = self._at_array[: self._count + 1]
        return restored_names, (self.octets, at, self._slots_array.tobytes(), self._mask)

    def restore(self, octets: bytearray, at: "array[int]", slots: bytes, mask: int) -> None:
        """Take over what `__reduce__` gave."""
        self.octets = octets
        self._count = len(at) - 1
        self._at_array = at
        self._at = at
        self._slots_array = array("Q", slots)
        self._slots = self._slots_array
        self._mask = mask

    def name(self, number: int) -> bytes:
        """Name `number`."""
        return cut(self.octets, self._at[number], self._at[number + 1])

    def begin(self, number: int) -> int:
        """Where name `number` begins in `octets`; for the number after the last, where that ends."""
        return self._at[number]

    @property
    def begins(self) -> "array[int]":
        """What `begin` tells, of all names; longer than there are names. None may come while somebody looks at it."""
        return self._at_array

    @property
    def slots(self) -> "array[int]":
        """What `find` looks into."""
        return self._slots_array

    def find(self, name: bytes) -> int:
        """Number of `name`; when it is not there, the slot that it would take, as `-1 - slot`."""
        # The hash of bytes is keyed anew in each process: nobody can choose names that collide.
        tag = hash(name) & _LOW
        slot = tag & self._mask
        while entry := self._slots[slot]:
            if entry >> 32 == tag and self.name((entry & _LOW) - 1) == name:
                return (entry & _LOW) - 1
            slot = (slot + 1) & self._mask
        return -1 - slot

    def intern(self, name: bytes) -> int:
        """Number of `name`, which is added when it is new."""
        number = self.find(name)
        if number >= 0:
            return number
        self._count += 1
        if self._count == len(self._at_array):
            self._at = _NO_OFFSETS  # lets go of the array, which can't be made longer while somebody looks at it
            self._at_array.frombytes(bytes(4 * room_after(self._count)))
            self._at = self._at_array
        self.octets += name
        self._at[self._count] = len(self.octets)
        tag = hash(name) & _LOW
        self._slots[-1 - number] = tag << 32 | self._count
        if 4 * self._count > 3 * self._mask:
            for _ in self.grow():  # only who does not call grow() early waits here
                pass
        return self._count - 1

    @property
    def is_crowded(self) -> bool:
        """Whether more than half of the slots are taken: `grow` should be called soon."""
        return 2 * self._count > self._mask

    def grow(self) -> Sliced[None]:
        """Double the slots, four times where there are few. No name may come meanwhile."""
        size = (self._mask + 1) * (2 if self._mask > SLICE else 4)
        slots = yield from zeros("Q", size)
        for start in range(0, self._mask + 1, SLICE):
            move_slots(self._slots, start, min(start + SLICE, self._mask + 1), slots)
            yield
        self._slots_array = slots
        self._slots = slots
        self._mask = size - 1

    def sample(self, count: int) -> Iterator[int]:
        """Numbers of about `count` names that nobody can foresee, distinct unless there are few."""
        for slot in range(0, self._mask + 1, max(1, self._mask // count)):
            if entry := self._slots[slot]:
                yield (entry & _LOW) - 1

    def canonical_key(self, number: int, above: int) -> bytes:
        """Sort key of name `number` in canonical order (RFC 4034 6.1) without its last `above` octets.

        That of one label lacks the 0 at its end: no label has an octet below the 0 that parts others.
        """
        begin = self._at[number]
        end = self._at[number + 1] - above
        if begin == end:
            return b""
        octets = self.octets
        is_plain = octets[begin] == end - begin - 1
        for index in range(begin + 1, end):
            if octets[index] <= 1:
                is_plain = False
        if is_plain:
            return cut(octets, begin + 1, end)
        return names.canonical_key(cut(octets, begin, end) + names.ROOT)


def restored_names(octets: bytearray, at: "array[int]", slots: bytes, mask: int) -> NameTable:
    """The table of which `__reduce__` gave these parts."""
    table = NameTable()
    table.restore(octets, at, slots, mask)
    return table


def move_slots(slots: "array[int]", start: int, stop: int, larger: "array[int]") -> None:
    """Enter what stands in `slots` from `start` to `stop` into a `larger` table."""
    mask = len(larger) - 1
    for index in range(start, stop):
        if entry := slots[index]:
            slot = (entry >> 32) & mask
            while larger[slot]:
                slot = (slot + 1) & mask
            larger[slot] = entry


def zeros(code: str, count: int) -> Sliced["array[int]"]:
    """`count` items of 0; memory is touched for the first time here, which is what takes long."""
    items = array(code)
    left = count * items.itemsize
    while left > _PAGES:
        items.frombytes(bytes(_PAGES))
        left -= _PAGES
        yield
    items.frombytes(bytes(left))
    return items


def room_for(count: int) -> int:
    """Slots to find `count` names by: a power of two, at least twice as many."""
    return max(_FIRST_SLOTS, 1 << (2 * count - 1).bit_length())


def room_after(count: int) -> int:
    """Items that a table of `count` items gets in addition when it is full: no more than are made in 50 microseconds.

    The array itself makes room for more at a time, so that it is seldom moved.
    """
    return min(_FIRST_ROOM + count // 8, _MOST_ROOM)


class RecordLog:
    """Records in the order of the file."""

    def __init__(self, file: str) -> None:
        self.names = NameTable()
        self.rdata = bytearray()
        """Rdata, each behind two octets of its length."""
        self.files = [file]
        """What places count files by."""
        self._count = 0
        self._array = array("Q", bytes(24 * _FIRST_ROOM))
        self._words = self._array
        """Three words a record: owner and where its rdata begins; TTL and type; place."""
        self.begins = array("I")
        """First record of each owner; complete while records come grouped by owner."""
        self.is_grouped = True
        self._owner = b""
        self._owner_number = -1

    def __len__(self) -> int:
        return self._count

    def turn_to(self, owner: bytes) -> int:
        """Make `owner` (folded) the one that records are added to; its number."""
        if owner != self._owner:
            self._owner = owner
            self._owner_number = self.names.intern(owner)
            if self._owner_number == len(self.begins):
                self.begins.append(self._count)
            else:
                self.is_grouped = False
        return self._owner_number

    def append(self, rdtype: int, ttl: int, octets: bytearray, length: int, place: int) -> None:
        """Add a record of the owner in hand: its rdata is the first `length` of `octets`, `place` from `pack_place`."""
        at = 3 * self._count
        if at == len(self._array):
            self._words = _NO_WORDS
            self._array.frombytes(bytes(24 * room_after(self._count)))
            self._words = self._array
        self._words[at] = self._owner_number << 32 | len(self.rdata)
        self._words[at + 1] = ttl << 16 | rdtype
        self._words[at + 2] = place
        self._count += 1
        self.rdata.append(length >> 8)
        self.rdata.append(length & 255)
        extend(self.rdata, octets, 0, length)

    def release(self) -> Sliced[None]:
        """Give the memory of the records back, a piece at a time; names and rdata stay."""
        self._words = _NO_WORDS
        self._count = 0
        while len(self._array) > _RELEASED:
            del self._array[-_RELEASED:]
            yield

    def owner(self, record: int) -> int:
        """Number of the owner of a record."""
        return self._words[3 * record] >> 32

    def rdtype(self, record: int) -> int:
        """Type of a record."""
        return self._words[3 * record + 1] & 0xFFFF

    def ttl(self, record: int) -> int:
        """TTL of a record."""
        return self._words[3 * record + 1] >> 16

    def rdata_at(self, record: int) -> int:
        """Where the rdata of a record begins with its length."""
        return self._words[3 * record] & _LOW

    def place(self, record: int) -> int:
        """Place of a record, packed."""
        return self._words[3 * record + 2]


class SetTables:
    """Records of a zone by owner and type. Once a zone has them nothing in them changes."""

    def __init__(self, log: RecordLog, order: "array[int]") -> None:
        self.names = log.names
        """Owners, and behind them the empty non-terminals, which have no RRsets."""
        self.order = order
        """Numbers of the owners in canonical order."""
        self.sets_at = array("I", [0])
        """First RRset of each name, by its number, and the end."""
        self.types = array("H")
        """Type of each RRset."""
        self.ttls = array("I")
        """TTL of each RRset."""
        self.records_at = array("I", [0])
        """First record of each RRset, and the end."""
        self.rdata = log.rdata
        """Rdata, each behind two octets of its length."""
        self.rdata_at = array("I")
        """Where that of each record begins."""
        self.places = array("Q")
        """Place of each record, packed."""
        self.files = log.files
        """What places count files by."""

    def add_single(self, log: RecordLog, order: "array[int] | None", number: int, stop: int) -> int:
        """Add the owners from `number` to `stop` as long as each has one record; the number of the first that is left.

        `order` has the records by owner; None: `log` has them so itself. At most `SLICE` owners.
        """
        begins = log.begins
        sets, records = len(self.types), len(self.rdata_at)
        count = 0
        while number + count < stop and begins[number + count + 1] - begins[number + count] == 1:
            count += 1
        for longer in (self.types, self.ttls, self.sets_at, self.records_at, self.rdata_at, self.places):
            longer.frombytes(bytes(longer.itemsize * count))
        types, ttls, sets_at = self.types, self.ttls, self.sets_at
        records_at, rdata_at, places = self.records_at, self.rdata_at, self.places
        for index in range(count):
            record = begins[number + index] if order is None else order[begins[number + index]]
            types[sets + index] = log.rdtype(record)
            ttls[sets + index] = log.ttl(record)
            sets_at[number + index + 1] = sets + index + 1
            records_at[sets + index + 1] = records + index + 1
            rdata_at[records + index] = log.rdata_at(record)
            places[records + index] = log.place(record)
        return number + count

    def add_record(self, log: RecordLog, record: int) -> None:
        """Add record `record` of `log` to the RRset that is being collected."""
        self.rdata_at.append(log.rdata_at(record))
        self.places.append(log.place(record))

    def close_set(self, rdtype: int, ttl: int) -> None:
        """What was added since the last call is an RRset."""
        self.types.append(rdtype)
        self.ttls.append(ttl)
        self.records_at.append(len(self.rdata_at))

    def close_owner(self) -> None:
        """The RRsets since the last call are those of the next owner, by number."""
        self.sets_at.append(len(self.types))


def rdata_at(rdata: bytearray, offset: int) -> bytes:
    """The rdata that begins at `offset` with its length."""
    begin = offset + 2
    return cut(rdata, begin, begin + (rdata[offset] << 8 | rdata[offset + 1]))


def pack_place(file: int, line: int, column: int) -> int:
    """A place in 64 bits: number of the file below 65536, line and column, which stop at their largest."""
    return (file << _LINE_BITS | min(line, _MAX_LINE)) << _COLUMN_BITS | min(column, _MAX_COLUMN)


def unpack_place(packed: int, files: list[str]) -> Place:
    """The place that `pack_place` packed."""
    line = packed >> _COLUMN_BITS & _MAX_LINE
    return Place(files[packed >> _LINE_BITS + _COLUMN_BITS], line, packed & _MAX_COLUMN)
