"""Where the records of a zone are kept: octets in two buffers, everything else in arrays of machine numbers.

A million records take about 90 MB this way, give the cyclic garbage collector nothing to walk, and go away in a few
calls of the allocator. Objects for every record would take five times as much, and hold the event loop while they are
freed.
"""

from array import array
from collections.abc import Iterator
from typing import Final

from zones.findings import Place
from zones.slices import Sliced

SLICE: Final = 256
"""Steps of a loop between two turns of the event loop; each takes about a microsecond."""

_FIRST_SLOTS: Final = 16
_LINE_BITS: Final = 28
_COLUMN_BITS: Final = 20
_MAX_LINE: Final = (1 << _LINE_BITS) - 1
_MAX_COLUMN: Final = (1 << _COLUMN_BITS) - 1


class NameTable:
    """Distinct names and their numbers, counted from 0 in the order of their coming."""

    __slots__ = ("at", "octets", "slots")

    def __init__(self) -> None:
        self.octets: Final = bytearray()
        """The names, one behind the other."""
        self.at: Final = array("I", [0])
        """Where each begins in `octets`, and where the last ends."""
        self.slots = array("I", [0]) * _FIRST_SLOTS
        """Open addressing by hash: number of a name plus 1, or 0. Its size is a power of two."""

    def __len__(self) -> int:
        return len(self.at) - 1

    def __getitem__(self, number: int) -> bytes:
        return bytes(self.octets[self.at[number] : self.at[number + 1]])

    def find(self, name: bytes) -> int:
        """Number of `name`; when it is not there, the slot that it would take, as `-1 - slot`."""
        # The hash of bytes is keyed anew in each process: nobody can choose names that collide.
        slots, at, octets = self.slots, self.at, self.octets
        mask = len(slots) - 1
        slot = hash(name) & mask
        while entry := slots[slot]:
            if octets[at[entry - 1] : at[entry]] == name:
                return entry - 1
            slot = (slot + 1) & mask
        return -1 - slot

    def intern(self, name: bytes) -> int:
        """Number of `name`, which is added when it is new."""
        number = self.find(name)
        if number >= 0:
            return number
        self.octets.extend(name)
        self.at.append(len(self.octets))
        added = len(self.at) - 1
        self.slots[-1 - number] = added
        if self.is_full:
            for _ in self.grow():  # only who does not call grow() early waits here
                pass
        return added - 1

    @property
    def is_crowded(self) -> bool:
        """Whether more than half of the slots are taken: `grow` should be called soon."""
        return 2 * len(self.at) > len(self.slots)

    @property
    def is_full(self) -> bool:
        """Whether more than three quarters of the slots are taken."""
        return 4 * len(self.at) > 3 * len(self.slots)

    def grow(self) -> Sliced[None]:
        """Double the slots, four times where there are few."""
        size = len(self.slots) * (2 if len(self.slots) > SLICE else 4)
        slots = array("I", [0]) * size
        mask = size - 1
        for number in range(len(self.at) - 1):
            slot = hash(self[number]) & mask
            while slots[slot]:
                slot = (slot + 1) & mask
            slots[slot] = number + 1
            if not number % SLICE:
                yield
        self.slots = slots

    def sample(self, count: int) -> Iterator[int]:
        """Numbers of about `count` names that nobody can foresee, distinct unless there are few."""
        size = len(self.slots)
        for slot in range(0, size, max(1, size // count)):
            if entry := self.slots[slot]:
                yield entry - 1


class RecordLog:
    """Records in the order of the file."""

    __slots__ = ("files", "names", "owners", "places", "rdata", "rdata_at", "ttls", "types")

    def __init__(self, file: str) -> None:
        self.names: Final = NameTable()
        self.owners: Final = array("I")
        """Number of the owner of each record."""
        self.types: Final = array("H")
        self.ttls: Final = array("I")
        self.rdata: Final = bytearray()
        """Rdata, each behind two octets of its length."""
        self.rdata_at: Final = array("I")
        """Where that of each record begins."""
        self.places: Final = array("Q")
        self.files: Final = [file]
        """What places count files by."""

    def __len__(self) -> int:
        return len(self.owners)

    def append(self, owner: int, rdtype: int, ttl: int, rdata: bytes, place: int) -> None:
        """Add a record of owner number `owner`; `place` comes from `pack_place`."""
        self.owners.append(owner)
        self.types.append(rdtype)
        self.ttls.append(ttl)
        self.rdata_at.append(len(self.rdata))
        self.rdata.extend(len(rdata).to_bytes(2, "big") + rdata)
        self.places.append(place)


class SetTables:
    """Records of a zone by owner and type. Once a zone has them nothing in them changes."""

    __slots__ = ("files", "names", "order", "places", "rdata", "rdata_at", "records_at", "sets_at", "ttls", "types")

    def __init__(self, log: RecordLog, order: "array[int]") -> None:
        self.names: Final = log.names
        """Owners."""
        self.order: Final = order
        """Numbers of the owners in canonical order."""
        self.sets_at: Final = array("I", [0])
        """First RRset of each owner, by its number, and the end."""
        self.types: Final = array("H")
        """Type of each RRset."""
        self.ttls: Final = array("I")
        """TTL of each RRset."""
        self.records_at: Final = array("I", [0])
        """First record of each RRset, and the end."""
        self.rdata: Final = log.rdata
        """Rdata, each behind two octets of its length."""
        self.rdata_at: Final = array("I")
        """Where that of each record begins."""
        self.places: Final = array("Q")
        """Place of each record, packed."""
        self.files: Final = log.files
        """What places count files by."""

    def add_record(self, log: RecordLog, record: int) -> None:
        """Add record `record` of `log` to the RRset that is being collected."""
        self.rdata_at.append(log.rdata_at[record])
        self.places.append(log.places[record])

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
    return bytes(rdata[begin : begin + (rdata[offset] << 8 | rdata[offset + 1])])


def pack_place(file: int, line: int, column: int) -> int:
    """A place in 64 bits: number of the file below 65536, line and column, which stop at their largest."""
    return (file << _LINE_BITS | min(line, _MAX_LINE)) << _COLUMN_BITS | min(column, _MAX_COLUMN)


def unpack_place(packed: int, files: list[str]) -> Place:
    """The place that `pack_place` packed."""
    line = packed >> _COLUMN_BITS & _MAX_LINE
    return Place(files[packed >> _LINE_BITS + _COLUMN_BITS], line, packed & _MAX_COLUMN)
