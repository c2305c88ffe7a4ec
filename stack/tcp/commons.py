"""What the connections of one engine share: limits, counters, the budget of buffers, and who wants attention."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from stack.address import Address
from stack.counters import Counters
from stack.tcp.congestion import Cubic, Reno
from stack.tcp.segment import PROTOCOL, Segment, emit
from stack.tcp.state import State
from stack.wire.checksum import pseudo_header

if TYPE_CHECKING:
    from stack.tcp.connection import Connection

LAYER: Final = "tcp"
_BUFFERS_SHARE: Final = 8  # one part in so many of a machine's memory


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a peer can make us hold or wait for; sizes in octets, times in seconds."""

    connections: int = 4096
    """Connections in all states but SYN-RECEIVED and TIME-WAIT; beyond, a SYN is dropped."""
    half_open: int = 256
    """Connections in SYN-RECEIVED; beyond, SYNs are answered with cookies (RFC 4987 3.6)."""
    time_wait: int = 1024
    """Connections in TIME-WAIT; beyond, the oldest is forgotten."""
    send_buffer: int = 1 << 18
    """Octets of one connection that are sent and not acknowledged, or wait to be sent; SEND takes no more."""
    receive_buffer: int = 1 << 18
    """Octets of one connection that are received and not read, or wait behind a gap; the window says how many."""
    buffered: int = 1 << 24
    """Octets in the buffers of all connections together; beyond, each connection has its reserves and no more."""
    reserve: int = 2048
    """Octets that each buffer of a connection may hold even then, so that who fills the others harms nobody else."""
    pieces: int = 256
    """Pieces behind gaps that one connection keeps."""
    replies: int = 64
    """Resets and cookies that wait to be sent and belong to no connection."""
    resets: float = 100.0
    """Resets a second to segments that belong to no connection."""
    handshake: float = 15.0
    """A peer has so long to acknowledge our SYN,ACK."""
    connect: float = 60.0
    """We try so long to open a connection. Deviation: RFC 9293 3.8.3 (R2) has 3 minutes; no user here waits so long."""
    user_timeout: float = 120.0
    """Data may stay unacknowledged so long (RFC 9293 3.8.3, R2: at least 100 seconds)."""
    finish: float = 60.0
    """FIN-WAIT-2 lasts so long when the user reads no more."""
    maximum_segment_lifetime: float = 30.0
    """MSL. Deviation: RFC 9293 3.4.2 has 2 minutes; like Linux we keep TIME-WAIT for 60 seconds in all."""
    challenge_interval: float = 0.5
    """Between two challenge ACKs of one connection (RFC 5961 7)."""
    delayed_ack: float = 0.04
    """An ACK is held back so long at most (RFC 9293 3.8.6.3: less than 0.5)."""
    congestion: Callable[[int], Reno] = field(default=Cubic)
    """Congestion control for a new connection, given its segment size."""

    def within(self, memory: int) -> "Limits":
        """These limits on a machine with `memory` octets for all it does: peers can fill a small part of that."""
        return replace(self, buffered=min(self.buffered, memory // _BUFFERS_SHARE))


class Commons:
    """Shared by the connections of one engine."""

    __slots__ = (
        "buffered",
        "changed",
        "connections",
        "counters",
        "limits",
        "population",
        "replies",
        "starving",
        "wanting",
    )

    def __init__(self, limits: Limits, counters: Counters) -> None:
        self.limits = limits
        self.counters = counters
        self.connections: dict[bytes, Connection] = {}
        """All connections by their key, those in TIME-WAIT in the order in which they came to it."""
        self.population = dict.fromkeys(State, 0)
        """How many connections are in each state."""
        self.buffered = 0
        """Octets in all send and receive buffers."""
        self.wanting: dict[Connection, None] = {}
        """Connections that may have something to send or a new deadline, in the order in which they came to it."""
        self.starving: dict[Connection, None] = {}
        """Connections whose SEND took less than their own buffer has room for, since all buffers together are full."""
        self.changed: dict[Connection, None] = {}
        """Connections of which the user should know something new."""
        self.replies: deque[tuple[Address, Address, bytes]] = deque()
        """Segments that no connection sends: source, destination, octets."""

    def count(self, reason: str) -> None:
        """Count `reason` of this layer."""
        self.counters.add(LAYER, reason)

    def room(self, held: int, limit: int) -> int:
        """Octets that a buffer which holds `held` of at most `limit` may take."""
        return max(0, min(limit - held, self.spare(held)))

    def spare(self, held: int) -> int:
        """Octets that the bound on all buffers, or its own reserve, leaves to one that holds `held`; may be below 0."""
        return max(self.limits.buffered - self.buffered, self.limits.reserve - held)

    @property
    def has_relief(self) -> bool:
        """Is there room again for a connection that was refused some?"""
        return bool(self.starving) and self.buffered < self.limits.buffered

    def reply(self, source: Address, destination: Address, segment: Segment) -> None:
        """Queue an answer to a stranger; dropped when too many wait."""
        if len(self.replies) >= self.limits.replies:
            self.count("replies-full")
        else:
            self.farewell(source, destination, segment)

    def farewell(self, source: Address, destination: Address, segment: Segment) -> None:
        """Queue the last segment of a connection: there are never more of these than there were connections."""
        pseudo = pseudo_header(source, destination, PROTOCOL, 0)
        self.replies.append((source, destination, emit(segment, pseudo)))
