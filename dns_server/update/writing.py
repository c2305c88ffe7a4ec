"""Changes on their way from UPDATE to the files, and from there into service."""

import asyncio
from typing import Final

from zones.sync import Sync
from zones.writeback.place import Chain, Place
from zones.writeback.writer import Writer

_APPLY_S: Final = 30.0
"""Seconds that the reply to an update which is written waits for its version to go into service."""


def writer_to(place: Place, sync: Sync) -> Writer:
    """A writer after whose `write` the change is served, if that does not take too long."""

    def serial_of(origin: bytes) -> int | None:
        served = sync.snapshot.zones.get(origin)
        return None if served is None else served.zone.serial

    async def landed(chain: Chain) -> None:
        version = chain.version
        outcome = sync.trigger() if version is None else sync.offer(chain.base, version)
        await asyncio.wait([outcome], timeout=_APPLY_S)

    return Writer(place, serial_of=serial_of, landed=landed)
