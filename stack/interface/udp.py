"""UDP sockets without I/O.

Read first: RFC 768, RFC 1122 4.1, RFC 6056 (ports).
"""

from collections.abc import Callable
from typing import Protocol

from dns_platform.protocols import Octets
from stack.address import Address, Endpoint, is_unspecified
from stack.counters import Counters
from stack.draw import Draw
from stack.transport import Unreachable
from stack.wire import udp
from stack.wire.ipv4 import Protocol as ProtocolNumber
from stack.wire.udp import Datagram

MAXIMUM_PAYLOAD = 65535 - 20 - udp.HEADER
"""Octets of payload: what an IPv4 packet without options carries; the same for IPv6, to be simple."""

_EPHEMERAL_FIRST = 1024  # RFC 6056 3.2: the more ports, the harder to guess
_EPHEMERAL_COUNT = 65536 - _EPHEMERAL_FIRST
_ATTEMPTS = 64

Received = Callable[[bytes, Endpoint, Endpoint], None]
"""Called with payload, source and destination of each datagram."""
Respond = Callable[[bytes, Address], bytes | None]
"""The reply to one request from an address, or None for none; never raises."""
LATER = b""
"""A reply that says: this one is for `received`, which replies when it can."""
Failed = Callable[[Endpoint, Unreachable], None]
"""Called with the destination of a datagram that did not arrive, and why, as far as ICMP says so."""


class UdpError(Exception):
    """A socket can't be bound or a datagram can't be sent; the message says why."""


class Ip(Protocol):
    """What UDP needs of IP."""

    def source_for(self, destination: Address) -> Address | None:
        """The address of ours that packets to `destination` carry."""
        ...

    def is_local(self, address: Address) -> bool:
        """Is it a valid unicast address of ours?"""
        ...

    def send(self, source: Address, destination: Address, protocol: int, payload: bytes, now: float) -> None:
        """Send a packet."""
        ...


class UdpSocket:
    """A bound socket: datagrams to `local`, and from `remote` only when it is connected."""

    __slots__ = ("_udp", "failed", "local", "received", "remote")

    def __init__(
        self,
        owner: "Udp",
        local: Endpoint,
        remote: Endpoint | None,
        received: Received,
        failed: Failed | None,
    ) -> None:
        self._udp = owner
        self.local = local
        self.remote = remote
        self.received = received
        self.failed = failed

    def send(self, payload: Octets, destination: Endpoint, now: float, source: Address | None = None) -> None:
        """Send a datagram to `destination`; UdpError when there is no way to do so.

        It comes from the socket's address, else from `source`, else from the address that suits the destination. A
        reply gives as `source` the destination of what it answers (RFC 1122 4.1.3.5).
        """
        self._udp.send(self, payload, destination, now, source)

    def close(self) -> None:
        """Give up the port. Can be called twice."""
        self._udp.close(self)


_Key = tuple[Address, int, Endpoint | None]


