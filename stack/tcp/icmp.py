"""What ICMP messages may do to a connection (RFC 5927): little, and only when they quote a segment in flight."""

from dns_platform.protocols import Octets
from stack.address import Address
from stack.tcp.commons import Commons
from stack.tcp.connection import Connection, Failure
from stack.tcp.sequence import unwrap
from stack.tcp.state import State
from stack.transport import Unreachable

_QUOTED = 8  # octets that every ICMP message quotes: both ports and the sequence number

# RFC 9293 3.9.2.2: hard errors; the others are soft, and TCP goes on trying.
_HARD = frozenset({Unreachable.PROTOCOL, Unreachable.PORT, Unreachable.PROHIBITED})
_SMALLEST_SEGMENT = 64  # octets; no link in use carries less (RFC 791 has 68 with headers)


def quoted_connection(commons: Commons, source: Address, destination: Address, quoted: Octets) -> Connection | None:
    """The connection of ours from `source` to `destination` that has the `quoted` segment in flight."""
    if len(quoted) < _QUOTED:
        return None
    ports = bytes(quoted[2:4]) + bytes(quoted[0:2])
    connection = commons.connections.get(destination + source + ports)
    if connection is None:
        return None
    # RFC 5927 4.1: SND.UNA =< SEG.SEQ < SND.NXT
    sequence = unwrap(int.from_bytes(quoted[4:8]), connection.snd_una)
    return connection if connection.snd_una <= sequence < connection.snd_nxt else None


def unreachable(connection: Connection, why: Unreachable) -> None:
    """Another error than "too big"."""
    connection.commons.count("icmp-error")
    opening = connection.state is State.SYN_SENT or connection.state is State.SYN_RECEIVED
    # RFC 5927 5.2: in the synchronized states hard errors are taken as soft ones
    if not opening or why not in _HARD:
        return
    # A handshake that was opened here fails at once; a listener's half-open connection merely goes away.
    connection.end(Failure.REFUSED if why is not Unreachable.PROHIBITED else Failure.UNREACHABLE)


def too_big(connection: Connection, payload: int) -> None:
    """The path carries `payload` octets behind a header without options, no more (RFC 1191, RFC 8201)."""
    size = payload - connection.options_length
    if not _SMALLEST_SEGMENT <= size < connection.mss:
        connection.commons.count("icmp-mtu-refused")
    elif size < connection.size_proven:
        # RFC 5927 7.2: larger segments have got through before. Wait whether this one is missed.
        connection.commons.count("icmp-mtu-pending")
        connection.size_pending = size
    else:
        connection.commons.count("icmp-mtu-taken")
        connection.resize(size)
        # RFC 1191 6.5: send again at once, and don't take it for congestion
        connection.recovery.timed_out(connection.snd_una, connection.snd_nxt)
        connection.attend()
