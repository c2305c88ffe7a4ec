"""A connection: its transmission control block (RFC 9293 3.3.1) and the calls of its user (3.10.1 to 3.10.6).

What segments, timers and the right to send do to it is in `arrival`, `acknowledgment`, `timeouts` and `emission`. All
numbers of sequence space are positions (see `sequence`): they don't wrap.
"""

import enum
from typing import Final, NamedTuple

from stack.address import Endpoint
from stack.tcp.buffers import Assembler, SendBuffer
from stack.tcp.commons import Commons
from stack.tcp.options import MAX_SCALE
from stack.tcp.recovery import Recovery
from stack.tcp.retransmission import RetransmissionTimeout
from stack.tcp.segment import ACK, PROTOCOL, RST, Segment
from stack.tcp.sequence import wrap
from stack.tcp.state import FINISHING, RECEIVING, SENDING, SYNCHRONIZED, TRANSITIONS, State, Trigger
from stack.wire.checksum import pseudo_header

NEVER: Final = float("inf")
"""A time that does not come: a timer that is off."""

DEFAULT_MSS: Final = {4: 536, 16: 1220}
"""RFC 9293 3.7.1: what a peer takes that does not say, by octets of its address."""


class Failure(enum.Enum):
    """Why a connection ended other than by both sides closing it."""

    REFUSED = "connection refused"
    RESET = "connection reset by peer"
    ABORTED = "connection aborted"
    TIMED_OUT = "connection timed out"
    UNREACHABLE = "host unreachable"


class NotOpen(Exception):
    """The user called SEND on a connection whose state does not allow it."""


class Keepalive(NamedTuple):
    """RFC 9293 3.8.4, in seconds: a probe after `idle`, then each `interval`; `probes` without answer are the end."""

    idle: float = 7200.0
    interval: float = 75.0
    probes: int = 9


