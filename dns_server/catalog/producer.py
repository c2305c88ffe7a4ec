"""Makes the catalog of what is served.

Read first: RFC 9432 4 (structure), 4.1 (SOA and NS), 4.2 (version), 4.3 (members).
"""

import hashlib
from collections.abc import Callable
from typing import Final

from structlog.typing import FilteringBoundLogger

from zones import name as names
from zones.findings import Place
from zones.rdtypes import NS, PTR, SOA, TXT
from zones.serial import is_newer, next_serial
from zones.slices import Sliced, run_sliced
from zones.snapshot import ServedZone, Snapshot
from zones.zone import Zone, ZoneBuilder

_PLACE: Final = Place("--catalog")
_TTL: Final = 0  # nobody asks for these but secondaries
_NOBODY: Final = b"\x07invalid\0"  # RFC 9432 4.1
_TIMES: Final = (3600, 600, 2_147_483_646, 0)  # REFRESH, RETRY, EXPIRE (RFC 9432 4.1), MINIMUM
_VERSION: Final = b"\x012"
_LABEL: Final = 32  # hexadecimal digits of a member's label
_SLICE: Final = 64


class CatalogProducer:
    """The catalog zone `origin` (folded wire name). Its serial is the time of its last change."""

    def __init__(self, origin: bytes, clock: Callable[[], float], log: FilteringBoundLogger) -> None:
        """`clock` gives seconds since 1970."""
        self._origin = origin
        self._clock = clock
        self._log = log
        self._members: frozenset[bytes] | None = None
        self._served: ServedZone | None = None

    async def __call__(self, snapshot: Snapshot) -> ServedZone | None:
        """The catalog of the zones in `snapshot`; the same object as before when these are the same zones.

        None where the repository has a zone of that name.
        """
        if self._origin in snapshot.zones or self._origin in snapshot.broken:
            self._log.error("no catalog: the repository has a zone of its name", zone=names.to_text(self._origin))
            return None
        members = frozenset(snapshot.zones)
        if self._served is None or members != self._members:
            serial = int(self._clock()) & 0xFFFFFFFF
            if self._served is not None and not is_newer(serial, than=self._served.zone.serial):
                serial = next_serial(self._served.zone.serial)
            zone = await run_sliced(_catalog(self._origin, members, serial))
            self._served = ServedZone(zone, snapshot.revision, ())
            self._members = members
        return self._served


def _catalog(origin: bytes, members: frozenset[bytes], serial: int) -> Sliced[Zone]:
    builder = ZoneBuilder(origin, _PLACE.file)
    times = b"".join(number.to_bytes(4, "big") for number in (serial, *_TIMES))
    builder.add(origin, SOA, _TTL, _NOBODY + _NOBODY + times, _PLACE)
    builder.add(origin, NS, _TTL, _NOBODY, _PLACE)
    builder.add(b"\x07version" + origin, TXT, _TTL, _VERSION, _PLACE)
    for count, member in enumerate(sorted(members)):
        if not count % _SLICE:
            yield
            yield from builder.make_room()
        label = hashlib.sha256(member).hexdigest()[:_LABEL].encode()
        builder.add(bytes((len(label),)) + label + b"\x05zones" + origin, PTR, _TTL, member, _PLACE)
    return (yield from builder.build())
