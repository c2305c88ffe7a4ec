"""Sends log lines to a syslog collector, over any asyncio loop; never blocks, never ends anything.

Read first: RFC 5426 (UDP), RFC 6587 (TCP), RFC 5425 (TLS).

Events wait in a bounded queue. A collector that is away, slow or somebody else costs lines, which are counted and told
about; the service and the console go on.
"""

import asyncio
import contextlib
import random
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import structlog
from structlog.typing import EventDict

from dns_server.logs.authenticator import Authenticator
from dns_server.logs.syslog_format import Render, frame
from dns_server.logs.throttle import Throttle
from dns_server.parameters.logs import Framing, SyslogProtocol
from dns_server.reasons import reason

if TYPE_CHECKING:  # images without TLS have no ssl
    import ssl

QUEUE: Final = 1000
"""Events that wait for the collector."""
PATIENCE_S: Final = 10.0
"""Seconds that connecting, or the taking of one message, may last."""
FIRST_RETRY_S: Final = 0.5
MAX_RETRY_S: Final = 60.0
MAX_DATAGRAM: Final = 2048
"""Octets; what every collector should take (RFC 5426 3.2)."""


PORTS: Final = {SyslogProtocol.UDP: 514, SyslogProtocol.TCP: 601, SyslogProtocol.TLS: 6514}


@dataclass(frozen=True, slots=True)
class Collector:
    """Where and how to send."""

    host: str
    port: int
    protocol: SyslogProtocol
    framing: Framing
    authenticator: Authenticator
    context: "ssl.SSLContext | None"
    """For TLS; with a client certificate where there is one."""

    def __str__(self) -> str:
        return f"{self.protocol.value}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@dataclass(slots=True)
class SyslogCounters:
    """What happened since the start."""

    sent: int = 0
    """Lines that were handed over; over UDP nobody knows whether they arrived."""
    lost: int = 0
    """Lines for which the queue had no room."""
    connects: int = 0
    failures: int = 0
    """Connections that could not be made, or broke."""


class Channel(Protocol):
    """An open way to the collector."""

    async def send(self, message: bytes) -> None:
        """Hand over one message. OSError or TimeoutError when it can't be done."""

    def check(self) -> None:
        """OSError when the collector is known to be gone."""


