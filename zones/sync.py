"""Keeps what is served equal to a source: polls, obeys triggers, retries, one sync at a time.

Whatever goes wrong, what is in service stays in service. Randomness and wall clock are arguments; waiting is the
event loop's.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import structlog

from zones.loader import Options, load
from zones.release import let_go, replaced
from zones.slices import run_sliced
from zones.snapshot import Snapshot
from zones.source import Source, SourceError, Version
from zones.tree import Tree

if TYPE_CHECKING:
    import random

FIRST_RETRY_S: Final = 1.0
MAX_RETRY_S: Final = 60.0
_POLL_JITTER: Final = 0.1  # share of the interval by which polls are spread, so that a fleet does not poll as one

Apply = Callable[[Snapshot], Awaitable[None]]
"""Puts a snapshot into service."""
Settled = Callable[[], Awaitable[None]]
"""Waits until the network is set up, so that the source can be asked."""
_Offer = tuple[str, Version]

Keep = Callable[[Tree, Snapshot], Awaitable[None]]
"""Keeps what a tree has put into service, for the next start; raises nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one sync."""

    snapshot: Snapshot
    """In service after it."""
    changed: bool
    """Whether this sync put it there."""
    error: str = ""
    """Why the source could not be read, with what to do; empty when it could."""


@dataclass(frozen=True, slots=True)
class Status:
    """State of the sync for people and metrics. Times are seconds since 1970, None where there was none."""

    source: str
    commit: str = ""
    """Of the newest version that was loaded; empty for a folder and before the first sync."""
    last_success: float | None = None
    """When the source was last seen to be what is loaded."""
    last_error: str = ""
    """Of the last attempt; empty when it went well."""
    failures: int = 0
    """Attempts that failed since the last success."""
    next_attempt: float | None = None
    """None while an attempt is running, or when only a trigger will start one."""


class Sync:
    """Owns a source. `run` is its task; `trigger` asks for a sync from anywhere on the event loop."""

    def __init__(
        self,
        source: Source,
        apply: Apply,
        *,
        options: Options,
        poll_s: float,
        baked: Source | None = None,
        keep: Keep | None = None,
        settled: Settled | None = None,
        is_at_hand: bool = False,
        jitter: "random.Random | None" = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`poll_s` of 0 asks for no polling; `baked` is served until `source` has been reached.

        `keep` gets what came of each version of `source`, which is first asked when `settled` returns, or by `begin`
        where it `is_at_hand`: on this machine.
        """
        self._source = source
        self._apply = apply
        self._options = options
        self._poll_s = poll_s
        self._baked = baked
        self._keep = keep
        self._settled = settled
        self._is_at_hand = is_at_hand
        self._has_begun = False
        self._jitter = jitter
        self._clock = clock
        self._snapshot = Snapshot()
        self._state = ""
        self._status = Status(source.name)
        self.attempts = 0
        """To read the source, since the start."""
        self.failed = 0
        """Of them, those that did not go well."""
        self._waiting: list[asyncio.Future[Outcome]] = []
        self._triggered = asyncio.Event()
        self._is_asked = True
        self._offers: list[_Offer] = []
        self._due: float | None = None
        self._log = structlog.get_logger("zones.sync").bind(source=source.name)

    @property
    def status(self) -> Status:
        """As of now."""
        return self._status

    @property
    def snapshot(self) -> Snapshot:
        """What is in service."""
        return self._snapshot

    def trigger(self) -> asyncio.Future[Outcome]:
        """Ask for a sync; the future gets the outcome of one that begins after this call.

        Any number of triggers during a sync make one more sync.
        """
        self._is_asked = True
        return self._wait()

    def offer(self, base: str, version: Version) -> asyncio.Future[Outcome]:
        """Have `version`, which is known without the source, loaded in place of the one whose state is `base`.

        Where another one is loaded by then, the source is asked. The future gets the outcome.
        """
        self._offers.append((base, version))
        return self._wait()

    def _wait(self) -> asyncio.Future[Outcome]:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._triggered.set()
        return future

    async def begin(self) -> None:
        """Load what is at hand without asking anybody: the baked zones, or else the source where it is on this machine.

        `run` does it where nobody did before; who does, does it before the first query comes.
        """
        self._has_begun = True
        if self._baked is not None:
            await self._load_baked(self._baked)
        elif self._is_at_hand:
            self._is_asked = bool(self._waiting)  # who waits already is answered by a sync of `run`
            await self._sync([], is_asked=True)

    async def run(self) -> None:
        """Sync until cancelled."""
        waiting: list[asyncio.Future[Outcome]] = []
        try:
            if not self._has_begun:
                await self.begin()
            if self._settled is not None:
                await self._settled()
            while True:
                if self._is_asked or self._offers:
                    # Triggers up to here are answered by the sync that begins now, later ones by the next.
                    waiting, self._waiting = self._waiting, []
                    offers, self._offers = self._offers, []
                    is_asked, self._is_asked = self._is_asked, False
                    self._triggered.clear()
                    outcome = await self._sync(offers, is_asked=is_asked)
                    while waiting:
                        future = waiting.pop()
                        if not future.done():
                            future.set_result(outcome)
                        del future
                    del outcome  # it holds what is served, and must not do so when that has been replaced
                await self._pause()
        finally:
            self._is_asked = True  # by the next run, if there is one
            for future in (*waiting, *self._waiting):
                future.cancel()

    async def _sync(self, offers: list[_Offer], *, is_asked: bool) -> Outcome:
        """One attempt: what was offered, and the source itself where it is asked for or an offer does not fit."""
        self._status = replace(self._status, next_attempt=None)
        self.attempts += 1
        try:
            changed = False
            for base, version in offers:
                if self._state == base:
                    await self._load(version, is_newest=True)
                    changed = True
                else:
                    self._state, is_asked = "", True
            if not is_asked:
                self._status = replace(self._status, commit=self._snapshot.revision)
                return Outcome(self._snapshot, changed)
            changed = await self._follow(self._source) or changed
        except SourceError as error:
            return self._failed(str(error))
        except MemoryError:
            return self._failed("there is too little memory for the new version: give this machine more of it")
        except Exception as error:
            # A fault of ours: what is in service stays, and the next attempt may go better.
            self._log.exception("sync failed by a fault of the server, please report it")
            return self._failed(f"{type(error).__name__}: {error}")
        if self._status.failures:
            self._log.info("source is reachable again", failures=self._status.failures)
        self._status = Status(self._source.name, self._snapshot.revision, last_success=self._clock())
        self._schedule()
        return Outcome(self._snapshot, changed)

    async def _follow(self, source: Source) -> bool:
        """Load the newest version of `source` if it is not loaded; whether it was loaded now."""
        if self._state and await source.state() == self._state:
            return False
        started = time.monotonic()
        version = await source.fetch()
        seconds = round(time.monotonic() - started, 3)
        self._log.info("fetched", commit=version.tree.revision or None, seconds=seconds)
        await self._load(version, is_newest=source is self._source)
        return True

    async def _load(self, version: Version, *, is_newest: bool) -> None:
        """Put `version` into service; it `is_newest` unless it only stands in for what the source has."""
        started = time.monotonic()
        snapshot = await run_sliced(load(version.tree, self._snapshot, self._options, self._clock()))
        await self._apply(snapshot)
        gone = await run_sliced(replaced(self._snapshot, snapshot))
        self._snapshot = snapshot
        await run_sliced(let_go(gone), budget=0)  # each step may take as long as a budget
        self._state = version.state
        self._log.info("loaded", zones=len(snapshot.zones), seconds=round(time.monotonic() - started, 3))
        if self._keep is not None and is_newest:
            await self._keep(version.tree, snapshot)

    async def _load_baked(self, baked: Source) -> None:
        try:
            await self._follow(baked)
        except SourceError as error:
            self._log.error("baked zones cannot be read", error=str(error))
        except Exception:
            self._log.exception("baked zones cannot be loaded by a fault of the server, please report it")
        self._state = ""  # the source itself is still to be loaded

    def _failed(self, reason: str) -> Outcome:
        self.failed += 1
        failures = self._status.failures + 1
        self._status = replace(self._status, last_error=reason, failures=failures)
        zones = len(self._snapshot.zones)
        self._log.warning("sync failed", error=reason, attempt=failures, zones_still_served=zones)
        self._schedule()
        return Outcome(self._snapshot, changed=False, error=reason)

    def _delay(self) -> float | None:
        """Seconds to the next attempt; None to wait for a trigger."""
        failures = self._status.failures
        if failures:
            # Exponential back-off with jitter: at least half of it, so that a dead server is left in peace.
            ceiling = min(MAX_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures - 1, 16))
            return ceiling * self._random(0.5, 1.0)
        if not self._poll_s:
            return None
        return self._poll_s * self._random(1 - _POLL_JITTER, 1 + _POLL_JITTER)

    def _random(self, least: float, most: float) -> float:
        if self._jitter is not None:
            return self._jitter.uniform(least, most)
        # `random` would be imported for this alone, at the start of a machine.
        return least + (most - least) * int.from_bytes(os.urandom(4)) / 2**32

    def _schedule(self) -> None:
        """Settle when the source is asked again by itself: offers in between do not put that off."""
        delay = self._delay()
        self._due = None if delay is None else asyncio.get_running_loop().time() + delay

    async def _pause(self) -> None:
        """Wait until the source is due, or for a trigger or an offer."""
        if self._due is not None:
            delay = max(0.0, self._due - asyncio.get_running_loop().time())
            self._status = replace(self._status, next_attempt=self._clock() + delay)
            if self._status.failures:
                self._log.info("next attempt", seconds=round(delay, 3))
        try:
            async with asyncio.timeout_at(self._due):
                await self._triggered.wait()
        except TimeoutError:
            self._is_asked = True
