"""IPv4: addresses of ours, packets in and out, fragments.

Read first: RFC 791, RFC 1122 3.2.1 and 3.3, RFC 6864 (identification).
"""

import functools
from collections.abc import Callable

from dns_platform.protocols import Octets
from stack.address import (
    BROADCAST_MAC,
    IPV4_BROADCAST,
    IPV4_UNSPECIFIED,
    Address,
    Network,
    is_loopback,
    is_multicast,
    multicast_mac,
    text,
)
from stack.counters import Counters
from stack.draw import Draw
from stack.interface.arp import Arp
from stack.interface.family import Family
from stack.interface.icmp import Icmp, is_reachable_source
from stack.interface.limits import Limits
from stack.interface.notices import Notices
from stack.interface.output import Output
from stack.interface.reassembly import Reassembler
from stack.interface.routing import FOREVER
from stack.interface.timer import earliest
from stack.interface.upper import Upper
from stack.transport import Unreachable
from stack.wire import ipv4
from stack.wire.ethernet import EtherType
from stack.wire.ipv4 import Packet, Protocol

ALL_HOSTS: Address = bytes((224, 0, 0, 1))  # RFC 1112 4: every host listens to it


class Ipv4(Family):
    """IPv4 on one interface. `loop(packet)` takes packets to ourselves."""

    layer = ipv4.LAYER
    ether_type = EtherType.IPV4
    maximum = ipv4.MAXIMUM

    def __init__(
        self,
        output: Output,
        mtu: int,
        upper: Upper,
        limits: Limits,
        counters: Counters,
        draw: Draw,
        notices: Notices,
        loop: Callable[[bytes], None],
    ) -> None:
        super().__init__(output, mtu, upper, limits, counters, draw, loop)
        self._notices = notices
        self._networks: dict[Address, Network] = {}
        self._broadcasts = {IPV4_BROADCAST}
        self.arp = Arp(output, limits, counters, draw, notices, self)
        self.neighbours = self.arp.neighbours
        self.icmp = Icmp(self, upper, self.path_mtus, limits, counters)
        self.reassembler = Reassembler(ipv4.LAYER, limits, counters, self.icmp.reassembly_expired)

    # Addresses

    def assign(
        self,
        address: Address,
        network: Network,
        now: float,
        *,
        optimistic: bool,
        kept: bool,
        lost: Callable[[float], None] | None = None,
    ) -> None:
        """Claim `address` in `network` (RFC 5227) and use it; `lost(now)` is called when another host has it."""

        def claimed(now: float) -> None:  # noqa: ARG001
            self._notices.add("address claimed", f"{text(address)} is ours")

        def taken(now: float) -> None:
            self.withdraw(address)
            if lost is not None:
                lost(now)

        self._networks[address] = network
        self._note_broadcasts()
        self.routes.on_link[network] = FOREVER
        self.arp.claims.add(address, now, optimistic=optimistic, kept=kept, claimed=claimed, lost=taken)

    def withdraw(self, address: Address) -> None:
        """No longer use `address`."""
        network = self._networks.pop(address, None)
        self.arp.claims.drop(address)
        self._note_broadcasts()
        if network is not None and network not in self._networks.values():
            self.routes.on_link.pop(network, None)

    def _note_broadcasts(self) -> None:
        networks = self._networks.values()
        self._broadcasts = {IPV4_BROADCAST, *(network.broadcast for network in networks if network.length < 31)}

    @property
    def addresses(self) -> list[Address]:
        """Addresses that may be used now."""
        return [address for address in self._networks if self.arp.claims.is_usable(address)]

    def is_local(self, address: Address) -> bool:
        """Is it a valid unicast address of ours?"""
        return self.is_assigned(address) or is_loopback(address)

    def is_assigned(self, address: Address) -> bool:
        """Is it an address of ours that may be used on the link?"""
        return address in self._networks and self.arp.claims.is_usable(address)

    def is_stranger(self, address: Address) -> bool:
        """Can it be the address of another host, from anywhere (RFC 1122 3.2.1.3)?"""
        return address not in self._networks and self.is_unicast(address) and not is_loopback(address)

    @property
    def no_strangers(self) -> list[Address]:
        """Addresses of ours, in use or not, and broadcast addresses."""
        return [*self._networks, *self._broadcasts]

    def is_broadcast(self, address: Address) -> bool:
        """Is it everyone on the link (RFC 1122 3.2.1.3)? In networks of /31 and /32 there is no such address."""
        return address in self._broadcasts

    def is_unicast(self, address: Address) -> bool:
        """Is it the address of one host, as far as we can know?"""
        return is_reachable_source(address) and not self.is_broadcast(address)

    def source_for(self, destination: Address) -> Address | None:
        """The address of ours that packets to `destination` carry: one in the network of the next hop, or the first."""
        if self.is_local(destination):
            return destination
        hop = self.routes.next_hop(destination)
        usable = self.addresses
        if hop is None and destination != IPV4_BROADCAST:
            return None
        for address in usable:
            if hop is not None and hop in self._networks[address]:
                return address
        return next(iter(usable), None)

    # Packets in

    def receive(self, view: memoryview, broadcast: bool, now: float, looped: bool = False) -> None:
        """Take a packet that came in a frame, to a group when `broadcast`; raises WireError."""
        packet = ipv4.parse(view)
        source, destination = packet.source, packet.destination
        if not looped and (is_loopback(source) or is_loopback(destination)):
            self._drop("loopback address on the wire")  # RFC 1122 3.2.1.3 (g)
            return
        if source != IPV4_UNSPECIFIED and not self.is_unicast(source):
            self._drop("source is no host")
            return
        if not looped and source in self._networks:
            self._drop("our own address as source")
            return
        group = self.is_broadcast(destination) or destination == ALL_HOSTS
        if not group and not self.is_local(destination):
            self._drop("not for us")
            return
        if broadcast and not group:
            self._drop("unicast packet in a broadcast frame")  # RFC 1122 3.3.6
            return
        if packet.more_fragments or packet.offset:
            self._fragment(packet, view, group, now)
        else:
            self._deliver(packet, view, group, now)

    def _fragment(self, packet: Packet, view: memoryview, group: bool, now: float) -> None:
        key = (packet.source, packet.destination, packet.identification, packet.protocol)
        first = bytes(view) if packet.offset == 0 else b""
        payload = memoryview(packet.payload)
        whole = self.reassembler.add(key, packet.offset, packet.more_fragments, payload, first, now)
        if whole is not None:
            body, first = whole
            head = ipv4.parse(memoryview(first))
            if len(first) - len(head.payload) + len(body) > ipv4.MAXIMUM:
                self._drop("fragment past the end")
                return
            full = head._replace(payload=memoryview(body), more_fragments=False)
            self._deliver(full, memoryview(ipv4.emit(full)), group, now)

    def _deliver(self, packet: Packet, view: memoryview, group: bool, now: float) -> None:
        if packet.protocol == Protocol.ICMP:
            self.icmp.receive(packet, group, now)
            return
        payload = memoryview(packet.payload)
        why = self._upper.receive(packet.protocol, packet.source, packet.destination, payload, group, now)
        if why is not None:
            if why is Unreachable.PROTOCOL:
                self._drop("unknown protocol")
            self.icmp.refuse(packet, view, why, group, now)

    # Packets out

    def send(self, source: Address, destination: Address, protocol: int, payload: Octets, now: float) -> None:
        """Send a packet, in fragments when it does not fit."""
        mtu = self.path_mtus.get(destination, now)
        packet = Packet(source, destination, protocol, payload, identification=self._draw.number(16))
        if ipv4.HEADER + len(payload) <= mtu or self.is_local(destination):
            self._route(destination, [ipv4.emit(packet)], now)
        else:
            self._send_fragments(packet, mtu, now)

    def _send_fragments(self, packet: Packet, mtu: int, now: float) -> None:
        """RFC 791 3.2: all pieces but the last are multiples of 8 octets."""
        size = (mtu - ipv4.HEADER) & ~7
        payload = memoryview(packet.payload)
        for offset in range(0, len(payload), size):
            piece = payload[offset : offset + size]
            more = offset + size < len(payload)
            fragment = packet._replace(payload=piece, offset=offset, more_fragments=more)
            self._route(packet.destination, [ipv4.emit(fragment)], now)

    def _header_of_whole(self, source: Address, destination: Address, protocol: int) -> Callable[[int], bytes]:
        # RFC 6864 4.1: of a packet that nobody may fragment the identification means nothing
        return functools.partial(ipv4.header, Packet(source, destination, protocol, b"", do_not_fragment=True))

    def _group_mac(self, destination: Address) -> bytes | None:
        if self.is_broadcast(destination):
            return BROADCAST_MAC
        return multicast_mac(destination) if is_multicast(destination) else None

    def neighbour_failed(self, address: Address, packets: list[bytes], now: float) -> None:
        """The neighbour does not answer: tell whoever sent the packets that waited for it (RFC 1122 3.3.1.4)."""
        self.routes.demote(address)
        for packet in packets:
            if not ipv4.parse(memoryview(packet)).offset:
                self._upper.unreachable(ipv4.parse_quoted(memoryview(packet)), Unreachable.HOST, None, now)

    # Time

    def poll_at(self) -> float | None:
        """When `poll` has something to do."""
        return earliest(self.arp.poll_at(), self.reassembler.poll_at(), self.routes.poll_at())

    def poll(self, now: float) -> None:
        """Run the timers that are due."""
        self.arp.poll(now)
        self.reassembler.poll(now)
        self.routes.poll(now)