class Syslog:
    """A sink for events, and a task that sends them."""

    def __init__(self, collector: Collector, render: Render) -> None:
        self._collector = collector
        self._render = render
        self._queue: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._lost = 0
        self.counters = SyslogCounters()

    @property
    def queued(self) -> int:
        """Lines that wait."""
        return len(self._queue)

    def __call__(self, event: EventDict) -> None:
        """Queue `event`, or count it as lost."""
        if len(self._queue) >= QUEUE:
            self._lost += 1
            self.counters.lost += 1
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            fields = {"event": "log lines were lost: the collector did not take them", "level": "warning"}
            self._queue.append(self._render({**fields, "timestamp": event["timestamp"], "lines": lost}))
        self._queue.append(self._render(event))
        self._empty.clear()
        self._arrived.set()

    async def run(self) -> None:
        """Send until cancelled."""
        log = structlog.get_logger()
        trouble = Throttle(log.warning, every_s=60.0)
        failures = attempt = 0
        opened = 0.0
        while True:
            try:
                async with self._channel(attempt) as channel:
                    self.counters.connects += 1
                    if failures:
                        log.info("the log collector is reachable again", collector=str(self._collector))
                    opened = time.monotonic()
                    while True:
                        await self._send_waiting(channel)
            except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
                trouble("the log collector can't be reached", collector=str(self._collector), reason=reason(error))
            if opened and time.monotonic() - opened > PATIENCE_S:  # not one that takes us and throws us out
                failures = 0
            opened = 0.0
            failures += 1
            attempt += 1
            self.counters.failures += 1
            ceiling = min(MAX_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures, 16))
            await asyncio.sleep(ceiling * random.uniform(0.5, 1.0))  # noqa: S311  nothing secret is drawn

    async def flush(self, seconds: float) -> None:
        """Wait until all is sent, no longer than `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            return

    async def _send_waiting(self, channel: Channel) -> None:
        if not self._queue:
            self._arrived.clear()
            channel.check()
            await self._arrived.wait()
            channel.check()
        while self._queue:
            await channel.send(self._queue[0])  # it stays in the queue until it is handed over
            self._queue.popleft()
            self.counters.sent += 1
            await asyncio.sleep(0)  # nothing above need have waited, and more may come than is sent
        self._empty.set()

    @asynccontextmanager
    async def _channel(self, attempt: int) -> AsyncIterator[Channel]:
        collector = self._collector
        if collector.protocol is SyslogProtocol.UDP:
            datagrams = await _Datagrams.open(collector, attempt)
            try:
                yield datagrams
            finally:
                datagrams.close()
            return
        stream = await _Stream.open(collector, self._arrived.set)
        try:
            yield stream
        finally:
            stream.close()


class _Datagrams(asyncio.DatagramProtocol):
    """Over UDP."""

    _transport: asyncio.DatagramTransport

    def __init__(self) -> None:
        self._error: OSError | None = None

    @classmethod
    async def open(cls, collector: Collector, attempt: int) -> "_Datagrams":
        """Open a socket to one address of the host; another attempt takes another."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE_S):
            found = await loop.getaddrinfo(collector.host, collector.port, type=socket.SOCK_DGRAM)
            address = str(found[attempt % len(found)][4][0])
            transport, protocol = await loop.create_datagram_endpoint(cls, remote_addr=(address, collector.port))
        protocol._transport = transport
        return protocol

    def error_received(self, error: Exception) -> None:
        """The host, or a network on the way, said that nobody is there."""
        if isinstance(error, OSError):
            self._error = error

    def check(self) -> None:
        """See `Channel`."""
        if self._error is not None:
            raise self._error

    async def send(self, message: bytes) -> None:
        """Send; whether it arrives is never known, but a refusal of one before is."""
        self.check()
        self._transport.sendto(message[:MAX_DATAGRAM])
        await asyncio.sleep(0)  # a refusal comes with the next turn of the loop

    def close(self) -> None:
        """Close the socket."""
        self._transport.close()


class _Stream:
    """Over TCP or TLS."""

    def __init__(
        self,
        collector: Collector,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        left: Callable[[], None],
    ) -> None:
        """`left` is called when the collector closes the connection: over TLS 1.3 that is how it refuses a client."""
        self._framing = collector.framing
        self._writer = writer
        self._reading = asyncio.create_task(self._read(reader))
        self._reading.add_done_callback(lambda _: left())
        # What is written counts as handed over when it has left us. (With 0 asyncio's TLS pauses and never resumes.)
        writer.transport.set_write_buffer_limits(high=1, low=0)

    @classmethod
    async def open(cls, collector: Collector, left: Callable[[], None]) -> "_Stream":
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(
                collector.host,
                collector.port,
                ssl=collector.context,
                server_hostname=collector.host if collector.context is not None else None,
            )
        try:
            if collector.context is not None:
                collector.authenticator.verify(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
        except OSError:
            writer.transport.abort()
            raise
        return cls(collector, reader, writer, left)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Collectors say nothing: reading only tells when they leave."""
        with contextlib.suppress(OSError):
            while await reader.read(4096):
                pass

    def check(self) -> None:
        # asyncio takes what is written to a connection that is over, and logs that: another line to send.
        if self._reading.done() or self._writer.is_closing():
            raise ConnectionResetError("the collector closed the connection")

    async def send(self, message: bytes) -> None:
        self.check()
        self._writer.write(frame(message, self._framing))
        async with asyncio.timeout(PATIENCE_S):
            await self._writer.drain()

    def close(self) -> None:
        """Close; what has not left us yet is in the queue still."""
        self._reading.cancel()
        self._writer.close()
