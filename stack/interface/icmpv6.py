"""ICMPv6: echo, errors in and out, and the way to neighbour discovery and MLD.

Read first: RFC 4443, RFC 8201, RFC 5927 (attacks).
"""

from typing import Protocol

from stack.address import Address, is_link_local, is_multicast, is_unspecified
from stack.counters import Counters
from stack.interface.limits import Limits
from stack.interface.mld import Mld
from stack.interface.ndp import HOP_LIMIT, Ndp
from stack.interface.path_mtu import PathMtus
from stack.interface.routers import Routers
from stack.interface.upper import Upper
from stack.limiter import TokenBucket
from stack.transport import Unreachable
from stack.wire import icmpv6, ipv6, ipv6_extension, mld, ndp
from stack.wire.icmpv6 import Message, Type, UnreachableCode
from stack.wire.ipv4 import Protocol as ProtocolNumber
from stack.wire.ipv6 import Packet
from stack.wire.ipv6_extension import Chain, ParameterProblem, ProblemCode
from stack.wire.ndp import NeighbourAdvertisement, NeighbourSolicitation, RouterAdvertisement

QUOTE = ipv6.MINIMUM_MTU - ipv6.HEADER - icmpv6.HEADER
"""Octets quoted in an error (RFC 4443 2.4 c: as much as fits in the minimum MTU)."""

MEANING = {
    UnreachableCode.NO_ROUTE: Unreachable.NETWORK,
    UnreachableCode.PROHIBITED: Unreachable.PROHIBITED,
    UnreachableCode.BEYOND_SCOPE: Unreachable.NETWORK,
    UnreachableCode.ADDRESS: Unreachable.HOST,
    UnreachableCode.PORT: Unreachable.PORT,
    UnreachableCode.POLICY: Unreachable.PROHIBITED,
    UnreachableCode.REJECT_ROUTE: Unreachable.PROHIBITED,
}
"""What the codes mean to the protocols above; others count as NETWORK."""

_REASSEMBLY_TIMEOUT = 1  # code of TIME_EXCEEDED
_DISCOVERY = (
    Type.ROUTER_SOLICITATION,
    Type.ROUTER_ADVERTISEMENT,
    Type.NEIGHBOUR_SOLICITATION,
    Type.NEIGHBOUR_ADVERTISEMENT,
)


class Sender(Protocol):
    """What ICMPv6 needs of IPv6."""

    def send(self, source: Address, destination: Address, protocol: int, payload: bytes, now: float) -> None:
        """Send a packet."""
        ...

    def source_for(self, destination: Address) -> Address | None:
        """The address of ours that packets to `destination` carry."""
        ...