class Connection:
    """One TCP connection. Users call the methods; the attributes are for the modules of this package, or to be read."""

    __slots__ = (
        "ack_at",
        "ack_due",
        "assembler",
        "challenged_at",
        "close_queued",
        "commons",
        "congestion",
        "delayed",
        "failure",
        "finished",
        "initial_receive",
        "initial_send",
        "keepalive",
        "keepalive_at",
        "keepalive_due",
        "key",
        "last_ack_sent",
        "listener",
        "local",
        "mss",
        "no_delay",
        "offer_mss",
        "passive",
        "probe_due",
        "probes",
        "pseudo_header",
        "push_at",
        "quiet_at",
        "rcv_adv",
        "rcv_nxt",
        "rcv_scale",
        "recovery",
        "released",
        "remote",
        "retransmit_at",
        "rto",
        "sack",
        "scaling",
        "sender",
        "sent_at",
        "size_pending",
        "size_proven",
        "snd_max_wnd",
        "snd_nxt",
        "snd_scale",
        "snd_una",
        "snd_wl1",
        "snd_wl2",
        "snd_wnd",
        "stalled_at",
        "state",
        "syn_due",
        "timed",
        "timestamp_offset",
        "timestamps",
        "ts_recent",
        "ts_recent_at",
        "user",
        "wakeups",
        "window_full",
    )

    def __init__(
        self,
        commons: Commons,
        local: Endpoint,
        remote: Endpoint,
        initial_send: int,
        timestamp_offset: int,
        offer_mss: int,
        state: State,
    ) -> None:
        self.commons = commons
        self.local = local
        self.remote = remote
        self.state = state
        self.user: object = None
        """For the user of the connection: whatever it wants to find it by."""
        self.listener: object | None = None
        self.passive = False
        """It came from LISTEN."""
        self.key = connection_key(remote, local)
        self.pseudo_header = pseudo_header(local.address, remote.address, PROTOCOL, 0)
        self.failure: Failure | None = None

        # Send sequence space, RFC 9293 3.3.1 and figure 3. SND.NXT is what others call SND.MAX: it never goes back.
        self.initial_send = initial_send
        self.snd_una = self.snd_nxt = initial_send
        self.snd_wnd = self.snd_max_wnd = self.snd_scale = 0
        self.snd_wl1 = self.snd_wl2 = 0
        self.mss = DEFAULT_MSS[len(remote.address)]
        """Octets that a segment without options may carry: the peer's MSS and the path's (RFC 9293 3.7.1)."""
        self.offer_mss = offer_mss
        self.sender = SendBuffer(initial_send + 1)
        self.close_queued = False
        """CLOSE was called in SYN-RECEIVED."""
        self.syn_due = False
        self.probe_due = False
        """A segment is due although the window is closed or small (RFC 9293 3.8.6.1)."""
        self.no_delay = True
        """Nagle's algorithm is off (RFC 9293 3.7.4), as in asyncio on sockets."""

        # Receive sequence space, figure 4
        self.initial_receive = 0
        self.rcv_nxt = 0
        self.rcv_adv = 0
        """Right edge of the window that the peer knows of: RCV.NXT + RCV.WND."""
        self.rcv_scale = receive_scale(commons.limits.receive_buffer)
        self.assembler = Assembler(0)
        self.finished = False
        """The peer's FIN has come, and all before it."""
        self.released = False
        """The user reads no more."""

        # Options in force
        self.scaling = False
        self.sack = False
        self.timestamps = False
        self.timestamp_offset = timestamp_offset
        self.ts_recent = 0
        self.ts_recent_at = 0.0
        self.last_ack_sent = 0

        # Acknowledgments to send
        self.ack_due = False
        self.delayed = 0
        """Octets received in order since the last ACK."""

        # Loss and congestion
        self.rto = RetransmissionTimeout()
        self.congestion = commons.limits.congestion(self.mss)
        self.recovery = Recovery(self.mss, initial_send)
        self.timed: tuple[int, float] | None = None
        """The segment whose round trip is measured: position behind it, and when it was sent."""
        self.window_full = False
        """The congestion window keeps us from sending more."""
        self.sent_at = 0.0
        self.stalled_at = NEVER
        """Since when nothing of what is in flight was acknowledged."""
        self.size_proven = 0
        """Segments of this size have arrived (RFC 5927 7.2, maxsizeacked)."""
        self.size_pending: int | None = None
        """Smaller size that an ICMP message asked for, and nothing has confirmed yet (RFC 5927 7.2)."""

        # Timers: when each goes off
        self.retransmit_at = NEVER
        self.ack_at = NEVER
        self.push_at = NEVER
        """RFC 9293 3.8.6.2.1: when a segment goes out although it is small."""
        self.keepalive_at = NEVER
        self.quiet_at = NEVER
        """End of TIME-WAIT, of FIN-WAIT-2 without a reader, or of the handshake."""
        self.wakeups: list[float] = []
        """When the engine will look at the timers: descending, the next last."""
        self.challenged_at = -NEVER
        self.keepalive: Keepalive | None = None
        self.keepalive_due = False
        self.probes = 0
        """Keep-alive probes that were not answered."""
        commons.connections[self.key] = self
        commons.population[state] += 1

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.local} {self.remote} {self.state.value}>"

    # The user's calls

    def send(self, data: bytes | bytearray | memoryview) -> int:
        """SEND: queue as much of `data` as there is room for; how many octets that were. NotOpen after CLOSE."""
        if self.state not in SENDING and self.state not in (State.SYN_SENT, State.SYN_RECEIVED):
            raise NotOpen(f"{self.remote}: can't send in {self.state.value}")
        commons = self.commons
        count = min(len(data), commons.room(len(self.sender), commons.limits.send_buffer))
        if count:
            self.sender.append(data if count == len(data) else data[:count])
            commons.buffered += count
            self.attend()
        if count < len(data) and len(self.sender) < commons.limits.send_buffer:
            commons.starving[self] = None  # nothing of its own will tell it when there is room
        return count

    def receive(self, limit: int) -> bytes:
        """RECEIVE: up to `limit` octets; none when there are none, or after the peer's FIN (see `finished`)."""
        data = self.assembler.read(limit)
        if data:
            self.commons.buffered -= len(data)
            if self.state in RECEIVING and self._window_opened():
                self.ack_due = True
                self.attend()
        return data

    def close(self) -> None:
        """CLOSE: nothing more to send. What is queued is sent first; receiving goes on (half close)."""
        if (self.state, Trigger.CLOSE) in TRANSITIONS:
            self.move(Trigger.CLOSE)
            if self.state is State.CLOSED:
                self.end(None)
            self.attend()
        elif self.state is State.SYN_RECEIVED:
            self.close_queued = True

    def release(self, now: float) -> None:
        """The user reads no more. What it has not read, or what still comes, makes the connection be reset.

        RFC 9293 3.6.1: a half-duplex close, so that the peer knows that data was lost.
        """
        self.released = True
        if self.assembler.unread or self.assembler.waiting:
            self.abort()
        elif self.state is State.FIN_WAIT_2:
            self.quiet_at = now + self.commons.limits.finish
            self.attend()

    def abort(self) -> None:
        """ABORT: forget the connection, and what was received and not read, and tell the peer so."""
        if self.state in SYNCHRONIZED - {State.TIME_WAIT, State.CLOSING, State.LAST_ACK} | {State.SYN_RECEIVED}:
            reset = Segment(self.local.port, self.remote.port, wrap(self.snd_nxt), wrap(self.rcv_nxt), RST | ACK, 0)
            self.commons.farewell(self.local.address, self.remote.address, reset)
        if self.state is not State.CLOSED:
            self.end(Failure.ABORTED)
        else:
            self.commons.buffered -= self.assembler.clear()

    def keep_alive(self, keepalive: Keepalive | None, now: float) -> None:
        """Probe the peer when it is silent for long (RFC 9293 3.8.4); None: don't, which is the default."""
        self.keepalive = keepalive
        self.keepalive_at = NEVER if keepalive is None else now + keepalive.idle
        self.probes = 0
        self.attend()

    def _window_opened(self) -> bool:
        """Has the user read so much that the peer should know at once (RFC 9293 3.8.6.2.2)?"""
        edge = self.open_window()
        if edge <= self.rcv_adv:
            return False
        # Half of the buffer is news; less is told with the next ACK, unless the peer may be waiting for it.
        return edge - self.rcv_adv >= self.commons.limits.receive_buffer // 2 or self.rcv_adv - self.rcv_nxt < self.mss

    # For the modules of this package

    def attend(self) -> None:
        """Something may have to be sent, or a timer was set."""
        self.commons.wanting[self] = None

    def notify(self) -> None:
        """The user should look at the connection."""
        self.commons.changed[self] = None

    def move(self, trigger: Trigger) -> None:
        """The one place where the state changes."""
        population = self.commons.population
        population[self.state] -= 1
        self.state = TRANSITIONS[self.state, trigger]
        population[self.state] += 1
        if self.state is State.ESTABLISHED and self.close_queued:
            self.move(Trigger.CLOSE)

    def end(self, failure: Failure | None) -> None:
        """The connection is no more, because of `failure`, or None when both sides have closed it."""
        if self.state is not State.CLOSED:
            self.move(Trigger.END)
        self.failure = failure
        self.commons.population[State.CLOSED] -= 1
        self.commons.connections.pop(self.key, None)
        self.commons.starving.pop(self, None)
        self.commons.buffered -= self.sender.clear() + (0 if failure is None else self.assembler.clear())
        self.retransmit_at = self.ack_at = self.push_at = self.keepalive_at = self.quiet_at = NEVER
        self.notify()

    def time_wait(self, now: float) -> None:
        """Both FINs are acknowledged: stay for 2 MSL, to answer the peer's last FIN should it come again."""
        self.retransmit_at = self.push_at = self.keepalive_at = NEVER
        self.quiet_at = now + 2 * self.commons.limits.maximum_segment_lifetime
        # Behind the others in TIME-WAIT: the engine forgets the first when there are too many.
        self.commons.connections[self.key] = self.commons.connections.pop(self.key)
        self.attend()
        self.notify()

    def fail(self, failure: Failure) -> None:
        """End the connection, and tell the peer where it may still believe in it."""
        self.abort()
        self.failure = failure

    @property
    def deadline(self) -> float:
        """When the next timer goes off."""
        return min(self.retransmit_at, self.ack_at, self.push_at, self.keepalive_at, self.quiet_at)

    @property
    def fin_queued(self) -> bool:
        """The user has called CLOSE: our FIN follows the last octet of the send buffer."""
        return self.state in FINISHING

    @property
    def fin_sent(self) -> bool:
        """Our FIN was sent and is not known to be acknowledged."""
        return self.fin_queued and self.snd_nxt > self.sender.end

    def timestamp(self, now: float) -> int:
        """TSval: milliseconds, from a start that differs for each connection (RFC 7323 5.4, 7.1)."""
        return wrap(int(now * 1000) + self.timestamp_offset)

    def open_window(self) -> int:
        """The right edge of the receive window to tell the peer: never further left than the last one.

        RFC 9293 3.8.6.2.2: it moves by a segment or half the buffer at least, so that no silly windows are offered.
        """
        limit = self.commons.limits.receive_buffer
        edge = self.rcv_nxt + min(self.commons.room(self.assembler.unread, limit), 0xFFFF << self.rcv_scale)
        return edge if edge - self.rcv_adv >= min(limit // 2, self.mss) else max(self.rcv_adv, self.rcv_nxt)

    @property
    def options_length(self) -> int:
        """Octets of options in each segment: the timestamps, padded (RFC 7323 appendix A)."""
        return 12 if self.timestamps else 0

    def restore(self, cookie: int, position: int) -> None:
        """Take the sequence numbers of a handshake that a SYN cookie kept: ours, and RCV.NXT."""
        self.initial_send = self.snd_una = cookie
        self.snd_nxt = cookie + 1
        self.sender = SendBuffer(self.snd_nxt)
        self.initial_receive = position - 1
        self.rcv_nxt = self.last_ack_sent = self.assembler.next = position
        self.rcv_adv = position + min(self.commons.limits.receive_buffer, 0xFFFF)

    def start(self, mss: int) -> None:
        """Both sides have said what they want: segments carry `mss` octets."""
        self.mss = mss
        self.congestion = self.commons.limits.congestion(mss)
        self.recovery = Recovery(mss, self.initial_send)

    def resize(self, mss: int) -> None:
        """Segments carry at most `mss` octets from now on."""
        self.mss = mss
        self.congestion.resize(mss)
        self.recovery.resize(mss)


def connection_key(remote: Endpoint, local: Endpoint) -> bytes:
    """What finds the connection of a segment: the addresses and ports, as they stand in a packet that comes in."""
    return remote.address + local.address + remote.port.to_bytes(2) + local.port.to_bytes(2)


def receive_scale(buffer: int) -> int:
    """RFC 7323 2.2: the shift that lets the 16 bits of a window say `buffer`."""
    return min(max(0, buffer.bit_length() - 16), MAX_SCALE)
