"""A TCP connection as an asyncio transport."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from stack.loop.errors import connection_error
from stack.loop.flow import FlowControl
from stack.loop.names import socket_address
from stack.tcp.connection import Connection

if TYPE_CHECKING:
    from stack.loop.loop import StackLoop
    from stack.loop.server import Server

_READ: Final = 1 << 16
"""Octets that a protocol is handed at once."""


class StreamTransport(FlowControl):
    """Carries octets between a protocol and a connection.

    The connection's send buffer is what a socket's would be. What does not fit in it waits here, and only that counts
    for `pause_writing`.
    """

    __slots__ = (
        "_closing",
        "_connection",
        "_eof_told",
        "_eof_wanted",
        "_handle",
        "_lost",
        "_overflow",
        "_paused",
        "_server",
        "_started",
    )

    _start_tls_compatible = True  # asyncio's start_tls looks for it
    _loop: "StackLoop"

    def __init__(
        self, loop: "StackLoop", connection: Connection, protocol: asyncio.BaseProtocol, server: "Server | None" = None
    ) -> None:
        super().__init__(loop, protocol)
        self._connection = connection
        self._server = server
        self._overflow = bytearray()
        self._closing = False
        self._eof_wanted = False
        self._eof_told = False
        self._lost = False
        self._paused = False
        self._started = False
        self._handle: asyncio.Handle | None = None
        connection.user = self
        if server is not None:
            server.attach(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._connection!r}>"

    def start(self) -> None:
        """Tell the protocol that it is connected; data follows."""
        self._protocol.connection_made(self)
        self._started = True
        self.update()

    def wake(self) -> None:
        """The connection has news: look at it in the loop's next turn, once."""
        if self._handle is None:
            self._handle = self._loop.call_soon(self._woken)

    def _woken(self) -> None:
        self._handle = None
        if self._started:
            self.update()

    def update(self) -> None:
        """Bring the protocol up to date with the connection."""
        connection = self._connection
        if self._overflow:
            self._write_overflow()
        while not (self._paused or self._closing) and connection.assembler.unread:
            self._deliver()
        if self._lost:
            return
        if connection.failure is not None:
            self._lose(connection_error(connection.failure, connection.remote))
        elif (
            connection.finished
            and not self._eof_told
            and not (self._paused or self._closing)
            and not connection.assembler.unread
        ):
            self._finish()

    # asyncio.BaseTransport

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - asyncio's signature
        """`peername` and `sockname`; others are not known."""
        if name == "peername":
            return socket_address(self._connection.remote)
        if name == "sockname":
            return socket_address(self._connection.local)
        return default

    def is_closing(self) -> bool:
        """Was `close` or `abort` called, or is the connection lost?"""
        return self._closing or self._lost

    def close(self) -> None:
        """Read no more, send what was written, then close."""
        if self._closing:
            return
        self._closing = True
        if not self._overflow:
            self._loop.call_soon(self._lose, None)

    # asyncio.ReadTransport

    def is_reading(self) -> bool:
        """Does the protocol get data?"""
        return not (self._paused or self._closing)

    def pause_reading(self) -> None:
        """Hand over no data: the window closes as the buffer fills."""
        self._paused = True

    def resume_reading(self) -> None:
        """Hand over data again."""
        if self._paused:
            self._paused = False
            self.wake()

    # asyncio.WriteTransport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data`, or keep it until there is room."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be octets (bytes, bytearray, memoryview), not {type(data).__name__}")
        if self._eof_wanted:
            raise RuntimeError("write() after write_eof()")
        if self._lost or self._closing or self._connection.failure is not None:
            return  # as asyncio's own: the protocol is told, or knows
        sent = 0 if self._overflow else self._connection.send(data)
        if sent < len(data):
            self._overflow += memoryview(data)[sent:]
            self.waits_more()

    def can_write_eof(self) -> bool:
        """TCP can close one direction."""
        return True

    def write_eof(self) -> None:
        """Close our direction, when all was sent; reading goes on."""
        if self._eof_wanted or self._closing:
            return
        self._eof_wanted = True
        if not self._overflow:
            self._connection.close()

    def get_write_buffer_size(self) -> int:
        """Octets that did not fit the connection's send buffer."""
        return len(self._overflow)

    def abort(self) -> None:
        """Close at once with a reset; what was not sent is lost."""
        if not self._lost:
            self._closing = True
            self._overflow.clear()
            self._connection.abort()
            self._loop.call_soon(self._lose, None)

    def _force_close(self, error: Exception | None) -> None:
        """What asyncio's TLS calls when it fails: drop what waits here; what the engine has, an alert, still goes."""
        if not self._lost:
            self._closing = True
            self._overflow.clear()
            self._loop.call_soon(self._lose, error)

    # Within

    def _deliver(self) -> None:
        protocol = self._protocol
        if isinstance(protocol, asyncio.BufferedProtocol):
            buffer = protocol.get_buffer(-1)
            view = memoryview(buffer).cast("B")
            data = self._connection.receive(len(view))
            view[: len(data)] = data
            protocol.buffer_updated(len(data))
        else:
            assert isinstance(protocol, asyncio.Protocol)
            protocol.data_received(self._connection.receive(_READ))

    def _finish(self) -> None:
        """All octets before the peer's FIN were handed over."""
        self._eof_told = True
        protocol = self._protocol
        assert isinstance(protocol, asyncio.Protocol | asyncio.BufferedProtocol)
        if not protocol.eof_received():
            self.close()

    def _write_overflow(self) -> None:
        if self._connection.failure is not None:
            self._overflow.clear()
            return
        with memoryview(self._overflow) as view:
            sent = self._connection.send(view)
        if not sent:
            return
        del self._overflow[:sent]
        self.waits_less()
        if not self._overflow:
            if self._eof_wanted:
                self._connection.close()
            if self._closing:
                self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        """The protocol and the connection part: the engine sends on what is queued by itself."""
        if self._lost:
            return
        self._lost = True
        self._closing = True
        connection = self._connection
        connection.close()
        connection.release(self._loop.time())
        try:
            self._protocol.connection_lost(error)
        finally:
            self._detach()

    def _detach(self) -> None:
        self._connection.user = None
        if self._server is not None:
            self._server.detach(self)
            self._server = None
