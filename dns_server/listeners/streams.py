"""DNS over streams: TCP, and TLS over it. Works over any asyncio transport.

Read first: RFC 7766 (DNS over TCP), RFC 9210 (operational requirements), RFC 7858 (DNS over TLS).

Queries on a connection may be pipelined; answers leave in their order, a length and its message in one write, several
of them together where several are ready. Requests that are answered later, or with many messages, don't hold up the
others (RFC 7766 7); the next message of a reply is made when the one before is on its way.

What a peer can hold is bounded: connections in all and of one client, time
without a whole query or without progress of the answers, octets waiting to be sent. While answers wait for a slow
reader, no more queries are read from it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dns_server.answer.engine import Kind
from dns_server.answer.protocol import Transport
from dns_server.client import Client
from dns_server.listeners.answering import Aborted, Answer, Handle
from dns_server.listeners.clients import Clients
from dns_server.reasons import reason
from stack.address import Address, parse

if TYPE_CHECKING:  # images without TLS have no ssl
    import ssl

QUERIES_A_TURN = 16
"""Queries of one connection that are answered before others get their turn."""
WRITE_SIZE = 16_384
"""Octets of ready answers after which they are written, whether or not more are ready."""
LATER_LIMIT = 8
"""Requests of one connection that are answered later, at the same time; while there are so many, nothing is read."""
UNSENT_LIMIT = 65_536
"""Octets waiting for a slow reader at which reading its queries stops."""
HANDSHAKE_S = 5.0
"""Seconds that a TLS handshake may take."""
NOBODY: Final = Client("", 0, Transport.TCP)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What all connections together, and the peers, may take."""

    connections: int
    per_client: int
    idle_s: float


@dataclass(slots=True)
class StreamCounters:
    """What happened since the start."""

    accepted: int = 0
    refused_per_client: int = 0
    """Connections closed at once because their client had too many."""
    evicted: int = 0
    """Idle connections closed to make room."""
    timed_out: int = 0
    queries: int = 0
    tls_failed: int = 0


@dataclass(slots=True)
class Streams:
    """All stream connections of the service. Its methods `plain` and `tls` make protocols for `create_server`."""

    loop: asyncio.AbstractEventLoop
    answer: Answer
    handle: Handle
    limits: StreamLimits
    report: Callable[..., None]
    """Called with an event and fields for what an operator may want to know; a peer can cause it at will."""
    bug: Callable[..., None]
    """Called likewise for a defect of ours."""
    counters: StreamCounters = field(default_factory=StreamCounters)
    clients: Clients["StreamConnection"] = field(init=False)
    _sweep: asyncio.TimerHandle | None = None
    _handshakes: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.clients = Clients(self.limits.per_client)

    def plain(self) -> "StreamConnection":
        """A protocol for one connection of DNS over TCP."""
        return StreamConnection(self)

    def tls(self, context: "ssl.SSLContext") -> Callable[[], "StreamConnection"]:
        """A factory of protocols for connections of DNS over TLS, for a server that listens without TLS.

        So a connection counts from its first moment, handshake included.
        """
        return lambda: StreamConnection(self, context)

    def close(self) -> None:
        """Close every connection; what is on its way out gets no more time."""
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in self.clients.all():
            connection.abort()

    def admit(self, connection: "StreamConnection", address: str) -> bool:
        """Whether a new connection of the client at `address` may stay; makes room for it."""
        if not self.clients.may_come(address):
            self.counters.refused_per_client += 1
            self.report("connection refused: its client has too many", client=address, limit=self.limits.per_client)
            return False
        if len(self.clients) >= self.limits.connections and (longest := self.clients.longest_idle()):
            self.counters.evicted += 1
            self.report("idle connection closed to make room", limit=self.limits.connections)
            longest[0].abort()
        self.counters.accepted += 1
        self.clients.add(connection, address, self.loop.time())
        if self._sweep is None:
            self._schedule_sweep()
        return True

    def start_tls(
        self, connection: "StreamConnection", transport: asyncio.Transport, context: "ssl.SSLContext"
    ) -> None:
        """Begin the handshake of a new connection."""
        task = self.loop.create_task(self._handshake(connection, transport, context))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _handshake(
        self, connection: "StreamConnection", transport: asyncio.Transport, context: "ssl.SSLContext"
    ) -> None:
        try:
            secured = await self.loop.start_tls(
                transport,
                connection,
                context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_S,
                ssl_shutdown_timeout=1.0,
            )
        except (OSError, asyncio.CancelledError) as error:  # ssl.SSLError is an OSError
            self.counters.tls_failed += 1
            self.report("TLS handshake failed", reason=reason(error))
            self.clients.remove(connection)
            transport.abort()
            return
        if secured is None:  # the peer left meanwhile
            self.clients.remove(connection)
            return
        connection.secured(secured)

    def _schedule_sweep(self) -> None:
        longest = self.clients.longest_idle()
        self._sweep = None
        if longest is not None:
            self._sweep = self.loop.call_at(longest[1] + self.limits.idle_s, self._close_idle)

    def _close_idle(self) -> None:
        now = self.loop.time()
        while (longest := self.clients.longest_idle()) and longest[1] + self.limits.idle_s <= now:
            if longest[0].waits_for_us:
                self.clients.touch(longest[0], now)
                continue
            self.counters.timed_out += 1
            longest[0].abort()
        self._schedule_sweep()


