"""What is known of those who hold copies of zones: by what they ask for and take, and by what they say when told.

Bounded, since anybody may be allowed to transfer: of a zone those seen last are kept. Sans-I/O.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from dns_server.notify.targets import SHOWN_A_ZONE, SHOWN_ZONES


@dataclass(slots=True)
class Secondary:
    """One peer and one zone. Times are seconds since 1970."""

    address: str
    key: str | None = None
    """Name of the key that it signed with last."""
    serial: int | None = None
    """Of the version that it has, by what it said or took last."""
    seen: float | None = None
    """When that was."""
    told: int | None = None
    """Serial that it was told of last."""
    told_at: float | None = None
    rcode: int | None = None
    """What it said to that; None when it said nothing."""


class Secondaries:
    """All of them, by zone (folded origin) and address."""

    def __init__(self) -> None:
        self._zones: OrderedDict[bytes, OrderedDict[str, Secondary]] = OrderedDict()

    def has(self, zone: bytes, address: str, serial: int, key: str | None, now: float) -> None:
        """The peer at `address` has that version now."""
        found = self._at(zone, address)
        found.serial, found.seen, found.key = serial, now, key

    def was_told(self, zone: bytes, address: str, serial: int, rcode: int | None, now: float) -> None:
        """It was told of that version, and said `rcode`, or nothing."""
        found = self._at(zone, address)
        found.told, found.rcode, found.told_at = serial, rcode, now

    def forget(self, zone: bytes) -> None:
        """The zone is gone."""
        self._zones.pop(zone, None)

    def of(self, zone: bytes) -> Iterator[Secondary]:
        """Those of a zone, the one seen last at the end."""
        yield from self._zones.get(zone, {}).values()

    def zones(self) -> list[bytes]:
        """Zones of which any is known."""
        return list(self._zones)

    def _at(self, zone: bytes, address: str) -> Secondary:
        peers = self._zones.setdefault(zone, OrderedDict())
        self._zones.move_to_end(zone)
        found = peers.setdefault(address, Secondary(address))
        peers.move_to_end(address)
        if len(peers) > SHOWN_A_ZONE:
            peers.popitem(last=False)
        if len(self._zones) > SHOWN_ZONES:
            self._zones.popitem(last=False)
        return found
