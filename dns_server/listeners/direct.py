"""Listening on the own stack: queries over UDP are answered while their frame is still at hand, TCP by its loop."""

import asyncio
import errno
import functools
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field
from typing import Final

from dns_platform.protocols import BATCH
from dns_server.answer.batch import Batch
from dns_server.answer.engine import Kind
from dns_server.answer.protocol import Transport
from dns_server.client import Client
from dns_server.endpoint import Endpoint
from dns_server.listeners.answering import Answer, BatchAnswer
from dns_server.listeners.binding import CannotListen
from dns_server.listeners.datagrams import MAX_QUERY
from dns_server.listeners.later import Later
from dns_server.listeners.streams import StreamConnection
from dns_server.listeners.udp_counters import UdpCounters
from stack import address
from stack.address import Address
from stack.interface.udp import LATER, UdpError, UdpSocket
from stack.loop.loop import StackLoop
from stack.loop.server import Server

_QUERY_SLOT: Final = 512
"""Octets; a longer query does not go with the batch."""


class DatagramAnswerer:
    """One UDP socket of the stack; the answer leaves from the address that was asked."""

    def __init__(self, loop: StackLoop, answer: Answer, later: Later, counters: UdpCounters) -> None:
        self._loop = loop
        self._answer = answer
        self._later = later
        self._counters = counters
        self._socket: UdpSocket | None = None

    def bind(self, local: address.Endpoint) -> None:
        """Answer what comes to `local`. UdpError."""
        self._socket = self._loop.interface.udp.serve(local, self._respond, self._received)

    def serves(self, local: address.Endpoint) -> bool:
        """Whether datagrams to `local` come here."""
        bound = None if self._socket is None else self._socket.local
        return bound is not None and bound.port == local.port and bound.address in (local.address, _any_of(local))

    def answer_later(self, kind: Kind, query: bytes, peer: address.Endpoint, local: address.Endpoint) -> None:
        """Have `query` from `peer` to `local` answered when that can be."""
        client = Client(address.text(peer.address), peer.port, Transport.UDP)
        self._later.start(kind, query, client, functools.partial(self._send, peer=peer, source=local.address))

    def close(self) -> None:
        """Stop answering."""
        if self._socket is not None:
            self._socket.close()

    def _respond(self, query: bytes, source: Address) -> bytes | None:
        counters = self._counters
        counters.received += 1
        if len(query) > MAX_QUERY:
            counters.oversized += 1
            return None
        reply = self._answer(query, source)
        if isinstance(reply, Kind):
            return LATER
        if reply is not None:
            counters.sent += 1  # what can't be sent after all is counted by the stack
        return reply

    def _received(self, query: bytes, peer: address.Endpoint, local: address.Endpoint) -> None:
        """A request to which `_respond` said that it is for later."""
        kind = self._answer(query, peer.address)
        if isinstance(kind, Kind):
            self.answer_later(kind, query, peer, local)

    def _send(self, reply: bytes, peer: address.Endpoint, source: Address) -> None:
        assert self._socket is not None
        try:
            self._socket.send(reply, peer, self._loop.time(), source)
        except UdpError:
            self._counters.unsent += 1
        else:
            self._counters.sent += 1


def _any_of(endpoint: address.Endpoint) -> Address:
    """The unspecified address of the same family."""
    return bytes(len(endpoint.address))


@dataclass(slots=True)
class DirectListeners:
    """What is open on the own stack; see `HostListeners`."""

    loop: StackLoop
    answer_batch: InitVar[BatchAnswer]
    """Answers several datagrams at a time, as each of the answers that `open` gets does."""
    later: Later
    udp_counters: UdpCounters = field(init=False)
    _udp: list[DatagramAnswerer] = field(default_factory=list)
    _tcp: list[Server] = field(default_factory=list)

    def __post_init__(self, answer_batch: BatchAnswer) -> None:
        self.udp_counters = counters = self.later.counters
        batch = Batch(BATCH, _QUERY_SLOT)

        def respond(count: int) -> None:
            for index, kind in answer_batch(batch, count):
                self._answer_later(batch, index, kind)
            counters.received += count
            counters.sent += batch.replied(count)

        self.loop.interface.serve_batches(batch, respond)

    async def open(self, endpoint: Endpoint, answer: Answer, streams: Callable[[], StreamConnection]) -> Endpoint:
        """Listen on `endpoint` over UDP and TCP; with its real port. CannotListen."""
        bound = await self.open_stream(endpoint, streams)
        answerer = DatagramAnswerer(self.loop, answer, self.later, self.udp_counters)
        try:
            answerer.bind(address.Endpoint(address.parse(bound.address), bound.port))
        except UdpError as error:
            raise CannotListen(endpoint, "UDP", OSError(errno.EADDRNOTAVAIL, str(error))) from None
        self._udp.append(answerer)
        return bound

    async def open_stream(self, endpoint: Endpoint, streams: Callable[[], asyncio.Protocol]) -> Endpoint:
        """Listen on `endpoint` over TCP alone; with its real port. CannotListen."""
        try:
            server = await self.loop.create_server(streams, endpoint.address, endpoint.port)
        except OSError as error:
            raise CannotListen(endpoint, "TCP", error) from None
        self._tcp.append(server)
        return Endpoint(endpoint.address, server.sockets[0].getsockname()[1])

    def _answer_later(self, batch: Batch, index: int, kind: Kind) -> None:
        batches = self.loop.interface.batches
        assert batches is not None
        local = batches.destination(index)
        peer = address.Endpoint(batch.source(index), batch.port(index))
        for answerer in self._udp:
            if answerer.serves(local):
                answerer.answer_later(kind, batch.query(index), peer, local)
                return

    def close(self) -> None:
        """Close all; connections that are open are the streams' own business."""
        for answerer in self._udp:
            answerer.close()
        for server in self._tcp:
            server.close()
