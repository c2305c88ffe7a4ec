"""The event loop: asyncio's own scheduling over the turn of our stack.

Only what touches sockets in asyncio's loops is written anew. `BaseEventLoop` calls `_selector.select` once a turn and
`_process_events` with what it returns; that is the whole seam.
"""

import asyncio
import errno
import socket
from asyncio import sslproto
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from stack.address import IPV4_UNSPECIFIED, IPV6_UNSPECIFIED, Address, Endpoint, is_unspecified, text
from stack.interface.interface import Interface
from stack.interface.settings import Settings
from stack.loop.datagram import DatagramTransport
from stack.loop.dial import ATTEMPT_DELAY, interleave, race
from stack.loop.errors import connection_error
from stack.loop.names import AddressInfo, Resolver, endpoint, infos, numeric, port_number
from stack.loop.server import ProtocolFactory, Server
from stack.loop.signals import Signals
from stack.loop.stream import StreamTransport
from stack.loop.turn import Platform, Turn
from stack.tcp.commons import Limits
from stack.tcp.connection import Connection
from stack.tcp.engine import Engine, InUse, Listener
from stack.tcp.secret import SECRET_LENGTH
from stack.tcp.state import State

if TYPE_CHECKING:
    import ssl

_Protocol = TypeVar("_Protocol", bound=asyncio.BaseProtocol)


