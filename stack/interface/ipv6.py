"""IPv6: addresses of ours, packets in and out, fragments.

Read first: RFC 8200, RFC 8504 (what a node has to do).
"""

import functools
from collections.abc import Callable

from dns_platform.protocols import Octets
from stack.address import (
    IPV6_LOOPBACK,
    IPV6_UNSPECIFIED,
    LINK_LOCAL_PREFIX,
    Address,
    Network,
    is_multicast,
    multicast_mac,
)
from stack.counters import Counters
from stack.draw import Draw
from stack.interface.addresses import Addresses
from stack.interface.family import Family
from stack.interface.icmpv6 import Icmpv6
from stack.interface.mld import ALL_MLDV2_ROUTERS, Mld
from stack.interface.ndp import Ndp
from stack.interface.notices import Notices
from stack.interface.output import Output
from stack.interface.reassembly import Reassembler
from stack.interface.routers import Routers, link_local_address
from stack.interface.routing import FOREVER
from stack.interface.settings import Settings
from stack.interface.timer import earliest
from stack.interface.upper import Upper
from stack.transport import Unreachable
from stack.wire import icmpv6, ipv6, ipv6_extension
from stack.wire.error import WireError
from stack.wire.ethernet import EtherType
from stack.wire.icmpv6 import Message
from stack.wire.ipv4 import Protocol
from stack.wire.ipv6 import Packet
from stack.wire.ipv6_extension import Chain, Fragment, ParameterProblem, ProblemCode


