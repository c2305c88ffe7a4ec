"""The main process's side of the workers: it makes them, tells them of new zones, hears their counts, replaces them.

Changes go to running workers, which keep the answers that they have ready: each enters the changed zones into its own
tables. Where much changes, new workers are forked from this process, which has the new tables, and take over the
sockets before the old ones let go of them.
"""

import asyncio
import functools
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from structlog.typing import FilteringBoundLogger

from dns_server.answer.engine import Kind
from dns_server.answer.protocol import Transport
from dns_server.client import Client
from dns_server.listeners.later import Later
from dns_server.reports import Difference
from dns_server.workers import child
from dns_server.workers.messages import Channel, Finish, Order, Reply, Report, Status, Update
from dns_server.workers.worker import Task, Worker
from zones.snapshot import Snapshot

MANY_RECORDS: Final = 20_000
"""In zones that change: with as many, workers are made anew. Sending and entering them would cost more than a fork, and
each worker would have tables of its own."""
PATIENCE_S: Final = 30.0
"""A worker that says nothing for so long hangs."""
_YOUNG_S: Final = 5.0  # a worker that ends at this age may be one of many
_PAUSE_S: Final = 1.0  # before the next one is made then


class Process:
    """One worker process, as seen from here."""

    def __init__(self, number: int, pid: int, now: float) -> None:
        self.number: Final = number
        self.pid: Final = pid
        self.born: Final = now
        self.heard = now
        """When it said something last."""
        self.channel: Channel | None = None
        self.ended: Final[asyncio.Future[int]] = asyncio.get_running_loop().create_future()
        """Its exit code, negative for a signal."""
        self.is_finishing = False
        self._awaited: dict[str, asyncio.Future[None]] = {}

    def order(self, order: Order) -> None:
        """Tell it something; nothing happens when it is gone."""
        if self.channel is not None and not self.ended.done():
            self.channel.order(order)

    async def says(self, what: str) -> None:
        """Wait until it says `what`, or is gone."""
        self._awaited[what] = said = asyncio.get_running_loop().create_future()
        await asyncio.wait([said, self.ended], return_when=asyncio.FIRST_COMPLETED)

    def said(self, what: str) -> None:
        """It said `what`."""
        waiting = self._awaited.pop(what, None)
        if waiting is not None:
            waiting.set_result(None)


