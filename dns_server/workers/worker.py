"""A worker while it runs: it reads its sockets, answers from its copy of the tables, and follows the main process."""

import asyncio
import functools
import itertools
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from structlog.typing import EventDict

from dns_server.answer.engine import Engine, Kind
from dns_server.answer.protocol import Transport
from dns_server.answer.table import ZoneTable, build
from dns_server.answering import Answering
from dns_server.client import Client
from dns_server.collector import Collector
from dns_server.listeners.binding import Share
from dns_server.listeners.host import HostListeners
from dns_server.listeners.later import Later
from dns_server.logs.pipeline import redirect
from dns_server.logs.throttle import Throttle
from dns_server.workers.messages import Channel, Finish, Reply, Status, Update
from zones.slices import Sliced, run_sliced

COUNTS_S: Final = 0.5
"""Seconds between two reports of counts."""
_REPLY_S: Final = 20.0  # that the main process has for a request passed on; who asked has given up by then


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is made for."""

    shares: Sequence[Share]
    """The sockets to read."""
    engine: Engine
    """As the main process has it at the moment of the fork."""
    size: int
    """How many workers there are."""
    answering: Callable[[Callable[..., None], Callable[..., None]], Answering]
    """Makes the answering side anew, with its counts at 0; it gets where to tell defects of ours, and what peers do."""


class Worker:
    """One worker. To be made in its own process."""

    def __init__(self, task: Task, channel: Channel) -> None:
        redirect(self._tell)
        log = structlog.get_logger()
        report, bug = Throttle(log.warning), Throttle(log.error)
        self._task = task
        task.engine.divide(task.size)
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(
            lambda _loop, context: bug(context["message"], exc_info=context.get("exception"))
        )
        self._answering = task.answering(bug, report)
        self._later = Later(self._loop, self._pass_on, report, bug)
        self._listeners = HostListeners(self._loop, report, self._later, self._answering.batches())
        self._collector = Collector(self._loop)
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._told = self._counts()
        self._told_cpu = time.process_time()

    async def run(self) -> int:
        """Answer until the main process says to end, or is gone; the exit code."""
        self._collector.start()
        self._listeners.read(self._task.shares, self._answering.single(Transport.UDP))
        self._channel.report({"what": "serving"})
        following = asyncio.create_task(self._follow())
        counting = asyncio.create_task(self._count())
        await asyncio.wait([following, counting], return_when=asyncio.FIRST_COMPLETED)
        counting.cancel()
        following.result()
        self._tell_counts()
        await self._channel.close()
        return 0

    async def _follow(self) -> None:
        """Do what the main process says."""
        try:
            while not isinstance(order := await self._channel.next_order(), Finish):
                match order:
                    case Update():
                        await self._apply(order)
                    case Reply():
                        self._take(order)
                    case Status(texts):
                        engine = self._task.engine
                        engine.identity = replace(engine.identity, status=functools.partial(_same, texts))
            self._listeners.pause()
            self._channel.report({"what": "stopped"})
            async with asyncio.timeout(_REPLY_S):
                while self._waiting:
                    order = await self._channel.next_order()
                    if isinstance(order, Reply):
                        self._take(order)
                        await asyncio.sleep(0)  # who waits for it sends it
        except (EOFError, TimeoutError):
            return  # the main process has died, and nobody would tell of new zones; or it took too long

    async def _apply(self, update: Update) -> None:
        engine = self._task.engine
        tables = await run_sliced(_tables(update))
        engine.catalogue = engine.catalogue.updated(tables, update.removed, update.revision, broken=update.broken)
        self._collector.freeze()
        self._channel.report({"what": "applied"})

    async def _pass_on(self, kind: Kind, query: bytes, client: Client) -> AsyncGenerator[bytes, None]:
        """Let the main process answer a request; a reply to a datagram is one message."""
        number = next(self._numbers)
        self._waiting[number] = waiting = self._loop.create_future()
        request = {"what": "request", "number": number, "kind": kind.value, "query": query.hex()}
        self._channel.report({**request, "address": client.address, "port": client.port})
        try:
            async with asyncio.timeout(_REPLY_S):
                reply = await waiting
        except TimeoutError:
            return
        finally:
            del self._waiting[number]
        if reply:
            yield reply

    def _take(self, reply: Reply) -> None:
        waiting = self._waiting.get(reply.request)
        if waiting is not None and not waiting.done():
            waiting.set_result(reply.message)

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(COUNTS_S)
            self._tell_counts()

    def _tell_counts(self) -> None:
        """Tell what was counted since the last time."""
        values, cpu = self._counts(), time.process_time()
        more = [value - before for value, before in zip(values, self._told, strict=True)]
        self._channel.report({"what": "counts", "values": more, "cpu": cpu - self._told_cpu})
        self._told, self._told_cpu = values, cpu

    def _counts(self) -> list[float]:
        """What was counted; some of it, before the fork, by the main process."""
        return [*self._listeners.udp_counters.values(), *self._answering.counts()]

    def _tell(self, event: EventDict) -> None:
        """The main process writes the log."""
        fields: dict[str, Any] = dict(event)
        level, text = fields.pop("level"), fields.pop("event")
        fields.pop("timestamp")
        self._channel.report({"what": "log", "level": level, "event": text, "fields": fields})


def _tables(update: Update) -> Sliced[dict[bytes, ZoneTable]]:
    tables = {}
    for origin, zone in update.changes.items():
        tables[origin] = yield from build(zone)
        yield
    return tables


def _same(texts: Sequence[str]) -> Sequence[str]:
    return texts
