"""Sockets of the host: UDP read in turns of several datagrams, TCP by asyncio's server."""

import asyncio
import functools
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dns_server.answer.engine import Kind
from dns_server.answer.protocol import Transport
from dns_server.client import Client
from dns_server.endpoint import Endpoint
from dns_server.listeners.answering import Answer, BatchAnswer
from dns_server.listeners.binding import IP_PKTINFO, Share, bind, bind_both
from dns_server.listeners.later import Later
from dns_server.listeners.messages import MessageQueue, is_available
from dns_server.listeners.streams import StreamConnection
from dns_server.listeners.udp_counters import UdpCounters
from stack.address import parse

DATAGRAMS_A_TURN: Final = 32
"""Datagrams of one socket that are answered before others get their turn."""
BATCHES_A_TURN: Final = 4
"""Batches of one socket that are answered before others get their turn."""
MAX_QUERY: Final = 4096
"""Octets; a longer datagram is dropped: nothing that asks a server needs them."""
_SPREAD: Final = 64  # slots a power of two apart would share the same few lines of the cache
_ACCEPTED_A_TURN: Final = 16
_BACKLOG: Final = 512

# Of linux/in.h and linux/in6.h; the socket module does not have all of them.
_IPV6_MULTICAST: Final = 0xFF  # RFC 4291 2.7: the first octet
_IN_PKTINFO: Final = struct.Struct("=I4s4s")  # interface, address to answer from, destination of the query

Peer = tuple[Any, ...]


class UdpSocket:
    """One bound socket, read whenever it has something."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        bound: socket.socket,
        answer: Answer,
        later: Later,
        counters: UdpCounters,
        report: Callable[..., None],
    ) -> None:
        self._loop = loop
        self._socket = bound
        self._answer = answer
        self._later = later
        self._counters = counters
        self._report = report
        loop.add_reader(bound, self._readable)

    def pause(self) -> None:
        """Read no more; what is being answered can still be sent."""
        self._loop.remove_reader(self._socket)

    def close(self) -> None:
        """Stop answering."""
        self.pause()
        self._socket.close()

    def _readable(self) -> None:
        """Answer what has come, up to a bound."""
        counters, answer = self._counters, self._answer
        try:
            for _ in range(DATAGRAMS_A_TURN):
                data, context, peer = self._receive()
                counters.received += 1
                if len(data) > MAX_QUERY:
                    counters.oversized += 1
                    continue
                if not peer[1]:
                    counters.from_port_0 += 1
                    continue
                if any(_is_to_group(message) for message in context):
                    counters.to_group += 1
                    continue
                reply = answer(data, parse(peer[0].partition("%")[0]))
                if isinstance(reply, Kind):
                    client = Client(peer[0], peer[1], Transport.UDP)
                    send = functools.partial(self._try_send, context=context, peer=peer)
                    self._later.start(reply, data, client, send)
                elif reply is not None:
                    self._try_send(reply, context, peer)
        except BlockingIOError:
            return
        except OSError as error:  # an error queued on the socket is reported by the next read; the socket lives on
            self._report("reading from a UDP socket failed", reason=error.strerror or str(error))

    def _try_send(self, reply: bytes, context: Sequence[tuple[int, int, bytes]], peer: Peer) -> None:
        try:
            self._send(reply, context, peer)
        except OSError as error:
            self._counters.unsent += 1
            self._report("an answer was not sent", peer=str(peer[0]), reason=error.strerror or str(error))
        else:
            self._counters.sent += 1

    def _receive(self) -> tuple[bytes, Sequence[tuple[int, int, bytes]], Peer]:
        data, peer = self._socket.recvfrom(MAX_QUERY + 1)
        return data, (), peer

    def _send(self, reply: bytes, _context: Sequence[tuple[int, int, bytes]], peer: Peer) -> None:
        self._socket.sendto(reply, peer)


class WildcardUdpSocket(UdpSocket):
    """A socket bound to all addresses; the answer leaves from the one that was asked.

    The kernel tells the destination of each datagram and takes the source of each answer as control messages, so
    addresses that come and go need no rebinding.
    """

    def _receive(self) -> tuple[bytes, Sequence[tuple[int, int, bytes]], Peer]:
        data, control, _flags, peer = self._socket.recvmsg(MAX_QUERY + 1, 64)
        return data, control, peer

    def _send(self, reply: bytes, context: Sequence[tuple[int, int, bytes]], peer: Peer) -> None:
        self._socket.sendmsg((reply,), [_answer_from(message) for message in context], 0, peer)


class BatchUdpSocket:
    """A bound socket that is read, answered and written several datagrams at a time."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        bound: socket.socket,
        answer: BatchAnswer,
        later: Later,
        counters: UdpCounters,
        report: Callable[..., None],
        *,
        is_wildcard: bool,
    ) -> None:
        self._loop = loop
        self._socket = bound
        self._answer = answer
        self._later = later
        self._counters = counters
        self._report = report
        self._queue = MessageQueue(bound, MAX_QUERY + _SPREAD, is_wildcard=is_wildcard)
        loop.add_reader(bound, self._readable)

    def pause(self) -> None:
        """Read no more; what is being answered can still be sent."""
        self._loop.remove_reader(self._socket)

    def close(self) -> None:
        """Stop answering."""
        self.pause()
        self._socket.close()

    def _readable(self) -> None:
        """Answer what has come, up to a bound."""
        counters, queue = self._counters, self._queue
        try:
            for _ in range(BATCHES_A_TURN):
                count = queue.receive()
                counters.received += count
                counters.oversized += queue.cut
                counters.from_port_0 += queue.from_port_0
                counters.to_group += queue.to_group
                for index, kind in self._answer(queue.batch, count):
                    peer, context = queue.reply_path(index)
                    client = Client(peer[0], peer[1], Transport.UDP)
                    send = functools.partial(self._send, peer=peer, context=[_answer_from(one) for one in context])
                    self._later.start(kind, queue.batch.query(index), client, send)
                sent, failure = queue.send(count)
                counters.sent += sent
                if failure is not None:
                    counters.unsent += count - sent
                    self._report("an answer was not sent", reason=failure.strerror or str(failure))
                if count < queue.batch.size:
                    return
        except BlockingIOError:
            return
        except OSError as error:  # an error queued on the socket is reported by the next read; the socket lives on
            self._report("reading from a UDP socket failed", reason=error.strerror or str(error))

    def _send(self, reply: bytes, peer: Peer, context: Sequence[tuple[int, int, bytes]]) -> None:
        """Send a reply outside of the batch."""
        try:
            self._socket.sendmsg((reply,), context, 0, peer)
        except OSError as error:
            self._counters.unsent += 1
            self._report("an answer was not sent", peer=str(peer[0]), reason=error.strerror or str(error))
        else:
            self._counters.sent += 1