class Ipv6(Family):
    """IPv6 on one interface. `loop(packet)` takes packets to ourselves."""

    layer = ipv6.LAYER
    ether_type = EtherType.IPV6
    maximum = ipv6.HEADER + ipv6.MAXIMUM_PAYLOAD

    def __init__(
        self,
        output: Output,
        mtu: int,
        upper: Upper,
        settings: Settings,
        counters: Counters,
        draw: Draw,
        notices: Notices,
        loop: Callable[[bytes], None],
        now: float,
    ) -> None:
        limits = settings.limits
        super().__init__(output, mtu, upper, limits, counters, draw, loop)
        self._optimistic = settings.optimistic
        self.hop_limit = 64
        self.link_local = link_local_address(output.mac)
        self.listeners = Mld(draw, counters, self._report)
        self.ndp = Ndp(output, limits, counters, self)
        self.neighbours = self.ndp.neighbours
        self.addresses = Addresses(
            limits.addresses, draw, notices, self.ndp.ask_for_duplicates, self.listeners.join, self.listeners.leave
        )
        self.routers = (
            Routers(
                output.mac,
                mtu,
                limits,
                counters,
                draw,
                notices,
                self.ndp,
                self,
                optimistic=settings.optimistic,
            )
            if settings.accept_advertisements
            else None
        )
        self.icmp = Icmpv6(self, upper, self.path_mtus, self.ndp, self.listeners, self.routers, limits, counters)
        self.reassembler = Reassembler(ipv6.LAYER, limits, counters, self.icmp.reassembly_expired)
        self.assign(self.link_local, Network(LINK_LOCAL_PREFIX + bytes(8), 64), now)
        for static in settings.ipv6:
            self.assign(static.address, static.network, now)
        if settings.ipv6_gateway is not None:
            self.routes.routers[settings.ipv6_gateway] = FOREVER
        if self.routers is not None:
            self.routers.start(now)

    # Addresses

    def assign(self, address: Address, network: Network, now: float) -> None:
        """Use `address` in `network`, which an operator wrote down."""
        self.addresses.add(address, now, optimistic=self._optimistic, kept=True)
        self.routes.on_link[network] = FOREVER

    def slept(self, seconds: float, now: float) -> None:
        """Lifetimes went on for `seconds` while the machine did not run; ask routers what holds now."""
        self.addresses.slept(seconds)
        self.routes.slept(seconds)
        if self.routers is not None:
            self.routers.start(now)

    def is_local(self, address: Address) -> bool:
        """Is it a valid unicast address of ours?"""
        return self.addresses.is_local(address) or address == IPV6_LOOPBACK

    def is_stranger(self, address: Address) -> bool:
        """Can it be the address of another host, from anywhere?"""
        return not (
            is_multicast(address)
            or address in (IPV6_UNSPECIFIED, IPV6_LOOPBACK)
            or self.addresses.get(address) is not None
        )

    def source_for(self, destination: Address) -> Address | None:
        """The address of ours that packets to `destination` carry; None without a route or an address."""
        if self.is_local(destination):
            return destination
        if self.routes.next_hop(destination) is None:
            return None
        return self.addresses.source_for(destination)

    # Packets in

    def receive(self, view: memoryview, group_frame: bool, now: float, looped: bool = False) -> None:
        """Take a packet that came in a frame, to a group when `group_frame`; raises WireError."""
        packet = ipv6.parse(view)
        source, destination = packet.source, packet.destination
        if not looped:
            if ipv6_extension.is_local_scope(source) or ipv6_extension.is_local_scope(destination):
                self._drop("loopback address on the wire")  # RFC 4291 2.5.3
                return
            if self.addresses.is_local(source):
                self._drop("our own address as source")
                return
        if is_multicast(destination):
            if destination not in self.listeners:
                self._drop("group of others")
                return
        elif not self.is_local(destination):
            self._drop("not for us")
            return
        elif group_frame:
            self._drop("unicast packet in a group frame")
            return
        view = view[: ipv6.HEADER + len(packet.payload)]
        try:
            self._walk(packet, view, now)
        except ParameterProblem as problem:
            self.icmp.problem(packet, view, problem, now)
            raise

    def _walk(self, packet: Packet, view: memoryview, now: float) -> None:
        chain = ipv6_extension.parse(packet)
        if chain.fragment is None:
            self._deliver(packet, chain, view, now, fragmented=False)
        elif chain.fragment.offset == 0 and not chain.fragment.more_fragments:
            # RFC 6946: a fragment that is all of a packet never waits for others
            whole = packet._replace(next_header=chain.protocol, payload=chain.payload)
            self._deliver_whole(whole, view, now)
        else:
            self._fragment(packet, chain, chain.fragment, view, now)

    def _fragment(self, packet: Packet, chain: Chain, fragment: Fragment, view: memoryview, now: float) -> None:
        """RFC 8200 4.5."""
        size = len(chain.payload)
        if fragment.more_fragments and (size & 7 or not size):
            raise ParameterProblem("fragment is not a multiple of 8", ProblemCode.ERRONEOUS_FIELD, 4)
        if fragment.offset + size > ipv6.MAXIMUM_PAYLOAD:
            raise ParameterProblem("fragment past the end", ProblemCode.ERRONEOUS_FIELD, chain.pointer + 2)
        first = b""
        if fragment.offset == 0:
            # RFC 7112 5: the first fragment holds all headers, or filters on the way could not have looked at them
            inner = ipv6_extension.parse(packet._replace(next_header=chain.protocol, payload=chain.payload))
            if inner.fragment is not None or len(inner.payload) < 8:
                self._drop("headers beyond the first fragment")
                return
            first = bytes(view)
        key = (packet.source, packet.destination, fragment.identification, 0)
        whole = self.reassembler.add(key, fragment.offset, fragment.more_fragments, chain.payload, first, now)
        if whole is not None:
            body, first = whole
            original = memoryview(first)
            head = ipv6.parse(original)
            kind = ipv6_extension.parse(head).protocol
            self._deliver_whole(head._replace(next_header=kind, payload=body), original, now)

    def _deliver_whole(self, packet: Packet, view: memoryview, now: float) -> None:
        """Deliver what was in fragments: `packet` without the fragment header; `view` is what errors quote."""
        chain = ipv6_extension.parse(packet)
        if chain.fragment is not None:
            self._drop("fragment in a fragment")
            return
        self._deliver(packet, chain, view, now, fragmented=True)

    def _deliver(self, packet: Packet, chain: Chain, view: memoryview, now: float, *, fragmented: bool) -> None:
        if chain.protocol == Protocol.ICMPV6:
            self.icmp.receive(packet, chain, now, fragmented=fragmented)
            return
        if chain.protocol == Protocol.NO_NEXT_HEADER:
            return  # RFC 8200 4.7
        if packet.source == IPV6_UNSPECIFIED:
            self._drop("no source")
            return
        group = is_multicast(packet.destination)
        why = self._upper.receive(chain.protocol, packet.source, packet.destination, chain.payload, group, now)
        if why is not None:
            if why is Unreachable.PROTOCOL:
                self._drop("unknown protocol")
            self.icmp.refuse(packet, view, why, chain.pointer, now)

    # Packets out

    def send(self, source: Address, destination: Address, protocol: int, payload: Octets, now: float) -> None:
        """Send a packet, in fragments when it does not fit."""
        mtu = self.path_mtus.get(destination, now)
        packet = Packet(source, destination, protocol, payload, self.hop_limit)
        if ipv6.HEADER + len(payload) <= mtu or self.is_local(destination):
            self._route(destination, [ipv6.emit(packet)], now)
        else:
            self._send_fragments(packet, mtu, now)

    def _report(self, message: Message, now: float) -> None:  # noqa: ARG002
        """Send an MLD report (RFC 3810 5.2.13: from our link-local address, or from :: while it is tentative)."""
        source = self.link_local if self.addresses.is_settled(self.link_local) else IPV6_UNSPECIFIED
        payload = ipv6_extension.emit_options(Protocol.ICMPV6, ipv6_extension.ROUTER_ALERT)
        payload += icmpv6.emit(message, source, ALL_MLDV2_ROUTERS)
        packet = Packet(source, ALL_MLDV2_ROUTERS, Protocol.HOP_BY_HOP, payload, hop_limit=1)
        self._output.send(multicast_mac(ALL_MLDV2_ROUTERS), EtherType.IPV6, [ipv6.emit(packet)])

    def _send_fragments(self, packet: Packet, mtu: int, now: float) -> None:
        """RFC 8200 4.5; the identification is random (RFC 7739 5)."""
        size = (mtu - ipv6.HEADER - ipv6_extension.FRAGMENT_HEADER) & ~7
        payload = memoryview(packet.payload)
        identification = self._draw.number(32)
        for offset in range(0, len(payload), size):
            more = offset + size < len(payload)
            header = Fragment(packet.next_header, offset, more, identification)
            piece = ipv6_extension.emit_fragment(header, payload[offset : offset + size])
            fragment = packet._replace(next_header=Protocol.FRAGMENT, payload=piece)
            self._route(packet.destination, [ipv6.emit(fragment)], now)

    def _header_of_whole(self, source: Address, destination: Address, protocol: int) -> Callable[[int], bytes]:
        return functools.partial(ipv6.header, Packet(source, destination, protocol, b"", self.hop_limit))

    def _group_mac(self, destination: Address) -> bytes | None:
        return multicast_mac(destination) if is_multicast(destination) else None

    def neighbour_failed(self, address: Address, packets: list[bytes], now: float) -> None:
        """The neighbour does not answer: tell whoever sent the packets that waited for it (RFC 4861 7.2.2)."""
        self.routes.demote(address)
        for packet in packets:
            try:
                quoted = ipv6_extension.parse_quoted(memoryview(packet))
            except WireError:
                continue  # a later fragment has no ports, and the first one is told
            self._upper.unreachable(quoted, Unreachable.HOST, None, now)

    # Time

    def poll_at(self) -> float | None:
        """When `poll` has something to do."""
        return earliest(
            self.neighbours.poll_at(),
            self.addresses.poll_at(),
            self.listeners.poll_at(),
            self.routers.poll_at() if self.routers is not None else None,
            self.reassembler.poll_at(),
            self.routes.poll_at(),
        )

    def poll(self, now: float) -> None:
        """Run the timers that are due."""
        self.listeners.poll(now)
        self.addresses.poll(now)
        if self.routers is not None:
            self.routers.poll(now)
        self.neighbours.poll(now)
        self.reassembler.poll(now)
        self.routes.poll(now)
