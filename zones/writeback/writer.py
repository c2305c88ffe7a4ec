"""Writes changes of zones back to where their files are: on the newest version, in place, with a lease, replayed.

Nothing that is there is ever lost: a push moves the branch from the very commit that was edited, or not at all. When
it was overtaken, the newest version is fetched and the changes are made again on that. Changes that come while others
are being pushed go together in the next push, each as a commit of its own.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from zones.git.errors import Refused
from zones.git.receive import Overtaken
from zones.slices import run_sliced
from zones.source import SourceError
from zones.writeback.made import make
from zones.writeback.place import Chain, Place
from zones.writeback.transaction import NotWritten, OutcomeUnknown, Transaction, TryAgain, Written

ATTEMPTS: Final = 100
"""Versions that a change is made on before it is given up."""
REFUSALS: Final = 3
"""Times that a server may refuse although nobody else pushed: another push may hold its lock."""
PATIENCE_S: Final = 120.0
"""Seconds since a change came after which it is not tried again."""
_FIRST_PAUSE_S: Final = 0.01
_MAX_PAUSE_S: Final = 1.0
_OUTCOME_ATTEMPTS: Final = 5
_OUTCOME_PAUSE_S: Final = 1.0

Landed = Callable[[Chain], Awaitable[None]]
"""Called with changes that are there now, before those who wait for them are told. Never raises."""
SerialOf = Callable[[bytes], int | None]
"""The serial of a zone (folded origin) as it is served; None where it is not."""


@dataclass(slots=True)
class WriteCounters:
    """What happened since the start."""

    pushes: int = 0
    """That landed."""
    written: int = 0
    """Changes in them."""
    overtaken: int = 0
    """Attempts that were made again because somebody else had pushed, or held the lock."""
    failed: int = 0
    """Changes that were not written."""


@dataclass(slots=True, eq=False)
class _Job:
    """A change that waits."""

    origin: bytes
    transaction: Transaction
    until: float
    """When it is given up, by the monotonic clock."""
    done: asyncio.Future[Written] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Writer:
    """Writes to one place, in the order in which changes come."""

    def __init__(
        self,
        place: Place,
        *,
        serial_of: SerialOf = lambda _: None,
        landed: Landed | None = None,
        jitter: random.Random | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._place = place
        self._serial_of = serial_of
        self._landed = landed
        self._jitter = jitter or random.SystemRandom()
        self._clock = clock
        self._waiting: deque[_Job] = deque()
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("zones.writeback").bind(source=place.name)
        self.counters: Final = WriteCounters()

    @property
    def waiting(self) -> int:
        """Changes that no push has begun for."""
        return len(self._waiting)

    async def write(self, origin: bytes, transaction: Transaction) -> Written:
        """Bring `transaction` on the zone `origin` to its file; the serial rises, above the one that is served too.

        NotWritten, SourceError where the place cannot be read, and whatever the transaction raises. Who is cancelled
        while it waits does not stop the change.
        """
        job = _Job(origin, transaction, time.monotonic() + PATIENCE_S)
        self._waiting.append(job)
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        return await asyncio.shield(job.done)

    async def close(self) -> None:
        """Stop; who waits gets NotWritten. A push that is under way may land or not."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        """Write until nothing waits."""
        batch: list[_Job] = []
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._place.longest))]
                await self._write_together(batch)
        finally:
            self._task = None
            for job in (*batch, *self._waiting):
                job.fail(TryAgain("the server stops"))
            self._waiting.clear()

    async def _write_together(self, jobs: list[_Job]) -> None:
        """Write `jobs` by one push. Where the server refuses it, each of them by itself: one may be at fault."""
        try:
            await self._write(jobs)
        except (NotWritten, SourceError) as error:
            if len(jobs) == 1 or isinstance(error, OutcomeUnknown | SourceError):
                self._give_up(jobs, error)
                return
            for index, job in enumerate(jobs):
                await self._write_together([job])
                failure = job.done.exception()
                if isinstance(failure, OutcomeUnknown | SourceError):  # later ones must not go before it
                    self._give_up(jobs[index:], failure)
                    return
        except Exception as error:
            self._log.exception("a change was not written by a fault of the server, please report it")
            self._give_up(jobs, NotWritten(f"internal error: {error}"))

    def _give_up(self, jobs: list[_Job], error: Exception) -> None:
        for job in jobs:
            if not job.done.done():
                self.counters.failed += 1
                job.fail(error)

    async def _write(self, jobs: list[_Job]) -> None:
        """One push with those of `jobs` that can be made. NotWritten, SourceError: none of them is there."""
        refusals = 0
        for attempt in range(ATTEMPTS):
            chain = await self._place.begin()
            made = await self._make(chain, jobs)
            if chain.changes:
                try:
                    await chain.push()
                except SourceError as error:
                    if not await self._is_there(chain, error):
                        if (
                            not isinstance(error.__cause__, Overtaken)
                            and (await self._place.begin()).base == chain.base
                        ):
                            refusals += 1
                            if refusals == REFUSALS:
                                raise NotWritten(str(error)) from error
                        self.counters.overtaken += 1
                        self._log.info("overtaken, made again", changes=chain.changes, attempt=attempt + 1)
                        await asyncio.sleep(self._pause(attempt))
                        continue
                await self._tell(chain)
            for job, written in made:
                if not job.done.done():
                    job.done.set_result(written)
            return
        raise TryAgain(f"overtaken {ATTEMPTS} times by other pushes")

    async def _make(self, chain: Chain, jobs: list[_Job]) -> list[tuple[_Job, Written]]:
        """Put those of `jobs` that can be made on `chain`, in their order; the others fail."""
        made = []
        for job in jobs:
            if job.done.done():
                continue
            try:
                if time.monotonic() > job.until:
                    raise TryAgain("it took too long")
                now, served = self._clock(), self._serial_of(job.origin)
                found = await run_sliced(make(chain.tree, job.origin, job.transaction, served, now))
            except Exception as error:
                self._give_up([job], error)
                continue
            if not isinstance(found, Written):
                author = job.transaction.author
                commit = chain.add(found.path, found.text, found.message, author, now)
                found = Written(commit, found.serial)
            made.append((job, found))
        return made

    async def _tell(self, chain: Chain) -> None:
        """The changes of `chain` are there."""
        self.counters.pushes += 1
        self.counters.written += chain.changes
        self._log.info("written back", commit=chain.tree.revision or None, changes=chain.changes)
        if self._landed is not None:
            await self._landed(chain)

    async def _is_there(self, chain: Chain, error: SourceError) -> bool:
        """Whether the changes are there although their push failed. OutcomeUnknown where nobody can say."""
        if isinstance(error.__cause__, Refused):
            return False
        for attempt in range(_OUTCOME_ATTEMPTS):
            try:
                return await chain.is_there()
            except SourceError as unreachable:
                if attempt + 1 == _OUTCOME_ATTEMPTS:
                    reason = f"{error}; whether the push landed cannot be found out: {unreachable}"
                    raise OutcomeUnknown(reason) from error
                await asyncio.sleep(_OUTCOME_PAUSE_S * self._jitter.uniform(0.5, 1.0))
        raise AssertionError  # the last attempt returned or raised

    def _pause(self, attempt: int) -> float:
        """Seconds before the next attempt, so that two writers do not go on overtaking each other in step."""
        return min(_MAX_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(attempt, 16)) * self._jitter.uniform(0.0, 1.0)
