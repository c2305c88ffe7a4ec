"""The protocols above IP, by their number."""

from stack.address import Address
from stack.interface.udp import Udp
from stack.transport import Tcp, Unreachable
from stack.wire.ipv4 import Protocol, Quoted


class Upper:
    """Hands payloads and errors to UDP and TCP."""

    def __init__(self, udp: Udp) -> None:
        self._udp = udp
        self.tcp: Tcp | None = None

    def receive(
        self, protocol: int, source: Address, destination: Address, payload: memoryview, group: bool, now: float
    ) -> Unreachable | None:
        """Take the payload of a packet; why not, when the sender should be told. Raises WireError."""
        if protocol == Protocol.UDP:
            return self._udp.receive(source, destination, payload, group, now)
        if protocol == Protocol.TCP and self.tcp is not None:
            if not group:  # RFC 9293 3.9.2.3: segments to groups are silently discarded
                self.tcp.receive(source, destination, payload, now)
            return None
        return Unreachable.PROTOCOL

    def accepts(self, quoted: Quoted) -> bool:
        """Can `quoted` be of ours, and still on its way?"""
        source, destination, protocol, start = quoted
        if protocol == Protocol.UDP:
            return self._udp.accepts(source, destination, start)
        return protocol == Protocol.TCP and self.tcp is not None and self.tcp.accepts(source, destination, start)

    def unreachable(self, quoted: Quoted, why: Unreachable, mtu: int | None, now: float) -> None:
        """A packet of ours did not arrive, says an ICMP message, or the link itself; `mtu` comes with TOO_BIG."""
        source, destination, protocol, start = quoted
        if protocol == Protocol.UDP:
            self._udp.unreachable(source, destination, start, why)
        elif protocol == Protocol.TCP and self.tcp is not None:
            self.tcp.unreachable(source, destination, start, why, mtu, now)
