"""Tells secondaries of new versions, as the schedule has it."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Final

from structlog.typing import FilteringBoundLogger

from dns_server.access.gate import Gate, Report
from dns_server.answer.protocol import Rcode
from dns_server.notify.exchange import NoReply, tell
from dns_server.notify.schedule import Job, Schedule
from dns_server.notify.secondaries import Secondaries
from dns_server.notify.targets import (
    Shown,
    Target,
    configured,
    merged,
    name_servers,
    own_addresses,
    signing_key,
)
from zones.keys import DNS_PORT
from zones.name import to_text
from zones.snapshot import Snapshot

AT_ONCE: Final = 64
"""Exchanges that run at the same time."""
REPLY_S: Final = 3.0
"""Seconds to wait for a reply to one datagram."""
TLS_S: Final = 10.0
"""Seconds for a connection over TLS and the reply."""
RESOLVE_S: Final = 10.0


@dataclass(slots=True)
class NotifyCounters:
    """What happened since the start."""

    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    """Replies with another response code than NOERROR."""
    unanswered: int = 0
    given_up: int = 0


class NotifySender:
    """Runs as one task from `start` to `stop`."""

    def __init__(
        self,
        gate: Gate,
        snapshot: Callable[[], Snapshot],
        secondaries: Secondaries,
        is_own: Callable[[str, int], bool],
        log: FilteringBoundLogger,
        report: Report,
    ) -> None:
        """`is_own` says whether we listen on an address and port ourselves."""
        self._gate = gate
        self._snapshot = snapshot
        self._secondaries = secondaries
        self._is_own = is_own
        self._log = log
        self._report = report
        self._schedule: Final = Schedule()
        self._zones_wait = asyncio.Event()
        self._jobs_wait = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: dict[bytes, None] = {}
        """Zones whose targets are still to be found, the first to come first."""
        self.shown: Final = Shown()
        self.counters: Final = NotifyCounters()

    @property
    def pending(self) -> int:
        """Secondaries that have not answered yet, counted for each zone."""
        return len(self._schedule) + len(self._waiting)

    def start(self) -> None:
        """Begin."""
        self._spawn(self._find_targets())
        self._spawn(self._send_due())

    def stop(self) -> None:
        """End; whoever was not told is not."""
        for task in self._tasks:
            task.cancel()

    def changed(self, zones: Iterable[bytes], removed: Iterable[bytes]) -> None:
        """`zones` (folded origins) have new versions in service."""
        for zone in removed:
            self._waiting.pop(zone, None)
            self._schedule.forget(zone)
        self._waiting.update(dict.fromkeys(zones))
        self._zones_wait.set()

    async def _find_targets(self) -> None:
        """Who is to be told of the zones that wait."""
        while True:
            while self._waiting:
                zone = next(iter(self._waiting))
                del self._waiting[zone]
                served = self._snapshot().zones.get(zone)
                if served is None:
                    continue
                for target in await self._targets(zone):
                    self._schedule.want(zone, target, served.zone.serial, self._now())
                self._jobs_wait.set()
                await asyncio.sleep(0)
            self._zones_wait.clear()
            await self._zones_wait.wait()

    async def _targets(self, zone: bytes) -> list[Target]:
        snapshot = self._snapshot()
        found = [*configured(zone, self._gate.access), *self.shown.targets(zone, self._gate.clock())]
        served = snapshot.zones.get(zone)
        for name in [] if served is None else name_servers(served.zone):
            addresses = own_addresses(name, snapshot)
            if addresses is None:
                addresses = await self._resolve(name)
            found += [Target(address, DNS_PORT) for address in addresses]
        return [target for target in merged(found) if not self._is_own(target.address, target.port)]

    async def _resolve(self, name: bytes) -> list[str]:
        text = to_text(name).removesuffix(".")
        with contextlib.suppress(OSError, TimeoutError, UnicodeError):
            async with asyncio.timeout(RESOLVE_S):
                infos = await asyncio.get_running_loop().getaddrinfo(text, DNS_PORT, type=socket.SOCK_DGRAM)
                return list(dict.fromkeys(str(info[4][0]) for info in infos))
        self._report("a name server can't be told: its name has no address", name=text)
        return []

    async def _send_due(self) -> None:
        turns = asyncio.Semaphore(AT_ONCE)
        while True:
            await turns.acquire()
            self._spawn(self._one(await self._next(), turns))

    async def _next(self) -> Job:
        """The next job whose time has come."""
        while True:
            job = self._schedule.take(self._now())
            if job is not None:
                return job
            due = self._schedule.next_due()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if due is None else max(0.0, due - self._now())):
                    self._jobs_wait.clear()
                    await self._jobs_wait.wait()

    async def _one(self, job: Job, turns: asyncio.Semaphore) -> None:
        """One attempt."""
        try:
            served = self._snapshot().zones.get(job.zone)
            if served is None:
                self._schedule.done(job)
                return
            self.counters.sent += 1
            key = signing_key(job.target, self._gate.access)
            patience = REPLY_S if job.target.tls is None else TLS_S
            said = await tell(job.target, job.zone, served.zone.soa, key, patience)
        except NoReply as error:
            self.counters.unanswered += 1
            self._note(job, None)
            if self._schedule.failed(job, self._now()):
                self.counters.given_up += 1
                self._report("a secondary was not told", **self._fields(job), reason=str(error))
        else:
            self._schedule.done(job)
            self._note(job, said.rcode)
            if said.rcode == Rcode.NOERROR:
                self.counters.acknowledged += 1
                self._log.debug("secondary told", **self._fields(job))
            else:
                self.counters.refused += 1
                self._report("a secondary refused to be told", **self._fields(job), rcode=said.rcode)
        finally:
            turns.release()
            self._jobs_wait.set()

    def _note(self, job: Job, rcode: int | None) -> None:
        self._secondaries.was_told(job.zone, job.target.address, job.serial, rcode, self._gate.clock())

    def _fields(self, job: Job) -> dict[str, object]:
        return {
            "zone": to_text(job.zone),
            "serial": job.serial,
            "secondary": str(job.target),
            "attempts": job.attempts,
        }

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