class StackLoop(asyncio.BaseEventLoop):
    """asyncio over one network interface of `platform`, set up by `settings`.

    Besides asyncio's interface: `interface`, `tcp`, and `resolver`, which `getaddrinfo` asks once it is set.
    """

    def __init__(self, platform: Platform, settings: Settings, tcp_limits: Limits | None = None) -> None:
        super().__init__()
        device = platform.device
        self.platform = platform
        self.interface = Interface(device.mac, device.mtu, settings, platform.entropy, platform.clock.monotonic())
        self.tcp = Engine(self.interface, platform.entropy.random(SECRET_LENGTH), self.interface.counters, tcp_limits)
        self.interface.attach_tcp(self.tcp)
        self.resolver: Resolver | None = None
        self._signals = Signals(self)
        self._dialled: dict[Connection, asyncio.Future[None]] = {}
        self._selector = Turn(platform, self.interface, self.tcp)

    # The seam to BaseEventLoop

    def time(self) -> float:
        """Monotonic seconds of the platform's clock."""
        return self.platform.clock.monotonic()

    def _process_events(self, changed: Iterable[Connection]) -> None:
        for connection in changed:
            user = connection.user
            if isinstance(user, StreamTransport):
                user.wake()
            elif user is self:
                self._dialled_changed(connection)
            elif isinstance(listener := connection.listener, Listener) and isinstance(listener.user, Server):
                connection.listener = None
                if connection.state is not State.CLOSED:
                    self.call_soon(listener.user.accept, connection)

    def _write_to_self(self) -> None:
        self.platform.poller.wake()

    def close(self) -> None:
        """Close the loop: connections that are open are reset, so that their peers know."""
        if self.is_running():
            raise RuntimeError("a running loop can't be closed")
        if not self.is_closed():
            self._signals.clear()
            self.tcp.abort_all()
            self._selector.flush(self.time())
        super().close()

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: object) -> None:
        """Call `callback` in the loop when the process gets signal `sig`; on unix only."""
        self._signals.add(sig, callback, args)

    def remove_signal_handler(self, sig: int) -> bool:
        """Leave signal `sig` to the default again. Was there a handler?"""
        return self._signals.remove(sig)

    # Names

    async def getaddrinfo(  # type: ignore[override]
        self,
        host: str | bytes | None,
        port: str | bytes | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - asyncio's name
        proto: int = 0,
        flags: int = 0,
    ) -> list[AddressInfo]:
        """Addresses of `host`, as `socket.getaddrinfo` tells them. socket.gaierror when there are none."""
        number = port_number(port)
        if isinstance(host, bytes):
            host = host.decode("ascii")
        if not host:
            if not flags & socket.AI_PASSIVE:
                raise socket.gaierror(socket.EAI_NONAME, "a host is needed: there is no loopback interface")
            addresses: Sequence[Address] = (IPV4_UNSPECIFIED, IPV6_UNSPECIFIED)
        elif (address := numeric(host)) is not None:
            addresses = (address,)
        elif self.resolver is None or flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, f"{host!r} is no address, and there is no resolver to ask")
        else:
            addresses = await self.resolver.lookup(host)
        found = [info for info in infos(addresses, number, family, type) if proto in (0, info[2])]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, f"{host!r} has no address of the family that was asked for")
        return found

    async def getnameinfo(self, sockaddr: Sequence[object], flags: int = 0) -> tuple[str, str]:
        """The numbers of `sockaddr`, as text: nobody is asked for names."""
        del flags
        named = endpoint(sockaddr)
        return text(named.address), str(named.port)

    # TCP

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], _Protocol],
        host: str | None = None,
        port: int | str | None = None,
        *,
        ssl: "bool | ssl.SSLContext | None" = None,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        sock: None = None,
        local_addr: tuple[str, int] | None = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        happy_eyeballs_delay: float | None = ATTEMPT_DELAY,
        interleave: int | None = None,
        all_errors: bool = False,
    ) -> tuple[asyncio.Transport, _Protocol]:
        """Connect to `host`; see asyncio. Happy eyeballs are on unless `happy_eyeballs_delay` is None."""
        del all_errors
        if sock is not None or host is None:
            raise ValueError("create_connection needs host and port: this loop has no sockets")
        if server_hostname is None and ssl:
            server_hostname = host
        found = await self.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, proto=proto, flags=flags)
        local = None if local_addr is None else endpoint(local_addr)
        connection = await race(
            _interleaved(found, interleave),
            lambda info: self._dial(local, endpoint(info[4])),
            happy_eyeballs_delay,
            Connection.abort,
        )
        protocol = protocol_factory()
        if not ssl:
            transport = StreamTransport(self, connection, protocol)
            transport.start()
            return transport, protocol
        waiter = self.create_future()
        context = sslproto._create_transport_context(False, server_hostname) if ssl is True else ssl
        secured = self.tls_protocol(
            protocol,
            context,
            server_side=False,
            server_hostname=server_hostname,
            waiter=waiter,
            ssl_handshake_timeout=ssl_handshake_timeout,
            ssl_shutdown_timeout=ssl_shutdown_timeout,
        )
        transport = StreamTransport(self, connection, secured)
        transport.start()
        try:
            await waiter
        except BaseException:
            transport.close()
            raise
        return secured._app_transport, protocol

    def tls_protocol(
        self,
        protocol: asyncio.BaseProtocol,
        context: "ssl.SSLContext",
        *,
        server_side: bool,
        server_hostname: str | None = None,
        waiter: "asyncio.Future[None] | None" = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> sslproto.SSLProtocol:
        """TLS, asyncio's own, between a transport of ours and `protocol`."""
        return sslproto.SSLProtocol(
            self,
            protocol,
            context,
            waiter,  # type: ignore[arg-type]  # None is asyncio's own default for servers
            server_side,
            server_hostname,
            ssl_handshake_timeout=ssl_handshake_timeout,  # type: ignore[arg-type]  # any number
            ssl_shutdown_timeout=ssl_shutdown_timeout,
        )

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: ProtocolFactory,
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        *,
        family: int = 0,
        flags: int = socket.AI_PASSIVE,
        sock: None = None,
        backlog: int = 100,
        ssl: "ssl.SSLContext | None" = None,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
    ) -> Server:
        """Listen on `host`; see asyncio. The bound on half-open connections is the engine's, not `backlog`."""
        del backlog, reuse_address, reuse_port
        if sock is not None:
            raise ValueError("create_server needs host and port: this loop has no sockets")
        hosts = [host] if host is None or isinstance(host, str) else list(host)
        locals_: dict[Endpoint, None] = {}
        for each in hosts:
            found = await self.getaddrinfo(each, port, family=family, type=socket.SOCK_STREAM, flags=flags)
            locals_.update((endpoint(info[4]), None) for info in found)
        listeners = []
        try:
            for local in locals_:
                self._check_local(local.address)
                listeners.append(self.tcp.listen(local))
        except (InUse, OSError) as error:
            for listener in listeners:
                listener.close()
            raise OSError(errno.EADDRINUSE, str(error)) from error
        tls = {"ssl_handshake_timeout": ssl_handshake_timeout, "ssl_shutdown_timeout": ssl_shutdown_timeout}
        server = Server(self, listeners, protocol_factory, ssl, tls)
        if start_serving:
            await server.start_serving()
        return server

    def _check_local(self, address: Address) -> None:
        if not is_unspecified(address) and not self.interface.is_local(address):
            raise OSError(errno.EADDRNOTAVAIL, f"{text(address)} is not an address of this interface")

    async def _dial(self, local: Endpoint | None, remote: Endpoint) -> Connection:
        """A connection to `remote`, once it is established. OSError when that fails."""
        if local is None or is_unspecified(local.address):
            source = self.interface.source_for(remote.address)
            if source is None:
                raise OSError(errno.ENETUNREACH, f"{remote}: no route, or no address of our own of that family")
            local = Endpoint(source, local.port if local is not None else 0)
        self._check_local(local.address)
        try:
            connection = self.tcp.connect(local, remote, self.time())
        except InUse as error:
            raise OSError(errno.EADDRINUSE, str(error)) from error
        connection.user = self
        waiter = self._dialled[connection] = self.create_future()
        try:
            await waiter
        except BaseException:
            connection.abort()
            raise
        finally:
            del self._dialled[connection]
            if waiter.done() and not waiter.cancelled():
                waiter.exception()  # whoever gave up in the same moment was told something else
        return connection

    def _dialled_changed(self, connection: Connection) -> None:
        waiter = self._dialled.get(connection)
        if waiter is None or waiter.done():
            return
        if connection.failure is not None:
            waiter.set_exception(connection_error(connection.failure, connection.remote))
        elif connection.state is State.ESTABLISHED or connection.state is State.CLOSE_WAIT:
            waiter.set_result(None)

    # UDP

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.DatagramProtocol],
        local_addr: tuple[str | None, int] | None = None,
        remote_addr: tuple[str, int] | None = None,
        *,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        reuse_port: bool | None = None,
        allow_broadcast: bool | None = None,
        sock: None = None,
    ) -> tuple[DatagramTransport, asyncio.DatagramProtocol]:
        """A UDP endpoint; see asyncio."""
        del reuse_port, allow_broadcast, proto
        if sock is not None:
            raise ValueError("create_datagram_endpoint needs addresses: this loop has no sockets")
        remote = local = None
        if remote_addr is not None:
            found = await self.getaddrinfo(*remote_addr, family=family, type=socket.SOCK_DGRAM, flags=flags)
            remote = endpoint(found[0][4])
            family = found[0][0]
        if local_addr is not None:
            found = await self.getaddrinfo(
                *local_addr, family=family, type=socket.SOCK_DGRAM, flags=flags | socket.AI_PASSIVE
            )
            local = endpoint(found[0][4])
        if local is None:
            local = Endpoint(IPV6_UNSPECIFIED if family == socket.AF_INET6 else IPV4_UNSPECIFIED, 0)
        protocol = protocol_factory()
        transport = DatagramTransport(self, protocol)
        transport.start(local, remote)
        return transport, protocol


def _interleaved(found: list[AddressInfo], first_family_count: int | None) -> list[AddressInfo]:
    return interleave(found, first_family_count or 1)
