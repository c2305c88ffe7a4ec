"""An engine alone with a test that plays its peer segment by segment."""

from typing import TYPE_CHECKING

from stack.address import Endpoint
from stack.tcp import options
from stack.tcp.commons import Limits
from stack.tcp.connection import Connection
from stack.tcp.options import Options
from stack.tcp.segment import ACK, FIN, PROTOCOL, RST, SYN, Segment, emit, parse
from stack.tcp.sequence import wrap
from stack.tcp.state import State
from stack.wire.checksum import pseudo_header
from tests.stack.tcp.peers import CLIENT, PORT, SERVER, Host

if TYPE_CHECKING:
    from stack.tcp.engine import Listener

__all__ = ["ACK", "FIN", "FULL", "RST", "SYN", "Probe", "names", "state"]

FULL = Options(mss=1460, window_scale=7, sack_permitted=True, timestamps=(1, 0))
"""What a modern SYN carries."""

_PROBE_PORT = 40000


def names(segments: list[Segment]) -> list[str]:
    """Control bits and octets of each segment: `SYN,ACK`, `ACK+100`."""
    told = []
    for segment in segments:
        bits = [name for name, bit in (("SYN", SYN), ("FIN", FIN), ("RST", RST), ("ACK", ACK)) if segment.flags & bit]
        told.append(",".join(bits) + (f"+{len(segment.payload)}" if segment.payload else ""))
    return told


def state(connection: Connection) -> State:
    """Its state at this moment."""
    return connection.state


class Probe:
    """The peer. It is at CLIENT, the engine at SERVER; `seq` and `ack` are what an honest peer would send next."""

    def __init__(self, limits: Limits | None = None, *, port: int = _PROBE_PORT, host: Host | None = None) -> None:
        self.host = host or Host(SERVER, 7, limits)
        self.engine = self.host.engine
        self.now = 5000.0
        self.port = port
        self.peer_port = PORT
        self.seq = 0xFFFFFF00  # so that every longer test sees it wrap
        self.ack = 0
        self.window = 65535
        self.clock = 1
        self.echo = 0
        self.timestamps = False
        self.listener: Listener | None = None

    def send(
        self,
        flags: int = ACK,
        payload: bytes = b"",
        *,
        seq: int | None = None,
        ack: int | None = None,
        window: int | None = None,
        carried: Options | None = None,
    ) -> None:
        """Send a segment. Without `seq` it is the next one, and counted."""
        if carried is None:
            carried = Options(timestamps=(self.clock, self.echo)) if self.timestamps else options.NONE
        segment = Segment(
            self.port,
            self.peer_port,
            wrap(self.seq if seq is None else seq),
            wrap(self.ack if ack is None else ack) if flags & ACK else 0,
            flags,
            self.window if window is None else window,
            carried,
            payload,
        )
        if seq is None:
            self.seq += segment.length
        self.inject(segment)

    def inject(self, segment: Segment) -> None:
        self.engine.receive(CLIENT, SERVER, emit(segment, pseudo_header(CLIENT, SERVER, PROTOCOL, 0)), self.now)
        self.host.collect()

    def take(self) -> list[Segment]:
        """What the engine sends now; it is counted as received."""
        taken = []
        for source, destination, segments in self.engine.transmit(self.now):
            assert (source, destination) == (SERVER, CLIENT)
            for data in segments:
                taken.append(parse(data, pseudo_header(source, destination, PROTOCOL, len(data))))
                if (stamps := taken[-1].options.timestamps) is not None:
                    self.echo = stamps[0]
        self.host.collect()
        return taken

    def acknowledge(self, segments: list[Segment]) -> None:
        """Count `segments` as received in order, without sending anything."""
        for segment in segments:
            self.ack = segment.sequence + segment.length

    def wait(self, seconds: float) -> list[Segment]:
        """Let time pass; what the engine sent meanwhile."""
        end = self.now + seconds
        taken = self.take()
        while (at := self.engine.poll_at()) is not None and at <= end:
            self.now = max(self.now, at)
            taken += self.take()
        self.now = end
        return taken + self.take()

    def listen(self) -> None:
        self.listener = self.engine.listen(Endpoint(SERVER, PORT))

    def accepted(self, syn: Options = options.NONE) -> Connection:
        """Open a connection to the engine's listener."""
        if self.listener is None:
            self.listen()
        self.send(SYN, carried=syn)
        (answer,) = self.take()
        assert names([answer]) == ["SYN,ACK"]
        assert answer.acknowledgment == wrap(self.seq)
        self.ack = answer.sequence + 1
        if syn.timestamps is not None:
            self.timestamps = True
            self.clock = syn.timestamps[0]
        self.send()
        sent = self.take()
        assert sent == [], sent
        return self.host.accepted[-1]

    def dialled(self) -> Connection:
        """Let the engine begin to open a connection to us; its SYN is taken."""
        connection = self.engine.connect(Endpoint(SERVER, 0), Endpoint(CLIENT, self.port), self.now)
        (syn,) = self.take()
        assert names([syn]) == ["SYN"]
        self.peer_port = syn.source_port
        self.ack = syn.sequence + 1
        return connection

    def connected(self) -> Connection:
        """Let the engine open a connection to us."""
        connection = self.dialled()
        self.send(SYN | ACK)
        assert names(self.take()) == ["ACK"]
        return connection
