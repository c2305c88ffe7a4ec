"""What is open on the host's network: UDP sockets that are answered as they are read, TCP by asyncio's server."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from dns_server.endpoint import Endpoint
from dns_server.listeners.answering import Answer, BatchAnswer
from dns_server.listeners.binding import Share, bind, bind_both
from dns_server.listeners.datagrams import BatchUdpSocket, PlainUdpSocket, UdpSocket, WildcardUdpSocket
from dns_server.listeners.later import Later
from dns_server.listeners.messages import is_available
from dns_server.listeners.streams import StreamConnection
from dns_server.listeners.udp_counters import UdpCounters

_ACCEPTED_A_TURN: Final = 16
_BACKLOG: Final = 512


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
    _udp: list[UdpSocket] = field(default_factory=list)
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

    def _datagrams(self, udp: socket.socket, answer: Answer, *, is_wildcard: bool) -> UdpSocket:
        if self.batches is not None and is_available():
            return BatchUdpSocket(
                self.loop, udp, self.batches, self.later, self.udp_counters, self.report, is_wildcard=is_wildcard
            )
        kind = WildcardUdpSocket if is_wildcard else PlainUdpSocket
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
