"""Changes on their way from UPDATE to the files, and from there into service."""

import asyncio
from typing import Final

from dns_server.update.ack import Ack
from zones.source import Source
from zones.sync import Sync
from zones.writeback.ahead import Ahead
from zones.writeback.place import Chain, GitPlace, Place
from zones.writeback.transaction import Transaction, Written
from zones.writeback.writer import Writer

_APPLY_S: Final = 30.0
"""Seconds that the reply to an update which is written waits for its version to go into service."""


class Writing:
    """Writes to one place, and puts what is written into service."""

    def __init__(self, source: Source, place: Place, ack: Ack) -> None:
        """`source` and `place` are the same. A folder is at hand, so there is nothing to be ahead of."""
        self._ahead = Ahead(source, place) if ack is Ack.MEMORY and isinstance(place, GitPlace) else None
        self._sync: Sync | None = None
        self.source: Final[Source] = self._ahead or source
        """To sync with."""
        self.writer: Final = Writer(place, serial_of=self._serial_of, landed=self._landed)

    def start(self, sync: Sync) -> None:
        """From now on changes are taken; `sync` is with `source`."""
        self._sync = sync

    @property
    def pending(self) -> int:
        """Changes that are served and not yet pushed."""
        return 0 if self._ahead is None else self._ahead.pending

    async def write(self, origin: bytes, transaction: Transaction) -> Written:
        """Bring a change of the zone `origin` into service, and to where the files are. As `Writer.write` raises."""
        assert self._sync is not None
        if self._ahead is not None:
            return await self._ahead.write(self._sync, self.writer, origin, transaction)
        return await self.writer.write(origin, transaction)

    async def close(self) -> None:
        """Stop; what is pending gets a little time."""
        if self._ahead is not None:
            await self._ahead.close()
        await self.writer.close()

    def _serial_of(self, origin: bytes) -> int | None:
        assert self._sync is not None
        served = self._sync.snapshot.zones.get(origin)
        return None if served is None else served.zone.serial

    async def _landed(self, chain: Chain) -> None:
        """Where changes wait for their push alone they are served now; else they are already."""
        if self._ahead is not None:
            return
        assert self._sync is not None
        version = chain.version
        outcome = self._sync.trigger() if version is None else self._sync.offer(chain.base, version)
        await asyncio.wait([outcome], timeout=_APPLY_S)
