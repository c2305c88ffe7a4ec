"""Listening: what `loop.create_server` returns."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stack.loop.names import SocketAddress, family_of, socket_address
from stack.loop.stream import StreamTransport
from stack.tcp.connection import Connection
from stack.tcp.engine import Listener

if TYPE_CHECKING:
    import ssl

    from stack.loop.loop import StackLoop

ProtocolFactory = Callable[[], asyncio.BaseProtocol]


class ListeningSocket:
    """Stands in `Server.sockets` for a socket: says where the server listens."""

    def __init__(self, listener: Listener) -> None:
        self._address = socket_address(listener.local)
        self.family = family_of(listener.local.address)

    def getsockname(self) -> SocketAddress:
        """Address and port."""
        return self._address


class Server(asyncio.AbstractServer):
    """Passes the connections of its listeners to protocols, each made by `factory`."""

    def __init__(
        self,
        loop: "StackLoop",
        listeners: list[Listener],
        factory: ProtocolFactory,
        context: "ssl.SSLContext | None",
        tls: dict[str, Any],
    ) -> None:
        self._loop = loop
        self._listeners = listeners
        self._factory = factory
        self._context = context
        self._tls = tls
        self._transports: set[StreamTransport] = set()
        self._closed = False
        self._waiters: list[asyncio.Future[None]] = []
        self._forever: asyncio.Future[None] | None = None
        self._serving = False
        for listener in listeners:
            listener.user = self

    @property
    def sockets(self) -> tuple[ListeningSocket, ...]:
        """Where it listens; nothing once it is closed."""
        return tuple(ListeningSocket(listener) for listener in self._listeners)

    def accept(self, connection: Connection) -> None:
        """A handshake is complete."""
        if not self._serving:
            connection.abort()
            return
        protocol = self._factory()
        if self._context is not None:
            protocol = self._loop.tls_protocol(protocol, self._context, server_side=True, **self._tls)
        StreamTransport(self._loop, connection, protocol, self).start()

    def attach(self, transport: StreamTransport) -> None:
        """`transport` is a connection of ours."""
        self._transports.add(transport)

    def detach(self, transport: StreamTransport) -> None:
        """`transport` is lost."""
        self._transports.discard(transport)
        self._wake()

    # asyncio.AbstractServer

    def get_loop(self) -> "StackLoop":
        """The loop it runs on."""
        return self._loop

    def is_serving(self) -> bool:
        """Does it accept connections?"""
        return self._serving

    async def start_serving(self) -> None:
        """Accept connections, if `create_server` was told not to."""
        if self._closed:
            raise RuntimeError("the server is closed")
        self._serving = True

    async def serve_forever(self) -> None:
        """Accept connections until cancelled; then close."""
        if self._forever is not None:
            raise RuntimeError("serve_forever() is running already")
        await self.start_serving()
        self._forever = self._loop.create_future()
        try:
            await self._forever
        finally:
            self._forever = None
            self.close()
            await self.wait_closed()

    def close(self) -> None:
        """Stop listening; open connections stay."""
        if self._closed:
            return
        self._closed = True
        self._serving = False
        for listener in self._listeners:
            listener.close()
        self._listeners = []
        if self._forever is not None and not self._forever.done():
            self._forever.cancel()
        self._wake()

    def close_clients(self) -> None:
        """Close all connections."""
        for transport in list(self._transports):
            transport.close()

    def abort_clients(self) -> None:
        """Reset all connections."""
        for transport in list(self._transports):
            transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the server is closed and the last of its connections lost."""
        if self._closed and not self._transports:
            return
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        if self._closed and not self._transports:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()
