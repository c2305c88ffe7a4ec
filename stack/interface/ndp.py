"""Neighbour discovery: finds neighbours, answers for our addresses, and asks whether they are ours alone.

Read first: RFC 4861 7, RFC 4862 5.4.
"""

import typing
from collections.abc import Sequence

from stack.address import ALL_NODES, IPV6_UNSPECIFIED, Address, is_multicast, multicast_mac, solicited_node
from stack.counters import Counters
from stack.interface.addresses import Addresses
from stack.interface.limits import Limits
from stack.interface.neighbours import Neighbours
from stack.interface.output import Output
from stack.wire import icmpv6, ipv6, ndp
from stack.wire.ethernet import EtherType
from stack.wire.ipv4 import Protocol
from stack.wire.ipv6 import Packet
from stack.wire.ndp import Body, NeighbourAdvertisement, NeighbourSolicitation, Options

HOP_LIMIT = 255  # RFC 4861 7.1: what has been through a router has less, and is not believed


class Owner(typing.Protocol):
    """What neighbour discovery asks of IPv6."""

    addresses: Addresses

    def source_for(self, destination: Address) -> Address | None:
        """The address of ours that a question for `destination` carries."""
        ...

    def is_neighbour(self, address: Address) -> bool:
        """Can `address` be that of a host on the link, other than us?"""
        ...

    def neighbour_failed(self, address: Address, packets: list[bytes], now: float) -> None:
        """The neighbour does not answer; `packets` waited for it."""
        ...


class Ndp:
    """Neighbour solicitations and advertisements on one interface."""

    def __init__(self, output: Output, limits: Limits, counters: Counters, owner: Owner) -> None:
        self._output = output
        self._counters = counters
        self._owner = owner
        self.neighbours = Neighbours(ndp.LAYER, limits, counters, self._ask, self._deliver, owner.neighbour_failed)

    def solicited(self, packet: Packet, body: NeighbourSolicitation, now: float) -> None:
        """Take a question (RFC 4861 7.2.3, 7.2.4)."""
        addresses = self._owner.addresses
        target = body.target
        entry = addresses.get(target)
        if entry is None:
            self._counters.add(ndp.LAYER, "question for another host")
            return
        if packet.source == IPV6_UNSPECIFIED:
            self._detection(packet, body, now)
            return
        if not addresses.is_local(target):
            self._counters.add(ndp.LAYER, "question for a tentative address")  # RFC 4862 5.4.3: silently ignored
            return
        mac = body.options.source_mac
        if mac is not None and self._owner.is_neighbour(packet.source):
            self.neighbours.learn(packet.source, mac, now)
        self._advertise(target, packet.source, mac, now)

    def advertised(self, packet: Packet, body: NeighbourAdvertisement, now: float) -> None:
        """Take an answer (RFC 4861 7.2.5)."""
        if body.solicited and is_multicast(packet.destination):
            self._counters.add(ndp.LAYER, "solicited advertisement to a group")  # RFC 4861 7.1.2
            return
        addresses = self._owner.addresses
        if addresses.get(body.target) is not None:
            if addresses.is_settled(body.target):
                # RFC 4862 5.4.4 leaves this open; RFC 4861 7.2.5 has no defence. Anyone can say so: it is counted.
                self._counters.add(ndp.LAYER, "advertisement of our address")
            else:
                addresses.duplicate(body.target, now)
            return
        self.neighbours.advertised(
            body.target, body.options.target_mac, now, solicited=body.solicited, override=body.override
        )

    def ask_for_duplicates(self, address: Address) -> None:
        """Does anyone else have `address` (RFC 4862 5.4.2)?"""
        body = NeighbourSolicitation(address, Options())
        self.send_to_group(IPV6_UNSPECIFIED, solicited_node(address), body)

    def send_to_group(self, source: Address, group: Address, body: Body) -> None:
        """Send `body` to everyone who listens to `group`."""
        self._deliver(multicast_mac(group), [_emit(source, group, body)])

    def _detection(self, packet: Packet, body: NeighbourSolicitation, now: float) -> None:
        """Another host asks whether `body.target` is free (RFC 4862 5.4.3)."""
        if body.options.source_mac is not None or packet.destination != solicited_node(body.target):
            self._counters.add(ndp.LAYER, "bad question from the unspecified address")  # RFC 4861 7.1.1
        elif self._owner.addresses.is_settled(body.target):
            self._advertise(body.target, ALL_NODES, None, now)
        else:
            self._owner.addresses.duplicate(body.target, now)

    def _advertise(self, target: Address, destination: Address, mac: bytes | None, now: float) -> None:
        """RFC 4861 7.2.4; RFC 4429 3.3: an optimistic address never overrides what others know.

        To `mac` when the question came with one: an answer is no use of a neighbour, which would let a flood of
        questions drive out those that are in use.
        """
        override = self._owner.addresses.is_settled(target)
        to_group = destination == ALL_NODES
        body = NeighbourAdvertisement(target, False, not to_group, override, Options(target_mac=self._output.mac))
        if to_group:
            self.send_to_group(target, destination, body)
        elif mac is not None:
            self._deliver(mac, [_emit(target, destination, body)])
        else:
            self.neighbours.send(destination, [_emit(target, destination, body)], now)

    def _ask(self, target: Address, mac: bytes | None) -> None:
        source = self._owner.source_for(target)
        if source is None:
            self._counters.add(ndp.LAYER, "no address to ask with")
            return
        # RFC 4429 3.2: a question from an optimistic address does not tell our MAC
        settled = self._owner.addresses.is_settled(source)
        body = NeighbourSolicitation(target, Options(source_mac=self._output.mac if settled else None))
        if mac is None:
            self.send_to_group(source, solicited_node(target), body)
        else:
            self._deliver(mac, [_emit(source, target, body)])

    def _deliver(self, mac: bytes, packets: Sequence[bytes]) -> None:
        self._output.send(mac, EtherType.IPV6, packets)


def _emit(source: Address, destination: Address, body: Body) -> bytes:
    """The packet that carries `body`."""
    message = icmpv6.emit(ndp.emit(body), source, destination)
    return ipv6.emit(Packet(source, destination, Protocol.ICMPV6, message, HOP_LIMIT))