class Icmpv6:
    """ICMPv6 on one interface; `routers` is None where advertisements are not to be believed."""

    def __init__(
        self,
        sender: Sender,
        upper: Upper,
        path_mtus: PathMtus,
        discovery: Ndp,
        listeners: Mld,
        routers: Routers | None,
        limits: Limits,
        counters: Counters,
    ) -> None:
        self._sender = sender
        self._upper = upper
        self._path_mtus = path_mtus
        self._discovery = discovery
        self._listeners = listeners
        self._routers = routers
        self._counters = counters
        self._errors = TokenBucket(limits.errors_per_s, limits.errors_burst)
        self._echoes = TokenBucket(limits.echoes_per_s, limits.echoes_burst)

    def receive(self, packet: Packet, chain: Chain, now: float, *, fragmented: bool) -> None:
        """Take the ICMPv6 message at the end of `chain`; raises WireError."""
        message = icmpv6.parse(chain.payload, packet.source, packet.destination)
        match message.type:
            case Type.ECHO_REQUEST:
                self._echo(packet, message, now)
            case Type.DESTINATION_UNREACHABLE:
                codes = UnreachableCode._value2member_map_
                why = MEANING[UnreachableCode(message.code)] if message.code in codes else Unreachable.NETWORK
                self._failed(message, why, now)
            case Type.TIME_EXCEEDED:
                self._failed(message, Unreachable.TIME_EXCEEDED, now)
            case Type.PARAMETER_PROBLEM:
                self._failed(message, Unreachable.PROTOCOL, now)
            case Type.PACKET_TOO_BIG:
                self._too_big(message, now)
            # RFC 3810 6.2: from a neighbour, with a router alert
            case Type.MLD_QUERY if is_link_local(packet.source) and packet.hop_limit == 1 and chain.router_alert:
                self._listeners.receive(message, now)
            case Type.MLD_QUERY:
                self._counters.add(mld.LAYER, "query of no router")
            case kind if kind in _DISCOVERY:
                self._discover(packet, message, now, fragmented=fragmented)
            case _:
                # RFC 4443 2.4 b: unknown informational messages are silently discarded. So are redirects: with
                # one default router on a link there is nothing to learn from them that is worth the trust.
                self._counters.add(icmpv6.LAYER, "ignored type")

    def refuse(self, packet: Packet, original: memoryview, why: Unreachable, pointer: int, now: float) -> None:
        """Tell the sender of `packet`, whose octets are `original`, that nobody takes it."""
        if why is Unreachable.PORT:
            message = Message(Type.DESTINATION_UNREACHABLE, UnreachableCode.PORT, 0, original[:QUOTE])
        else:  # RFC 8200 4: an unrecognised next header, named by octet `pointer`
            code = ProblemCode.UNKNOWN_NEXT_HEADER
            message = Message(Type.PARAMETER_PROBLEM, code, pointer, original[:QUOTE])
        self._error(packet, message, now)

    def problem(self, packet: Packet, original: memoryview, problem: ParameterProblem, now: float) -> None:
        """Tell the sender of `packet` about `problem` (RFC 4443 3.4)."""
        message = Message(Type.PARAMETER_PROBLEM, problem.code, problem.pointer, original[:QUOTE])
        self._error(packet, message, now, even_to_group=problem.even_to_group)

    def reassembly_expired(self, original: bytes, now: float) -> None:
        """Tell the sender that fragments were missing; `original` is the packet with the first one (RFC 8200 4.5)."""
        view = memoryview(original)
        message = Message(Type.TIME_EXCEEDED, _REASSEMBLY_TIMEOUT, 0, view[:QUOTE])
        self._error(ipv6.parse(view), message, now)

    def _echo(self, packet: Packet, message: Message, now: float) -> None:
        """RFC 4443 4.2; to a group we are free not to answer, and don't."""
        if is_multicast(packet.destination) or is_unspecified(packet.source):
            self._counters.add(icmpv6.LAYER, "echo of a group")
        elif not self._echoes.take(now):
            self._counters.add(icmpv6.LAYER, "echo over the rate limit")
        else:
            reply = icmpv6.emit(message._replace(type=Type.ECHO_REPLY), packet.destination, packet.source)
            self._sender.send(packet.destination, packet.source, ProtocolNumber.ICMPV6, reply, now)

    def _discover(self, packet: Packet, message: Message, now: float, *, fragmented: bool) -> None:
        if packet.hop_limit != HOP_LIMIT:
            self._counters.add(ndp.LAYER, "from beyond the link")
            return
        if fragmented:
            self._counters.add(ndp.LAYER, "in fragments")  # RFC 6980 5
            return
        match ndp.parse(message):
            case NeighbourSolicitation() as body:
                self._discovery.solicited(packet, body, now)
            case NeighbourAdvertisement() as body:
                self._discovery.advertised(packet, body, now)
            case RouterAdvertisement() as body if self._routers is not None:
                self._routers.advertised(packet, body, now)
            case _:
                self._counters.add(ndp.LAYER, "not for a host, or not wanted")

    def _too_big(self, message: Message, now: float) -> None:
        """RFC 8201 4."""
        quoted = ipv6_extension.parse_quoted(memoryview(message.body))
        doubt = self._path_mtus.believe(quoted, message.rest, self._upper, now)
        if doubt is not None:
            self._counters.add(icmpv6.LAYER, doubt)

    def _failed(self, message: Message, why: Unreachable, now: float) -> None:
        self._upper.unreachable(ipv6_extension.parse_quoted(memoryview(message.body)), why, None, now)

    def _error(self, packet: Packet, message: Message, now: float, *, even_to_group: bool = False) -> None:
        """RFC 4443 2.4 e: no error about an error, to a group, or to no single host; and not too many."""
        about_error = packet.next_header == ProtocolNumber.ICMPV6 and icmpv6.is_error(
            bytes(packet.payload[:1] or b"\0")[0]
        )
        to_group = is_multicast(packet.destination)
        if about_error or is_unspecified(packet.source) or (to_group and not even_to_group):
            return
        if not self._errors.take(now):
            self._counters.add(icmpv6.LAYER, "error over the rate limit")
            return
        source = self._sender.source_for(packet.source) if to_group else packet.destination
        if source is not None:
            reply = icmpv6.emit(message, source, packet.source)
            self._sender.send(source, packet.source, ProtocolNumber.ICMPV6, reply, now)