class StreamConnection(asyncio.Protocol):
    """One connection: octets in, whole queries to the engine, answers out."""

    __slots__ = (
        "_at_end",
        "_buffer",
        "_client",
        "_context",
        "_handshaking",
        "_later",
        "_scheduled",
        "_source",
        "_streams",
        "_transport",
        "_writable",
        "_write_paused",
    )

    def __init__(self, streams: Streams, context: "ssl.SSLContext | None" = None) -> None:
        self._streams = streams
        self._context = context
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._source: Address = b""
        self._handshaking = context is not None
        self._write_paused = False
        self._client = NOBODY
        self._later: set[asyncio.Task[None]] = set()
        self._writable = asyncio.Event()
        self._writable.set()
        self._scheduled = False  # the next turn over the buffer is already on its way
        self._at_end = False  # the peer will send no more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer connected."""
        assert isinstance(transport, asyncio.Transport)
        peer = transport.get_extra_info("peername")
        if not peer or not self._streams.admit(self, peer[0]):  # no peer: it has gone already
            transport.abort()
            return
        self._transport = transport
        self._source = parse(peer[0].partition("%")[0])
        self._client = Client(peer[0], peer[1], Transport.TCP, self._context is not None)
        if self._context is None:
            transport.set_write_buffer_limits(high=UNSENT_LIMIT)
        else:
            transport.pause_reading()  # the handshake's octets are not for us
            self._streams.start_tls(self, transport, self._context)

    def secured(self, transport: asyncio.Transport) -> None:
        """The TLS handshake is done: `transport` carries the queries."""
        self._transport = transport
        self._handshaking = False
        transport.set_write_buffer_limits(high=UNSENT_LIMIT)
        self._turn()  # queries may have come with the handshake's end

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is closed."""
        self._transport = None
        self._buffer.clear()
        self._streams.clients.remove(self)
        for task in self._later:
            task.cancel()

    @property
    def waits_for_us(self) -> bool:
        """Whether the peer waits for a reply that is not ready yet."""
        return bool(self._later) and not self._write_paused

    def abort(self) -> None:
        """Close at once."""
        self._streams.clients.remove(self)
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Octets from the peer, cut anywhere."""
        self._buffer += data
        if not (self._scheduled or self._write_paused or self._handshaking or self._is_full):
            self._turn()

    def eof_received(self) -> bool:
        """The peer shut its side: what it asked is still answered (RFC 7766 6.2.3 leaves the closing to either)."""
        self._at_end = True
        return self._scheduled or self._write_paused or self._handshaking or bool(self._later)

    def pause_writing(self) -> None:
        """Too many octets wait for the peer."""
        self._write_paused = True
        self._writable.clear()

    def resume_writing(self) -> None:
        """The peer has read most of what waited."""
        self._write_paused = False
        self._writable.set()
        if self in self._streams.clients:
            self._streams.clients.touch(self, self._streams.loop.time())
            self._schedule()

    @property
    def _is_full(self) -> bool:
        """Whether no more requests that are answered later may come."""
        return len(self._later) >= LATER_LIMIT

    def _start(self, kind: Kind, query: bytes) -> None:
        task = self._streams.loop.create_task(self._run(kind, query))
        self._later.add(task)
        task.add_done_callback(self._ended)

    async def _run(self, kind: Kind, query: bytes) -> None:
        """Send the messages of the reply to `query`, each when the peer has taken those before."""
        streams = self._streams
        try:
            async with contextlib.aclosing(streams.handle(kind, query, self._client)) as messages:
                async for message in messages:
                    transport = self._transport
                    if transport is None or transport.is_closing():
                        return
                    transport.write(len(message).to_bytes(2, "big") + message)
                    if self in streams.clients:
                        streams.clients.touch(self, streams.loop.time())
                    await asyncio.sleep(0)
                    await self._writable.wait()
        except Aborted as aborted:
            streams.report("a reply was cut off", client=str(self._client), reason=str(aborted))
            self.abort()
        except Exception as error:
            streams.bug("internal error, a request was dropped", query=query[:512].hex(), exc_info=error)
            self.abort()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._later.discard(task)
        if self._transport is not None:
            self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._streams.loop.call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._scheduled = False
        if not self._write_paused:
            self._turn()

    def _turn(self) -> None:
        """Answer what is whole in the buffer, up to a bound."""
        transport, buffer, streams = self._transport, self._buffer, self._streams
        if transport is None or transport.is_closing():
            return
        position = queries = 0
        ready: list[bytes] = []
        ready_size = 0
        refused = False
        while queries < QUERIES_A_TURN and not self._write_paused and not self._is_full:
            end = position + 2 + int.from_bytes(buffer[position : position + 2], "big")
            if len(buffer) < position + 2 or len(buffer) < end:
                break
            start = position + 2
            reply = streams.answer(bytes(buffer[start:end]), self._source)
            position = end
            queries += 1
            if isinstance(reply, Kind):
                self._start(reply, bytes(buffer[start:end]))
                continue
            if reply is None:
                refused = True
                break
            ready += (len(reply).to_bytes(2, "big"), reply)
            ready_size += 2 + len(reply)
            if ready_size >= WRITE_SIZE:
                transport.write(b"".join(ready))  # may call pause_writing
                ready.clear()
                ready_size = 0
        if ready:
            transport.write(b"".join(ready))
        if queries:
            streams.counters.queries += queries
            streams.clients.touch(self, streams.loop.time())
            del buffer[:position]
        if refused:
            transport.close()  # no DNS query: nothing good will follow; what was answered is still sent
            return
        self._balance(transport)

    def _balance(self, transport: asyncio.Transport) -> None:
        """Read on when the buffer has no whole query left; else see to it that the next turn comes."""
        buffer = self._buffer
        whole = len(buffer) >= 2 and len(buffer) >= 2 + int.from_bytes(buffer[:2], "big")
        if self._write_paused or self._is_full or whole:
            if transport.is_reading():
                transport.pause_reading()
            if whole and not self._write_paused and not self._is_full:
                self._schedule()
        elif self._at_end:
            if not self._later:
                transport.close()
        elif not transport.is_reading():
            transport.resume_reading()
