"""The service while it runs: sockets, engine, zones and signals, from the first log line to the last.

Zones that are on this machine are loaded before it listens. Where they come from elsewhere it listens before it has
them, and refuses until then. What feeds it zones may fail and is started again; what ends the service is a signal, or
an address that can't be bound.
"""

import asyncio
import contextlib
import mmap
import os
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

import structlog

from dns_platform.compiled import is_compiled
from dns_server.answer.chaos import Identity
from dns_server.answer.core.cookies import Cookies
from dns_server.answer.engine import Engine, Kind
from dns_server.answer.indexing import CORE, has_core
from dns_server.answer.protocol import Transport
from dns_server.answering import Answering
from dns_server.client import Client
from dns_server.collector import Collector
from dns_server.endpoint import Endpoint
from dns_server.limiting.limiting import SECRET_SIZE, Limiting, RateLimits
from dns_server.listeners.binding import CannotListen
from dns_server.listeners.host import HostListeners
from dns_server.listeners.later import Later
from dns_server.listeners.streams import StreamLimits, Streams
from dns_server.logs.syslog import Syslog
from dns_server.logs.throttle import Throttle
from dns_server.parameters.network import Net
from dns_server.peers import Peers, PeersPlan
from dns_server.publisher import Publisher
from dns_server.telemetry.lag import LoopLag
from dns_server.telemetry.rate import RecentRate
from dns_server.telemetry.sources import Sources, UpdateFigures
from dns_server.telemetry.statistics import QueryStatistics
from dns_server.telemetry.status import essentials
from dns_server.update.handler import UpdateHandler
from dns_server.update.writing import Writing
from dns_server.values import Network
from stack.address import parse
from zones.snapshot import Snapshot
from zones.sync import Sync
from zones.zonefile.parser import SCANNER_MODULE

if TYPE_CHECKING:  # loaded when asked for: images may lack TLS and HTTP, and few machines have both kinds of network
    from dns_server.listeners.direct import DirectListeners
    from dns_server.listeners.tls import Certificate
    from dns_server.management.http import HttpServer
    from dns_server.workers.pool import Pool
    from stack.loop.loop import StackLoop

EXIT_CANNOT_LISTEN: Final = 69  # EX_UNAVAILABLE of sysexits.h
_RESTART_S: Final = 5.0  # seconds before a sync that failed starts again


@dataclass(frozen=True, slots=True)
class Plan:
    """Where and how to serve."""

    listen: Sequence[Endpoint]
    """For UDP and TCP."""
    optional: frozenset[Endpoint]
    """Of `listen` and `tls_listen`, what a machine may lack: it is said and left out."""
    limits: StreamLimits
    identity: Identity
    net: Net = Net.HOST
    """Whose network; with DIRECT, the running loop is that of the own stack."""
    peers: PeersPlan = field(default_factory=PeersPlan)
    certificate: "Certificate | None" = None
    """For TLS; without one there is none."""
    tls_listen: Sequence[Endpoint] = ()
    http: "HttpPlan | None" = None
    dns_status: bool = False
    """Whether `status.server` is answered where `http` is None."""
    rate_limits: RateLimits | None = None
    """None for none."""
    cookie_secrets: tuple[bytes, ...] = ()
    """Of DNS cookies, of which there are none without any; see `Cookies`."""
    cookie_load: int = 0
    """Queries a second without a valid cookie that are too many; 0: any number is all right."""
    workers: int = 1
    """Processes that answer over UDP; with 1 it is this one."""


@dataclass(frozen=True, slots=True)
class HttpPlan:
    """Where and to whom to tell how it goes."""

    listen: Sequence[Endpoint]
    allowed: Sequence[Network]
    token: str | None
    webhook_secret: str | None = None
    """None: no webhooks are taken."""
    branch: str = ""
    """That webhooks must be about; empty for the repository's own choice."""


