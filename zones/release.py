"""Versions that are no longer served are let go in steps: to free all at once would hold the event loop for long."""

import sys
from typing import TYPE_CHECKING, Final, Union

from zones.slices import Sliced
from zones.snapshot import Snapshot
from zones.zone import Zone

if TYPE_CHECKING:
    from array import array

_ZONES_A_SLICE: Final = 512
_SMALL: Final = 10_000  # records
_PIECE: Final = 1 << 21  # octets that are freed in about 200 microseconds
_Buffer = Union[bytearray, "array[int]"]


def replaced(before: Snapshot, after: Snapshot) -> Sliced[list[Zone]]:
    """Zones of the version `before` that `after` does not have."""
    found = []
    for count, (origin, served) in enumerate(before.zones.items()):
        if not count % _ZONES_A_SLICE:
            yield
        now = after.zones.get(origin)
        if now is None or now.zone is not served.zone:
            found.append(served.zone)
    return found


def let_go(zones: list[Zone]) -> Sliced[None]:
    """Empty the list. What nobody else holds is freed, one large buffer at a time, and those in parts."""
    while zones:
        zone = zones.pop()
        tables = zone.tables
        parts: list[_Buffer] = []
        if zone.record_count > _SMALL:
            parts += (tables.order, tables.sets_at, tables.types, tables.ttls, tables.records_at, tables.rdata_at)
            parts += (tables.places, tables.rdata, tables.names.octets, tables.names.begins, tables.names.slots)
        del zone, tables
        while parts:
            yield
            part = parts.pop()
            while len(part) * getattr(part, "itemsize", 1) > _PIECE and _references(part) == _ALONE:
                # A bytearray gives memory back when less than half of it is used, an array whenever it gets shorter.
                del part[len(part) // 2 - 1 if isinstance(part, bytearray) else -(_PIECE // part.itemsize) :]
                yield
            del part
        yield


def _references(buffer: _Buffer) -> int:
    """How many there are, those of the call included."""
    return sys.getrefcount(buffer)


def _references_of_one_holder() -> int:
    buffer = bytearray()
    return _references(buffer)


_ALONE: Final = _references_of_one_holder()
