"""ICMP for IPv4: echo, and errors in and out.

Read first: RFC 792, RFC 1122 3.2.2, RFC 1191, RFC 5927 (attacks).
"""

from typing import Protocol

from stack.address import IPV4_BROADCAST, Address, is_multicast, is_unspecified
from stack.counters import Counters
from stack.interface.limits import Limits
from stack.interface.path_mtu import PathMtus
from stack.interface.upper import Upper
from stack.limiter import TokenBucket
from stack.transport import Unreachable
from stack.wire import icmp, ipv4
from stack.wire.icmp import Message, Type, UnreachableCode
from stack.wire.ipv4 import Packet
from stack.wire.ipv4 import Protocol as ProtocolNumber

QUOTE = 576 - ipv4.HEADER - icmp.HEADER
"""Octets quoted in an error (RFC 1812 4.3.2.3: as much as fits in 576)."""

MEANING = {
    UnreachableCode.NETWORK: Unreachable.NETWORK,
    UnreachableCode.HOST: Unreachable.HOST,
    UnreachableCode.PROTOCOL: Unreachable.PROTOCOL,
    UnreachableCode.PORT: Unreachable.PORT,
    UnreachableCode.SOURCE_ROUTE_FAILED: Unreachable.NETWORK,
    UnreachableCode.NETWORK_PROHIBITED: Unreachable.PROHIBITED,
    UnreachableCode.HOST_PROHIBITED: Unreachable.PROHIBITED,
    UnreachableCode.PROHIBITED: Unreachable.PROHIBITED,
}
"""What the codes mean to the protocols above; others (RFC 1122 3.2.2.1: 6 to 12) count as NETWORK."""

_CODES = {Unreachable.PROTOCOL: UnreachableCode.PROTOCOL, Unreachable.PORT: UnreachableCode.PORT}
_REASSEMBLY_TIMEOUT = 1  # code of TIME_EXCEEDED


class Sender(Protocol):
    """What ICMP needs of IPv4."""

    def send(self, source: Address, destination: Address, protocol: int, payload: bytes, now: float) -> None:
        """Send a packet."""
        ...

    def is_unicast(self, address: Address) -> bool:
        """Is it the address of one host, as far as we can know?"""
        ...


class Icmp:
    """ICMP on one interface."""

    def __init__(self, sender: Sender, upper: Upper, path_mtus: PathMtus, limits: Limits, counters: Counters) -> None:
        self._sender = sender
        self._upper = upper
        self._path_mtus = path_mtus
        self._counters = counters
        self._errors = TokenBucket(limits.errors_per_s, limits.errors_burst)
        self._echoes = TokenBucket(limits.echoes_per_s, limits.echoes_burst)

    def receive(self, packet: Packet, group: bool, now: float) -> None:
        """Take the ICMP message in `packet`; raises WireError."""
        message = icmp.parse(memoryview(packet.payload))
        match message.type:
            case Type.ECHO:
                self._echo(packet, message, group, now)
            case Type.DESTINATION_UNREACHABLE:
                self._unreachable(message, now)
            case Type.TIME_EXCEEDED:
                self._failed(message, Unreachable.TIME_EXCEEDED, now)
            case Type.PARAMETER_PROBLEM:
                self._failed(message, Unreachable.PROTOCOL, now)
            case _:
                # RFC 1122 3.2.2: unknown types are silently discarded. So are redirects, source quench (RFC 6633)
                # and timestamps: a host that does not need them is better off without.
                self._counters.add(icmp.LAYER, "ignored type")

    def refuse(self, packet: Packet, original: memoryview, why: Unreachable, group: bool, now: float) -> None:
        """Tell the sender of `packet`, whose octets are `original`, that nobody takes it."""
        self._error(packet, original, Type.DESTINATION_UNREACHABLE, _CODES[why], group, now)

    def reassembly_expired(self, original: bytes, now: float) -> None:
        """Tell the sender that fragments were missing; `original` is the packet with the first one (RFC 792)."""
        view = memoryview(original)
        self._error(ipv4.parse(view), view, Type.TIME_EXCEEDED, _REASSEMBLY_TIMEOUT, False, now)

    def _echo(self, packet: Packet, message: Message, group: bool, now: float) -> None:
        """RFC 1122 3.2.2.6: to a group we are free not to answer, and don't (RFC 2644, smurf attacks)."""
        if group or not self._sender.is_unicast(packet.source):
            self._counters.add(icmp.LAYER, "echo of a group")
        elif not self._echoes.take(now):
            self._counters.add(icmp.LAYER, "echo over the rate limit")
        else:
            reply = icmp.emit(message._replace(type=Type.ECHO_REPLY))
            self._sender.send(packet.destination, packet.source, ProtocolNumber.ICMP, reply, now)

    def _unreachable(self, message: Message, now: float) -> None:
        if message.code != UnreachableCode.FRAGMENTATION_NEEDED:
            codes = UnreachableCode._value2member_map_
            why = MEANING[UnreachableCode(message.code)] if message.code in codes else Unreachable.NETWORK
            self._failed(message, why, now)
            return
        quoted = ipv4.parse_quoted(memoryview(message.body))
        doubt = self._path_mtus.believe(quoted, message.rest & 0xFFFF, self._upper, now)
        if doubt is not None:
            self._counters.add(icmp.LAYER, doubt)

    def _failed(self, message: Message, why: Unreachable, now: float) -> None:
        self._upper.unreachable(ipv4.parse_quoted(memoryview(message.body)), why, None, now)

    def _error(self, packet: Packet, original: memoryview, kind: Type, code: int, group: bool, now: float) -> None:
        """RFC 1122 3.2.2: no error about an error, a fragment but the first, a group, or from no single host."""
        about_error = packet.protocol == ProtocolNumber.ICMP and packet.payload[:1] not in (b"\x00", b"\x08")
        if group or packet.offset or about_error or not self._sender.is_unicast(packet.source):
            return
        if not self._errors.take(now):
            self._counters.add(icmp.LAYER, "error over the rate limit")
            return
        message = Message(kind, code, 0, original[:QUOTE])
        self._sender.send(packet.destination, packet.source, ProtocolNumber.ICMP, icmp.emit(message), now)


def is_reachable_source(address: Address) -> bool:
    """Can `address` be the source of a packet that deserves a reply (RFC 1122 3.2.1.3)?"""
    return not (is_unspecified(address) or is_multicast(address) or address == IPV4_BROADCAST or address[0] >= 240)
