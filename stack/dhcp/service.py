"""The DHCP client on an interface: its socket, its timers, and the address that it brings."""

from collections.abc import Callable

from stack.address import IPV4_UNSPECIFIED, Endpoint, text
from stack.dhcp.client import DhcpClient
from stack.dhcp.lease import Lease
from stack.interface.interface import Interface
from stack.interface.path_mtu import MINIMUM_IPV4
from stack.interface.routing import FOREVER
from stack.wire import dhcpv4
from stack.wire.error import WireError


class DhcpService:
    """Gives `interface` an address by DHCP from `now` on.

    `changed(lease)` is told of each lease, new or renewed, and of None when it is lost.
    """

    def __init__(
        self,
        interface: Interface,
        now: float,
        host_name: str | None = None,
        changed: Callable[[Lease | None], None] | None = None,
    ) -> None:
        self._interface = interface
        self._changed = changed
        self._lease: Lease | None = None
        self._socket = interface.udp.bind(Endpoint(IPV4_UNSPECIFIED, dhcpv4.CLIENT_PORT), self._receive)
        self.client = DhcpClient(
            interface.mac, host_name, interface.draw, interface.counters, self._bound, self._unbound, now
        )
        interface.attach(self)

    @property
    def lease(self) -> Lease | None:
        """What is granted now."""
        return self._lease

    def poll_at(self) -> float | None:
        """See `Agent.poll_at`."""
        return self.client.poll_at()

    def poll(self, now: float) -> None:
        """See `Agent.poll`."""
        self.client.poll(now)
        self._send(now)

    def slept(self, seconds: float) -> None:
        """See `DhcpClient.slept`."""
        self.client.slept(seconds)

    def close(self, now: float) -> None:
        """Give the address back."""
        self.client.release()
        self._send(now)
        self._socket.close()
        self._interface.detach(self)

    def _receive(self, payload: bytes, source: Endpoint, destination: Endpoint) -> None:  # noqa: ARG002
        if source.port != dhcpv4.SERVER_PORT:
            self._interface.counters.add(dhcpv4.LAYER, "not from a server's port")
            return
        now = self._interface.now
        try:
            self.client.receive(memoryview(payload), now)
        except WireError as error:
            self._interface.counters.add(error.layer, error.reason)
        self._send(now)

    def _send(self, now: float) -> None:
        for message in self.client.take():
            server = Endpoint(message.destination, dhcpv4.SERVER_PORT)
            self._socket.send(message.payload, server, now, message.source)

    def _bound(self, lease: Lease, now: float) -> None:
        if self._lease is not None and self._lease.address != lease.address:
            self._drop()
        ipv4 = self._interface.ipv4
        if self._lease is None:
            optimistic = self._interface.settings.optimistic
            ipv4.assign(lease.address, lease.network, now, optimistic=optimistic, kept=False, lost=self.client.conflict)
            self._interface.notices.add("address leased", f"{text(lease.address)} from {text(lease.server)}")
        ipv4.routes.routers.clear()
        for router in lease.routers[: self._interface.settings.limits.routers]:
            ipv4.routes.routers[router] = FOREVER
        if lease.mtu is not None and lease.mtu >= MINIMUM_IPV4:
            ipv4.path_mtus.link_mtu = min(lease.mtu, self._interface.mtu)
        self._lease = lease
        if self._changed is not None:
            self._changed(lease)

    def _unbound(self, now: float) -> None:  # noqa: ARG002
        if self._lease is None:
            return
        self._drop()
        if self._changed is not None:
            self._changed(None)

    def _drop(self) -> None:
        if self._lease is not None:
            self._interface.notices.add("lease lost", text(self._lease.address))
            self._interface.ipv4.withdraw(self._lease.address)
            self._interface.ipv4.routes.routers.clear()
            self._lease = None