@dataclass(slots=True)
class Pool:
    """All workers."""

    loop: asyncio.AbstractEventLoop
    tasks: Sequence[Task]
    """One for each worker."""
    later: Later
    """Answers what workers pass on."""
    add: Callable[[Sequence[float]], None]
    """Gets what a worker counted since it told the last time. ValueError, TypeError for what is no count."""
    log: FilteringBoundLogger
    lost: int = 0
    """Workers that ended without being told to."""
    renewed: int = 0
    """Workers that made room for others with new zones."""
    cpu_s: float = 0.0
    """CPU time of all workers that are and were, as far as they have told."""
    _running: dict[int, Process] = field(default_factory=dict)
    """By number."""
    _leaving: set[Process] = field(default_factory=set)
    _tending: set[asyncio.Task[None]] = field(default_factory=set)
    _is_stopping: bool = False

    async def start(self) -> None:
        """Make the workers, and wait until they serve."""
        for number in range(len(self.tasks)):
            await self._make(number)
        self._tend(self._watch())

    async def apply(self, update: Update) -> None:
        """Bring all workers to the version that this process has. When it is done, none answers from another one."""
        if sum(zone.record_count for zone in update.changes.values()) >= MANY_RECORDS:
            for number in range(len(self.tasks)):
                await self._renew(number)
            return
        applying = []
        for process in self._running.values():
            process.order(update)
            applying.append(process.says("applied"))
        await asyncio.gather(*applying)

    async def follow(self, _before: Snapshot, snapshot: Snapshot, change: Difference) -> None:
        """Bring all workers to `snapshot`, which this process serves already; see `Publisher.elsewhere`."""
        changes = {origin: snapshot.zones[origin].zone for origin in change.changed}
        broken = frozenset(snapshot.broken.keys() - snapshot.zones.keys())
        await self.apply(Update(changes, frozenset(change.removed), broken, snapshot.revision))

    async def stop(self) -> None:
        """End all workers; they get a moment to answer what they have read."""
        self._is_stopping = True
        for process in self._running.values():
            self._dismiss(process)
        for process in list(self._leaving):
            await self._see_off(process)
        for task in list(self._tending):
            task.cancel()
        await asyncio.gather(*self._tending, return_exceptions=True)

    @property
    def size(self) -> int:
        """How many workers run."""
        return sum(not process.ended.done() for process in self._running.values())

    async def _make(self, number: int) -> Process:
        """Fork a worker with what this process has now; it serves when this is done."""
        task = self.tasks[number]
        ours, theirs = socket.socketpair()
        keep = {theirs.fileno(), *(share.socket.fileno() for share in task.shares)}
        pid = child.fork(functools.partial(_live, task, theirs), keep)
        theirs.close()
        process = Process(number, pid, self.loop.time())
        self._running[number] = process
        descriptor = os.pidfd_open(pid)
        self.loop.add_reader(descriptor, self._reap, process, descriptor)
        process.channel = await Channel.over(ours)
        serving = self.loop.create_task(process.says("serving"))
        self._tend(self._listen(process))
        await serving
        return process

    def _reap(self, process: Process, descriptor: int) -> None:
        """`process` has ended."""
        self.loop.remove_reader(descriptor)
        os.close(descriptor)
        _, status = os.waitpid(process.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        process.ended.set_result(code)
        self._leaving.discard(process)
        if not process.is_finishing and not self._is_stopping:
            self._tend(self._replace(process, code))

    async def _replace(self, process: Process, code: int) -> None:
        """Another worker for one that ended by itself."""
        self.lost += 1
        how: dict[str, Any] = {"exit_code": code} if code >= 0 else {"killed_by": signal.Signals(-code).name}
        self.log.error("a worker ended, another takes its place", worker=process.number, pid=process.pid, **how)
        if self.loop.time() - process.born < _YOUNG_S:
            await asyncio.sleep(_PAUSE_S)
        if self._running.get(process.number) is process and not self._is_stopping:
            await self._make(process.number)

    async def _renew(self, number: int) -> None:
        """Another worker for one that serves; it reads before the other one stops to."""
        before = self._running[number]
        await self._make(number)
        self.renewed += 1
        self._dismiss(before)
        await before.says("stopped")
        self._tend(self._see_off(before))

    def _dismiss(self, process: Process) -> None:
        if not process.ended.done():
            process.is_finishing = True
            self._leaving.add(process)
            process.order(Finish())

    async def _see_off(self, process: Process) -> None:
        """Wait until a dismissed worker has ended; not forever."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.shield(process.ended)
        except TimeoutError:
            os.kill(process.pid, signal.SIGKILL)
            await process.ended

    async def _listen(self, process: Process) -> None:
        """Take what a worker says until it is gone."""
        channel = process.channel
        assert channel is not None
        try:
            while True:
                report = await channel.next_report()
                process.heard = self.loop.time()
                self._take(process, report)
        except EOFError:
            return
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.log.error("a worker is confused", worker=process.number, pid=process.pid, reason=repr(error))
            os.kill(process.pid, signal.SIGKILL)
        finally:
            await channel.close()

    def _take(self, process: Process, report: Report) -> None:
        """KeyError, ValueError, TypeError, AttributeError for what no worker should say."""
        match report["what"]:
            case "serving" | "applied" | "stopped" as said:
                process.said(said)
            case "counts":
                self.cpu_s += float(report["cpu"])
                self.add(report["values"])
                status = self.tasks[process.number].engine.identity.status
                if status is not None:
                    process.order(Status(tuple(status())))
            case "log":
                fields: dict[str, Any] = {str(key): value for key, value in report["fields"].items()}
                write = {"debug": self.log.debug, "info": self.log.info, "warning": self.log.warning}
                write.get(report["level"], self.log.error)(str(report["event"]), worker=process.number, **fields)
            case "request":
                number = int(report["number"])
                client = Client(str(report["address"]), int(report["port"]), Transport.UDP)
                send = functools.partial(_reply, process, number)
                silent = functools.partial(send, b"")
                self.later.start(Kind(report["kind"]), bytes.fromhex(report["query"]), client, send, silent)
            case what:
                raise ValueError(f"it says {what!r}")

    async def _watch(self) -> None:
        """End workers that hang; what ends is replaced."""
        while True:
            await asyncio.sleep(PATIENCE_S / 4)
            for process in self._running.values():
                if self.loop.time() - process.heard > PATIENCE_S and not process.ended.done():
                    self.log.error("a worker hangs and is ended", worker=process.number, pid=process.pid)
                    os.kill(process.pid, signal.SIGKILL)

    def _tend(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self._tending.add(task)
        task.add_done_callback(self._tending.discard)


def _reply(process: Process, number: int, message: bytes) -> None:
    process.order(Reply(number, message))


def _live(task: Task, connected: socket.socket) -> int:
    """The life of a worker, in its process."""

    async def live() -> int:
        return await Worker(task, await Channel.over(connected)).run()

    return asyncio.run(live())
