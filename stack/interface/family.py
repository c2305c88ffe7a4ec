"""What IPv4 and IPv6 on an interface do alike: packets on their way out, and who is a neighbour.

Read first: RFC 1122 3.3.1 (routing), RFC 8200 4.5 and RFC 8504 5.7 (sizes).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from stack.address import Address
from stack.counters import Counters
from stack.draw import Draw
from stack.interface.limits import Limits
from stack.interface.neighbours import Neighbours
from stack.interface.output import Output
from stack.interface.path_mtu import PathMtus
from stack.interface.routing import Routes
from stack.interface.upper import Upper
from stack.transport import Unreachable
from stack.wire.ethernet import EtherType
from stack.wire.ipv4 import Quoted


class Family(ABC):
    """One version of IP on one interface. `loop(packet)` takes packets to ourselves."""

    layer: ClassVar[str]
    """Name of the counters."""
    ether_type: ClassVar[EtherType]
    maximum: ClassVar[int]
    """Octets of the largest packet, header included."""
    neighbours: Neighbours
    """Set by the version, which knows who asks for them."""

    def __init__(
        self,
        output: Output,
        mtu: int,
        upper: Upper,
        limits: Limits,
        counters: Counters,
        draw: Draw,
        loop: Callable[[bytes], None],
    ) -> None:
        self._output = output
        self._upper = upper
        self._counters = counters
        self._draw = draw
        self._loop = loop
        self.routes = Routes()
        self.path_mtus = PathMtus(mtu, limits.path_mtus)

    @abstractmethod
    def is_local(self, address: Address) -> bool:
        """Is it a valid unicast address of ours?"""

    @abstractmethod
    def is_stranger(self, address: Address) -> bool:
        """Can it be the address of another host, from anywhere?"""

    @abstractmethod
    def source_for(self, destination: Address) -> Address | None:
        """The address of ours that packets to `destination` carry; None without a route or an address."""

    @abstractmethod
    def _header_of_whole(self, source: Address, destination: Address, protocol: int) -> Callable[[int], bytes]:
        """What makes the header of a packet that nobody may fragment from the octets of its payload."""

    @abstractmethod
    def _group_mac(self, destination: Address) -> bytes | None:
        """The MAC of the group on the link that `destination` is; None when it is one host."""

    def is_neighbour(self, address: Address) -> bool:
        """Can `address` be that of a host on the link, other than us?"""
        return self.is_stranger(address) and (address in self.routes.routers or self.routes.is_on_link(address))

    def send_whole(
        self, source: Address, destination: Address, protocol: int, payloads: Sequence[bytes], now: float
    ) -> None:
        """Send packets that nobody may fragment; the protocol is told of those that are too big for the path."""
        mtu = self.maximum if self.is_local(destination) else self.path_mtus.get(destination, now)
        header = self._header_of_whole(source, destination, protocol)
        headers: dict[int, bytes] = {}  # most of a burst are of one length
        packets = []
        for payload in payloads:
            length = len(payload)
            head = headers.get(length)
            if head is None:
                head = headers[length] = header(length)
            if len(head) + length <= mtu:
                packets.append(head + payload)
            else:
                quoted = Quoted(source, destination, protocol, memoryview(payload)[:8])
                self._upper.unreachable(quoted, Unreachable.TOO_BIG, mtu, now)
        if len(packets) < len(payloads):
            self._counters.add(self.layer, "too big for the path", len(payloads) - len(packets))
        if packets:
            self._route(destination, packets, now)

    def _route(self, destination: Address, packets: Sequence[bytes], now: float) -> None:
        """Send `packets` to ourselves, to a group on the link, or to the next hop."""
        if self.is_local(destination):
            for packet in packets:
                self._loop(packet)
        elif (mac := self._group_mac(destination)) is not None:
            self._output.send(mac, self.ether_type, packets)
        elif (hop := self.routes.next_hop(destination)) is None:
            self._counters.add(self.layer, "no route", len(packets))
        else:
            self.neighbours.send(hop, packets, now)

    def _drop(self, reason: str) -> None:
        self._counters.add(self.layer, reason)
