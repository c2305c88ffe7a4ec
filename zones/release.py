"""Versions that are no longer served are let go in steps: to free all at once would hold the event loop for long."""

from typing import Final

from zones.slices import Sliced
from zones.snapshot import Snapshot
from zones.zone import Zone

_ZONES_A_SLICE: Final = 512
_SMALL: Final = 10_000  # records


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
    """Empty the list. What nobody else holds is freed, one large buffer at a time."""
    while zones:
        zone = zones.pop()
        tables = zone.tables
        parts: list[object] = []
        if zone.record_count > _SMALL:
            parts += (tables.order, tables.sets_at, tables.types, tables.ttls, tables.records_at, tables.rdata_at)
            parts += (tables.places, tables.rdata, tables.names.octets, tables.names.begins)
        del zone, tables
        while parts:
            yield
            parts.pop()
        yield
