"""ARP: finds neighbours, answers for our addresses, and looks out for others that use them.

Read first: RFC 826, RFC 5227.
"""

from collections.abc import Sequence
from typing import Protocol

from stack.address import BROADCAST_MAC, IPV4_UNSPECIFIED, Address
from stack.counters import Counters
from stack.draw import Draw
from stack.interface.claims import Claims
from stack.interface.limits import Limits
from stack.interface.neighbours import Neighbours
from stack.interface.notices import Notices
from stack.interface.output import Output
from stack.interface.timer import earliest
from stack.wire import arp
from stack.wire.arp import Operation, Packet
from stack.wire.ethernet import EtherType

_NOBODY = bytes(6)


class Owner(Protocol):
    """What ARP asks of IPv4."""

    def source_for(self, destination: Address) -> Address | None:
        """The address of ours that a question for `destination` carries."""
        ...

    def is_neighbour(self, address: Address) -> bool:
        """Can `address` be that of a host on the link, other than us?"""
        ...

    def neighbour_failed(self, address: Address, packets: list[bytes], now: float) -> None:
        """The neighbour does not answer; `packets` waited for it."""
        ...


class Arp:
    """ARP on one interface."""

    def __init__(
        self, output: Output, limits: Limits, counters: Counters, draw: Draw, notices: Notices, owner: Owner
    ) -> None:
        self._output = output
        self._counters = counters
        self._owner = owner
        self.claims = Claims(output.mac, draw, notices, self._probe, self._announce)
        self.neighbours = Neighbours(arp.LAYER, limits, counters, self._ask, self._deliver, owner.neighbour_failed)

    def receive(self, view: memoryview, now: float) -> None:
        """Take an ARP packet; raises WireError."""
        packet = arp.parse(view)
        if packet.sender_mac == self._output.mac:
            self._counters.add(arp.LAYER, "our own packet")
            return
        if self.claims.heard(packet, now):
            self._counters.add(arp.LAYER, "address conflict")
            return
        for_us = self.claims.is_usable(packet.target)
        if packet.sender != IPV4_UNSPECIFIED and self._owner.is_neighbour(packet.sender):
            self._learn(packet, for_us, now)
        if packet.operation is Operation.REQUEST and for_us:
            self._send(packet.sender_mac, Packet(Operation.REPLY, self._output.mac, packet.target, *packet[1:3]))

    def poll_at(self) -> float | None:
        """When `poll` has something to do."""
        return earliest(self.neighbours.poll_at(), self.claims.poll_at())

    def poll(self, now: float) -> None:
        """Run the timers that are due."""
        self.neighbours.poll(now)
        self.claims.poll(now)

    def _learn(self, packet: Packet, for_us: bool, now: float) -> None:
        """RFC 826: renew what is known of the sender; make an entry only when we are the target."""
        if packet.operation is Operation.REPLY and for_us and self.neighbours.is_asked(packet.sender):
            self.neighbours.advertised(packet.sender, packet.sender_mac, now, solicited=True, override=True)
        elif for_us and packet.operation is Operation.REQUEST:
            self.neighbours.learn(packet.sender, packet.sender_mac, now)
        else:
            self.neighbours.refresh(packet.sender, packet.sender_mac, now)

    def _ask(self, target: Address, mac: bytes | None) -> None:
        source = self._owner.source_for(target)
        if source is None:
            self._counters.add(arp.LAYER, "no address to ask with")
            return
        self._send(mac or BROADCAST_MAC, Packet(Operation.REQUEST, self._output.mac, source, _NOBODY, target))

    def _probe(self, address: Address) -> None:
        """RFC 5227 1.1: a question with an empty sender address."""
        self._send(BROADCAST_MAC, Packet(Operation.REQUEST, self._output.mac, IPV4_UNSPECIFIED, _NOBODY, address))

    def _announce(self, address: Address) -> None:
        """RFC 5227 2.3: a question from and for the address."""
        self._send(BROADCAST_MAC, Packet(Operation.REQUEST, self._output.mac, address, _NOBODY, address))

    def _send(self, destination: bytes, packet: Packet) -> None:
        self._output.send(destination, EtherType.ARP, [arp.emit(packet)])

    def _deliver(self, mac: bytes, packets: Sequence[bytes]) -> None:
        self._output.send(mac, EtherType.IPV4, packets)
