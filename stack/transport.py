"""What the IP layer and a transport protocol above it say to each other."""

import enum
from collections.abc import Iterable, Sequence
from typing import Protocol

from dns_platform.protocols import Octets
from stack.address import Address


class Unreachable(enum.Enum):
    """Why a packet of ours did not arrive: the meanings that ICMP (RFC 792) and ICMPv6 (RFC 4443) share."""

    NETWORK = "no route to the network"
    HOST = "the host does not answer"
    PROTOCOL = "the host does not speak the protocol"
    PORT = "nothing listens on the port"
    PROHIBITED = "forbidden by a filter"
    TOO_BIG = "larger than a link on the way carries"
    TIME_EXCEEDED = "the hop limit ran out"


class Network(Protocol):
    """What a transport protocol may ask the IP layer."""

    def source_for(self, destination: Address) -> Address | None:
        """The address of ours that packets to `destination` carry; None when there is no route or no address."""
        ...

    def mtu_for(self, destination: Address) -> int:
        """Largest IP packet, header included, that the path to `destination` is known to carry."""
        ...

    def is_local(self, address: Address) -> bool:
        """Is it a valid unicast address of ours?"""
        ...


class Tcp(Protocol):
    """The TCP engine as the IP layer sees it; `now` is monotonic seconds."""

    def receive(self, source: Address, destination: Address, segment: Octets, now: float) -> None:
        """Take the payload of a packet to a unicast address of ours. `segment` is valid during the call only."""
        ...

    def transmit(self, now: float) -> Iterable[tuple[Address, Address, Sequence[bytes]]]:
        """(source, destination, segments with their checksums made) to send now; also runs timers that are due."""
        ...

    def poll_at(self) -> float | None:
        """When `transmit` has something to do; not later than now when at once, None when only input matters."""
        ...

    def unreachable(
        self, source: Address, destination: Address, quoted: Octets, why: Unreachable, mtu: int | None, now: float
    ) -> None:
        """A segment of ours did not arrive, says an ICMP message that anyone may have forged (RFC 5927).

        `quoted` is the start of that segment, at least 8 octets: both ports and the sequence number. `mtu` comes with
        TOO_BIG: the largest IP packet for this destination, header included, already held to the protocol's minimum.
        The IP layer lowers its path MTU only when `accepts` says that the segment can have been ours.
        """
        ...

    def accepts(self, source: Address, destination: Address, quoted: Octets) -> bool:
        """Is `quoted` in flight: a connection of ours, with a sequence number in its window (RFC 5927 4.1)?"""
        ...