class Udp:
    """All sockets of an interface."""

    def __init__(self, ip: Ip, limit: int, counters: Counters, draw: Draw) -> None:
        self._ip = ip
        self._limit = limit
        self._counters = counters
        self._draw = draw
        self._sockets: dict[_Key, UdpSocket] = {}
        self.responders: dict[tuple[Address, int], Respond] = {}
        """What is served, by endpoint, whose address is unspecified for any; the express ways look here."""

    def bind(
        self, local: Endpoint, received: Received, failed: Failed | None = None, remote: Endpoint | None = None
    ) -> UdpSocket:
        """A socket on `local`: any address of the family when it is unspecified, a random port when it is 0.

        UdpError when the port is taken, the address is not ours, or there are too many sockets.
        """
        for served in self.responders:
            if _same_port(served, local):
                raise UdpError(f"{local} can't be bound: its port is served")
        return self._bind(local, received, failed, remote)

    def serve(self, local: Endpoint, respond: Respond, received: "Received | None" = None) -> UdpSocket:
        """As `bind`, for requests that are answered at once, by what `respond` makes of their payload and source.

        Those to which `respond` says `LATER` go to `received`. Answers come from the address that was asked. A port
        that is served has no other sockets of its family, so that `Express` need not look for them.
        """
        for other in self._sockets.values():
            if _same_port(other.local, local) and other.local not in self.responders:
                raise UdpError(f"{local} can't be served: {other.local} is bound")
        socket = self._bind(local, received or _nothing, None, None)
        self.responders[socket.local] = respond
        return socket

    def _bind(self, local: Endpoint, received: Received, failed: Failed | None, remote: Endpoint | None) -> UdpSocket:
        if not is_unspecified(local.address) and not self._ip.is_local(local.address):
            raise UdpError(f"{local} can't be bound: the address is not one of this interface")
        if len(self._sockets) >= self._limit:
            raise UdpError(f"{local} can't be bound: there are {self._limit} sockets already")
        if local.port == 0:
            local = self._ephemeral(local.address, remote)
        key = (local.address, local.port, remote)
        if key in self._sockets:
            raise UdpError(f"{local} is already bound")
        socket = self._sockets[key] = UdpSocket(self, local, remote, received, failed)
        return socket

    def send(
        self, socket: UdpSocket, payload: Octets, destination: Endpoint, now: float, source: Address | None
    ) -> None:
        """See `UdpSocket.send`."""
        if len(payload) > MAXIMUM_PAYLOAD:
            raise UdpError(f"{len(payload)} octets don't fit a datagram: {MAXIMUM_PAYLOAD} at most")
        if len(destination.address) != len(socket.local.address) or not destination.port:
            raise UdpError(f"{destination} is no destination for a socket on {socket.local}")
        if not is_unspecified(socket.local.address):
            source = socket.local.address
        elif source is None:
            source = self._ip.source_for(destination.address)
        if source is None:
            raise UdpError(f"no route to {destination}")
        datagram = Datagram(socket.local.port, destination.port, payload)
        packet = udp.emit(datagram, source, destination.address)
        self._ip.send(source, destination.address, ProtocolNumber.UDP, packet, now)

    def close(self, socket: UdpSocket) -> None:
        """See `UdpSocket.close`."""
        key = (socket.local.address, socket.local.port, socket.remote)
        if self._sockets.get(key) is socket:
            del self._sockets[key]
            self.responders.pop(socket.local, None)

    def receive(
        self, source: Address, destination: Address, payload: memoryview, group: bool, now: float
    ) -> Unreachable | None:
        """Take the payload of a packet; PORT when nothing listens there. `group` when it was not to us alone."""
        datagram = udp.parse(payload, source, destination)
        socket = self._find(Endpoint(destination, datagram.destination), Endpoint(source, datagram.source), group)
        if socket is None:
            self._counters.add(udp.LAYER, "no socket")
            return Unreachable.PORT
        peer, local = Endpoint(source, datagram.source), Endpoint(destination, datagram.destination)
        respond = self.responders.get(socket.local)
        if respond is None:
            socket.received(bytes(datagram.payload), peer, local)
        elif group:  # one request, and everybody on the link would answer it to a source that may be forged
            self._counters.add(udp.LAYER, "request to a group")
        elif not datagram.source:
            self._counters.add(udp.LAYER, "request from port 0")
        else:
            reply = respond(bytes(datagram.payload), source)
            if reply == LATER:
                socket.received(bytes(datagram.payload), peer, local)
            elif reply is not None:
                self._reply(socket, reply, peer, destination, now)
        return None

    def _reply(self, socket: UdpSocket, reply: bytes, peer: Endpoint, source: Address, now: float) -> None:
        try:
            self.send(socket, reply, peer, now, source)
        except UdpError:  # no route, too long
            self._counters.add(udp.LAYER, "reply that can't be sent")

    def accepts(self, source: Address, destination: Address, quoted: memoryview) -> bool:
        """Can `quoted` have been sent by a connected socket? Others ignore path MTUs: they are too easy to forge."""
        return self._quoted(source, destination, quoted, connected=True) is not None

    def unreachable(self, source: Address, destination: Address, quoted: memoryview, why: Unreachable) -> None:
        """A datagram from `source` to `destination` did not arrive."""
        socket = self._quoted(source, destination, quoted, connected=False)
        if socket is None:
            self._counters.add(udp.LAYER, "error for no socket")
        elif socket.failed is not None:
            socket.failed(Endpoint(destination, int.from_bytes(quoted[2:4])), why)

    def _quoted(
        self, source: Address, destination: Address, quoted: memoryview, *, connected: bool
    ) -> UdpSocket | None:
        local = Endpoint(source, int.from_bytes(quoted[:2]))
        socket = self._find(local, Endpoint(destination, int.from_bytes(quoted[2:4])), group=False)
        return None if socket is None or (connected and socket.remote is None) else socket

    def _find(self, local: Endpoint, remote: Endpoint, group: bool) -> UdpSocket | None:
        """The socket that fits best; connected ones first, those on any address last."""
        sockets = self._sockets
        anywhere = bytes(len(local.address))
        if group:
            return sockets.get((anywhere, local.port, None))
        return (
            sockets.get((local.address, local.port, remote))
            or sockets.get((anywhere, local.port, remote))
            or sockets.get((local.address, local.port, None))
            or sockets.get((anywhere, local.port, None))
        )

    def _ephemeral(self, address: Address, remote: Endpoint | None) -> Endpoint:
        """RFC 6056 3.3.1: a random port that is free."""
        for _ in range(_ATTEMPTS):
            port = _EPHEMERAL_FIRST + self._draw.below(_EPHEMERAL_COUNT)
            if not any(
                (where, port, who) in self._sockets
                for where in (address, bytes(len(address)))
                for who in {remote, None}
            ) and not any(_same_port(served, Endpoint(address, port)) for served in self.responders):
                return Endpoint(address, port)
        raise UdpError("no free port was found")


def _same_port(one: tuple[Address, int], other: tuple[Address, int]) -> bool:
    """Are both of one port and family?"""
    return one[1] == other[1] and len(one[0]) == len(other[0])


def _nothing(_payload: bytes, _source: Endpoint, _destination: Endpoint) -> None:
    """A socket that is served has its responder instead."""
