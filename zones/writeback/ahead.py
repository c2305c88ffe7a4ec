"""Changes that are in service before they are where the files are: `--update-ack=memory`.

What is served is the newest version of the files with the pending changes made on it. They are pushed in their order;
one that cannot be pushed for good is undone. Those that are pending when the process ends are lost.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from zones import name as names
from zones.slices import run_sliced
from zones.source import Source, SourceError, Version
from zones.sync import FIRST_RETRY_S, MAX_RETRY_S, Sync
from zones.writeback.made import make
from zones.writeback.place import Chain, Place
from zones.writeback.transaction import OutcomeUnknown, Transaction, TryAgain, Written
from zones.writeback.writer import Writer

MAX_PENDING: Final = 1000
"""Changes that may wait for their push."""
_APPLY_S: Final = 30.0
_FLUSH_S: Final = 10.0


@dataclass(slots=True, eq=False)
class _Pending:
    """A change that is served and not yet where the files are."""

    origin: bytes
    transaction: Transaction
    is_undone: bool = False


class Ahead:
    """A source to sync with in place of the repository's own, and what takes changes for it."""

    def __init__(self, source: Source, place: Place, clock: Callable[[], float] = time.time) -> None:
        """`source` and `place` are the same repository; `clock` gives seconds since 1970."""
        self._source = source
        self._place = place
        self._clock = clock
        self._jitter = random.SystemRandom()
        self._chain: Chain | None = None
        """The newest version that is known, and upon it what is pending."""
        self._chain_state = ""
        """Of the version that it is upon."""
        self._pending: list[_Pending] = []
        self._settled = 0
        """Changes that were pending and have landed, or were undone."""
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("zones.writeback").bind(source=place.name)

    @property
    def name(self) -> str:
        """Of the source."""
        return self._source.name

    @property
    def pending(self) -> int:
        """Changes that are served and not yet pushed."""
        return len(self._pending)

    async def state(self) -> str:
        """Identity of the newest version and of what is upon it. SourceError."""
        return f"{await self._source.state()} {self._settled}"

    async def fetch(self) -> Version:
        """The newest version with the pending changes made on it. SourceError."""
        # What lands while this works may or may not be in the version that is read, so it is made anyway. The state
        # is then one that the source no longer has: the sync that follows each push asks again.
        known, settled = list(self._pending), self._settled
        chain = await self._place.begin()
        async with self._turn:
            for pending in dict.fromkeys((*known, *self._pending)):
                if pending.is_undone:
                    continue
                try:
                    await self._add(chain, pending, None)
                except Exception as error:  # its push will fail likewise, and end it
                    self._log.info("a change does not fit the newest version", reason=str(error))
            self._chain, self._chain_state = chain, f"{chain.base} {settled}"
            return Version(self._chain_state, chain.tree)

    async def write(self, sync: Sync, writer: Writer, origin: bytes, transaction: Transaction) -> Written:
        """Put `transaction` on the zone `origin` into service by `sync`, and have it pushed by `writer`.

        NotWritten, and whatever the transaction raises: nothing is done then.
        """
        async with self._turn:
            chain, pending = self._chain, _Pending(origin, transaction)
            if chain is None:
                raise TryAgain("the repository was not reached yet")
            if len(self._pending) >= MAX_PENDING:
                raise TryAgain("too many changes wait for their push")
            served = sync.snapshot.zones.get(origin)
            before = chain.changes
            written = await self._add(chain, pending, None if served is None else served.zone.serial)
            if chain.changes == before:  # there is nothing to change
                return written
            self._pending.append(pending)
            outcome = sync.offer(self._chain_state, Version(self._chain_state, chain.tree))
        await asyncio.wait([outcome], timeout=_APPLY_S)
        if self._task is None:
            self._task = asyncio.create_task(self._push(sync, writer))
        return written

    async def close(self) -> None:
        """Wait a little for what is pending; what is lost is logged."""
        task = self._task  # which forgets itself when it ends
        if task is not None:
            await asyncio.wait([task], timeout=_FLUSH_S)
            task.cancel()
        if self._pending:
            self._log.error("changes that were acknowledged are lost: they could not be pushed", changes=self.pending)

    async def _add(self, chain: Chain, pending: _Pending, served_serial: int | None) -> Written:
        now, transaction = self._clock(), pending.transaction
        found = await run_sliced(make(chain.tree, pending.origin, transaction, served_serial, now))
        if isinstance(found, Written):
            return found
        commit = chain.add(found.path, found.text, found.message, transaction.author, now)
        return Written(commit, found.serial)

    async def _push(self, sync: Sync, writer: Writer) -> None:
        """Push until nothing is pending."""
        delay = FIRST_RETRY_S
        try:
            while self._pending:
                batch = self._pending[: self._place.longest]
                writes = [writer.write(pending.origin, pending.transaction) for pending in batch]
                results = await asyncio.gather(*writes, return_exceptions=True)
                is_stuck = False
                for pending, result in zip(batch, results, strict=True):
                    if isinstance(result, SourceError | TryAgain | OutcomeUnknown):
                        is_stuck = True
                        continue
                    self._pending.remove(pending)
                    self._settled += 1
                    if isinstance(result, BaseException):
                        pending.is_undone = True
                        zone = names.to_text(pending.origin)
                        self._log.error("a change that was acknowledged is undone", zone=zone, reason=str(result))
                sync.trigger()
                if is_stuck:
                    self._log.warning("changes are served and not pushed yet", changes=self.pending)
                    await asyncio.sleep(delay * self._jitter.uniform(0.5, 1.0))
                    delay = min(MAX_RETRY_S, 2 * delay)
                else:
                    delay = FIRST_RETRY_S
        finally:
            self._task = None