def _answer_from(message: tuple[int, int, bytes]) -> tuple[int, int, bytes]:
    """The control message for an answer, from that of its query."""
    level, kind, data = message
    if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
        _interface, local, _destination = _IN_PKTINFO.unpack(data)
        return level, kind, _IN_PKTINFO.pack(0, local, bytes(4))
    return message  # in6_pktinfo means the same in both directions


def _is_to_group(message: tuple[int, int, bytes]) -> bool:
    """Whether the query with that control message came to a broadcast or multicast address."""
    level, kind, data = message
    if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
        _interface, local, destination = _IN_PKTINFO.unpack(data)
        return bool(local != destination)
    return data[0] == _IPV6_MULTICAST


@dataclass(slots=True)
class HostListeners:
    """What is open on the host's network."""

    loop: asyncio.AbstractEventLoop
    report: Callable[..., None]
    """Called with an event and fields for what a peer can cause at will."""
    later: Later
    batches: BatchAnswer | None = None
    """Answers several datagrams at a time, where the system can read them so."""
    udp_counters: UdpCounters = field(init=False)
    workers: int = 0
    """Other processes that read the UDP sockets, each its own; with none of them they are read here."""
    shares: list[list[Share]] = field(init=False)
    """For each of `workers`, its sockets."""
    _udp: list[UdpSocket | BatchUdpSocket] = field(default_factory=list)
    _tcp: list[asyncio.Server] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.udp_counters = self.later.counters
        self.shares = [[] for _ in range(self.workers)]

    async def open(self, endpoint: Endpoint, answer: Answer, streams: Callable[[], StreamConnection]) -> Endpoint:
        """Listen on `endpoint` over UDP and TCP; with its real port. CannotListen."""
        tcp, shares = bind_both(endpoint, max(1, self.workers), self.report)
        bound = Endpoint(endpoint.address, tcp.getsockname()[1])
        if self.workers:
            for own, share in zip(self.shares, shares, strict=True):
                own += share
        else:
            self.read(shares[0], answer)
        await self._serve(tcp, streams)
        return bound

    def read(self, shares: Sequence[Share], answer: Answer) -> None:
        """Answer what comes to bound UDP sockets."""
        self._udp += [self._datagrams(share.socket, answer, is_wildcard=share.is_wildcard) for share in shares]

    def _datagrams(self, udp: socket.socket, answer: Answer, *, is_wildcard: bool) -> "UdpSocket | BatchUdpSocket":
        if self.batches is not None and is_available():
            return BatchUdpSocket(
                self.loop, udp, self.batches, self.later, self.udp_counters, self.report, is_wildcard=is_wildcard
            )
        kind = WildcardUdpSocket if is_wildcard else UdpSocket
        return kind(self.loop, udp, answer, self.later, self.udp_counters, self.report)

    async def open_stream(self, endpoint: Endpoint, streams: Callable[[], asyncio.Protocol]) -> Endpoint:
        """Listen on `endpoint` over TCP alone; with its real port. CannotListen."""
        tcp = bind(endpoint, socket.SOCK_STREAM)
        bound = Endpoint(endpoint.address, tcp.getsockname()[1])
        await self._serve(tcp, streams)
        return bound

    def pause(self) -> None:
        """Read no more UDP sockets; what is being answered can still be sent."""
        for udp in self._udp:
            udp.pause()

    def close(self) -> None:
        """Close all sockets; connections that are open are the streams' own business."""
        for udp in self._udp:
            udp.close()
        for own in self.shares:
            for share in own:
                share.socket.close()
        for server in self._tcp:
            server.close()

    async def _serve(self, tcp: socket.socket, streams: Callable[[], asyncio.Protocol]) -> None:
        # asyncio takes as many connections in one turn as its backlog says: little there, much in the kernel.
        self._tcp.append(await self.loop.create_server(streams, sock=tcp, backlog=_ACCEPTED_A_TURN))
        tcp.listen(_BACKLOG)
