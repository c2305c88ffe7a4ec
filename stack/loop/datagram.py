"""A UDP socket as an asyncio transport."""

import asyncio
from typing import TYPE_CHECKING, Any

from stack.address import Endpoint
from stack.interface.udp import UdpError, UdpSocket
from stack.loop.errors import datagram_error
from stack.loop.names import endpoint, socket_address
from stack.transport import Unreachable

if TYPE_CHECKING:
    from stack.loop.loop import StackLoop


class DatagramTransport(asyncio.DatagramTransport):
    """Carries datagrams. Nothing waits here: what can't be sent is lost, as on any network."""

    def __init__(self, loop: "StackLoop", protocol: asyncio.DatagramProtocol) -> None:
        super().__init__()
        self._loop = loop
        self._protocol = protocol
        self._socket: UdpSocket | None = None
        self._closing = False

    def start(self, local: Endpoint, remote: Endpoint | None) -> None:
        """Bind, and tell the protocol. OSError when the endpoint can't be had."""
        try:
            self._socket = self._loop.interface.udp.bind(local, self._received, self._failed, remote)
        except UdpError as error:
            raise OSError(str(error)) from error
        self._protocol.connection_made(self)

    def sendto(self, data: Any, addr: Any = None) -> None:  # noqa: ANN401 - asyncio's signature
        """Send `data` to `addr`, or to the remote address of the endpoint. What can't be sent is told the protocol."""
        socket = self._socket
        if socket is None or self._closing:
            return
        destination = socket.remote if addr is None else endpoint(addr)
        if destination is None:
            raise ValueError("the endpoint has no remote address: sendto() needs one")
        if socket.remote is not None and destination != socket.remote:
            raise ValueError(f"the endpoint is for {socket.remote}, not {destination}")
        try:
            socket.send(bytes(data), destination, self._loop.time())
        except UdpError as error:
            self._protocol.error_received(OSError(str(error)))

    def close(self) -> None:
        """Give up the port."""
        if self._closing:
            return
        self._closing = True
        if self._socket is not None:
            self._socket.close()
        self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """As `close`: nothing waits."""
        self.close()

    def is_closing(self) -> bool:
        """Was `close` called?"""
        return self._closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - asyncio's signature
        """`sockname`, and `peername` when there is one."""
        socket = self._socket
        if socket is not None and name == "sockname":
            return socket_address(socket.local)
        if socket is not None and name == "peername" and socket.remote is not None:
            return socket_address(socket.remote)
        return default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand everything to `protocol` from now on."""
        assert isinstance(protocol, asyncio.DatagramProtocol)
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Whom everything is handed to."""
        return self._protocol

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0

    def _received(self, payload: bytes, source: Endpoint, _destination: Endpoint) -> None:
        # By way of the loop: its handler takes what a protocol raises, and the interface is not entered twice.
        self._loop.call_soon(self._deliver, payload, source)

    def _deliver(self, payload: bytes, source: Endpoint) -> None:
        if not self._closing:
            self._protocol.datagram_received(payload, socket_address(source))

    def _failed(self, destination: Endpoint, why: Unreachable) -> None:
        if not self._closing:
            self._loop.call_soon(self._protocol.error_received, datagram_error(why, destination))