class Service:
    """One run of the server."""

    def __init__(
        self, plan: Plan, on_ready: Callable[[Sequence[Endpoint]], None], syslog: Syslog | None = None
    ) -> None:
        """`on_ready` gets the addresses when zones are served for the first time; `syslog` is only looked at."""
        self._syslog = syslog
        self._plan = plan
        self._on_ready = on_ready
        self._log = structlog.get_logger()
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._is_open = False
        self._is_ready = False
        self._stopping = asyncio.Event()
        self._bug = Throttle(self._log.error)
        self._report = Throttle(self._log.warning)
        self._statistics = QueryStatistics()
        self._lag = LoopLag(self._loop)
        self._rate = RecentRate(self._loop, lambda: self._statistics.answered)
        self._http: HttpServer | None = None
        self._stages: dict[str, float] = {}
        self._addresses: list[Endpoint] = []
        cookies = Cookies(plan.cookie_secrets) if plan.cookie_secrets else None
        self.engine = Engine(plan.identity, elsewhere=frozenset(Kind), cookies=cookies, cookie_load=plan.cookie_load)
        self.collector = Collector(self._loop)
        self.publisher = Publisher(self.engine, self.collector, self._log, time.time)
        self.peers = Peers(plan.peers, self.engine, self.publisher, self._log, self._report, self._is_own)
        self._limiting = (
            None
            if plan.rate_limits is None
            else Limiting(
                plan.rate_limits,
                os.urandom(SECRET_SIZE),
                self._loop.time,
                self._report,
                _shared_memory if plan.workers > 1 else bytearray,
            )
        )
        self._answering = Answering(self.engine, self._statistics, self._limiting, self._bug)
        self.streams = Streams(
            self._loop, self._answering.single(Transport.TCP), self._handle, plan.limits, self._report, self._bug
        )
        self._later = Later(self._loop, self._handle, self._report, self._bug)
        self._stack = self._own_stack()
        self.listeners = self._new_listeners()
        self.workers: Pool | None = None

    def _own_stack(self) -> "StackLoop | None":
        """The running loop, where it is that of the own stack."""
        if self._plan.net is Net.HOST:
            return None
        from stack.loop.loop import StackLoop

        assert isinstance(self._loop, StackLoop)
        return self._loop

    def _new_listeners(self) -> "HostListeners | DirectListeners":
        batches = self._answering.batches()
        if self._stack is not None:
            from dns_server.listeners.direct import DirectListeners

            return DirectListeners(self._stack, batches, self._later)
        workers = self._plan.workers if self._plan.workers > 1 else 0
        return HostListeners(self._loop, self._report, self._later, batches, workers=workers)

    async def run(self, sync: Sync, writing: Writing | None = None) -> int:
        """Serve what `sync` brings until a signal says to end; the exit code. Updates go by `writing`."""
        if writing is not None:
            writing.start(sync)
        updates = UpdateHandler(
            self.peers.gate,
            lambda: self.publisher.snapshot,
            None if writing is None else writing.write,
            self._log,
            self._report,
        )
        self.peers.handlers[Kind.UPDATE] = updates.handle
        if not is_compiled(SCANNER_MODULE):
            self._log.warning("zone files are read by plain Python, which is slower", uncompiled=SCANNER_MODULE)
        if not has_core():
            self._log.warning("queries are answered by plain Python, which is slower", uncompiled=CORE)
        self._loop.set_exception_handler(self._unhandled)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop, number)
        self._loop.add_signal_handler(signal.SIGHUP, self._hang_up, sync)
        self.collector.start()
        await self._unless_stopped(sync.begin())
        if not self._stopping.is_set():
            try:
                await self._open_all(sync, UpdateFigures(updates.counters, writing))
            except CannotListen as error:
                self._log.error("stopped", reason=str(error))
                self.listeners.close()
                self.collector.stop()
                return EXIT_CANNOT_LISTEN
        self.peers.start(sync.trigger)
        following = asyncio.create_task(self._follow(sync))
        await self._stopping.wait()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        self.peers.stop()
        if self.workers is not None:
            await self.workers.stop()
        self.listeners.close()
        if writing is not None:
            await writing.close()
        self._later.close()
        self.streams.close()
        if self._http is not None:
            self._http.close()
        self._lag.stop()
        self._rate.stop()
        self.collector.stop()
        self._log.info("stopped", seconds=round(self._loop.time() - self._started, 3))
        return 0

    async def apply(self, snapshot: Snapshot) -> None:
        """Put a version of the zones into service."""
        await self.publisher.apply(snapshot)
        self._look_whether_ready()

    def _look_whether_ready(self) -> None:
        """Say it once when zones are served."""
        if self._is_ready or not self._is_open or not self.publisher.loads:
            return
        self._is_ready = True
        self._end_stage("ready")
        self._log.info(
            "ready",
            addresses=[str(address) for address in self._addresses],
            zones=len(self.publisher.snapshot.zones),
            records=self.publisher.records,
            seconds=round(self._stages["ready"], 3),
        )
        self._on_ready(self._addresses)

    async def _unless_stopped(self, task: Coroutine[None, None, None]) -> None:
        """Run `task`, but no longer than until a signal says to end."""
        running, stopping = asyncio.create_task(task), asyncio.create_task(self._stopping.wait())
        await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        running.cancel()
        await asyncio.gather(running, stopping, return_exceptions=True)

    def _end_stage(self, name: str) -> None:
        self._stages[name] = self._loop.time() - self._started

    async def _open_all(self, sync: Sync, updates: UpdateFigures) -> None:
        """Listen everywhere, and have workers where there are to be any. CannotListen."""
        await self._listen()
        self._end_stage("listening")
        if isinstance(self.listeners, HostListeners) and self.listeners.shares:
            self.workers = self._pool(self.listeners)
        sources = self._sources(sync, updates)
        if self._plan.http is not None:
            await self._manage(self._plan.http, sources, sync)
        elif self._plan.dns_status:
            self.engine.identity = replace(self.engine.identity, status=lambda: essentials(sources))
        if self.workers is not None:
            await self.workers.start()
        self._is_open = True
        self._look_whether_ready()

    async def _listen(self) -> None:
        answer, plain = self._answering.single(Transport.UDP), self.streams.plain
        for endpoint in self._plan.listen:
            await self._open(endpoint, ["UDP", "TCP"], self.listeners.open(endpoint, answer, plain))
        if self._plan.certificate is not None:
            secured = self.streams.tls(self._plan.certificate.context)
            for endpoint in self._plan.tls_listen:
                await self._open(endpoint, ["TLS"], self.listeners.open_stream(endpoint, secured))

    def _pool(self, listeners: HostListeners) -> "Pool":
        """Workers for the sockets that are not read here; they do not run yet."""
        from dns_server.workers.pool import Pool
        from dns_server.workers.worker import Task

        def add(values: Sequence[float]) -> None:
            size = len(listeners.udp_counters.values())
            listeners.udp_counters.add([int(value) for value in values[:size]])
            self._answering.add(values[size:])

        size = len(listeners.shares)
        tasks = [Task(own, self.engine, size, self._answering.again) for own in listeners.shares]
        pool = Pool(self._loop, tasks, self._later, add, self._log)
        self.publisher.elsewhere = pool.follow
        return pool

    async def _open(self, endpoint: Endpoint, transports: list[str], opening: Awaitable[Endpoint]) -> None:
        try:
            bound = await opening
        except CannotListen as error:
            if endpoint not in self._plan.optional or not error.has_no_such_address:
                raise
            self._log.warning("not listening", address=str(endpoint), reason=str(error))
        else:
            self._addresses.append(bound)
            self._log.info("listening", address=str(bound), transports=transports)

    def _sources(self, sync: Sync, updates: UpdateFigures) -> Sources:
        return Sources(
            name=self._plan.identity.name,
            version=metadata.version("unizone"),
            started=time.time(),
            clock=time.time,
            publisher=self.publisher,
            sync=sync,
            streams=self.streams,
            udp=self.listeners.udp_counters,
            endpoints=self._addresses,
            statistics=self._statistics,
            lag=self._lag,
            peers=self.peers,
            rate=self._rate,
            limiter=None if self._limiting is None else self._limiting.limiter,
            stages=self._stages,
            syslog=self._syslog,
            stack=self._stack,
            workers=self.workers,
            updates=updates,
        )

    async def _manage(self, plan: HttpPlan, sources: Sources, sync: Sync) -> None:
        """Listen for those who want to know how it goes. CannotListen."""
        from dns_server.management.http import HttpServer, Post
        from dns_server.management.routes import routes
        from dns_server.management.webhook import Webhook

        posts: dict[str, Post] = {}
        if plan.webhook_secret is not None:
            webhook = Webhook(plan.webhook_secret, plan.branch, sync.trigger, self._report)
            posts["/hook"] = webhook.post
            sources.webhooks = webhook.counters
        self._http = HttpServer(self._loop, routes(sources), plan.allowed, plan.token, self._report, posts)
        self._lag.start()
        self._rate.start()
        for endpoint in plan.listen:
            bound = await self.listeners.open_stream(endpoint, self._http.protocol)
            self._log.info("listening", address=str(bound), transports=["HTTP"])

    async def _follow(self, sync: Sync) -> None:
        while True:
            try:
                await sync.run()
                raise RuntimeError("the sync ended by itself")
            except Exception as error:  # a defect of ours must not take good zones down
                self._log.error("internal error, zones are not followed", retry_in_s=_RESTART_S, exc_info=error)
                await asyncio.sleep(_RESTART_S)

    async def _handle(self, kind: Kind, wire: bytes, client: Client) -> AsyncGenerator[bytes, None]:
        """The messages of the reply to a request that the engine leaves to others; over UDP within the rates."""
        started, is_first = time.perf_counter(), True
        limiting = self._limiting if client.transport is Transport.UDP else None
        tally = self._statistics.tallies[client.transport]
        async with contextlib.aclosing(self.peers.handle(kind, wire, client)) as messages:
            async for message in messages:
                if is_first:  # it stands for the reply
                    tally.note(message, time.perf_counter() - started)
                    is_first = False
                if limiting is None:
                    yield message
                elif limited := limiting.limit_later(wire, message, parse(client.address.partition("%")[0])):
                    yield limited
        if is_first:
            tally.note(b"", 0.0)

    def _is_own(self, address: str, port: int) -> bool:
        """Whether this server listens there itself."""
        return Endpoint(address, port) in self._addresses

    def _stop(self, number: signal.Signals) -> None:
        self._log.info("stopping", signal=number.name)
        self._stopping.set()

    def _hang_up(self, sync: Sync) -> None:
        self._log.info("looking for a new version", signal="SIGHUP")
        sync.trigger()
        self.peers.read_keys_again()
        if self._plan.certificate is not None:
            problem = self._plan.certificate.reload()
            if problem:
                self._log.error("the certificate before stays in use", reason=problem)

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What asyncio could tell nobody else."""
        self._bug(context["message"], exc_info=context.get("exception"))


def _shared_memory(size: int) -> mmap.mmap:
    """Zeroed memory that processes forked from this one share."""
    return mmap.mmap(-1, size)
