"""SEGMENT ARRIVES for a connection: RFC 9293 3.10.7.3 (SYN-SENT) and 3.10.7.4 (all later states), in the RFC's order.

LISTEN and CLOSED are the engine's. The RFC's "first, second, ..." are the functions below; each says whether the
next may go on. RFC 5961 (blind attacks) and RFC 7323 (PAWS) are worked in where they belong.
"""

from stack.tcp.acknowledgment import acknowledged
from stack.tcp.connection import DEFAULT_MSS, NEVER, Connection, Failure
from stack.tcp.segment import ACK, FIN, RST, SYN, Segment
from stack.tcp.sequence import unwrap, wrap
from stack.tcp.state import RECEIVING, State, Trigger

_SMALLEST_MSS = 64  # octets; a peer that asks for less would have us send mostly headers
_PAWS_EXPIRY = 24 * 86400.0  # seconds; RFC 7323 5.5


def arrives(c: Connection, segment: Segment, now: float) -> None:
    """Process a segment for `c`, whose checksum and ports were right."""
    if c.keepalive is not None:
        c.keepalive_at = now + c.keepalive.idle
        c.probes = 0
        c.attend()
    if c.state is State.SYN_SENT:
        _in_syn_sent(c, segment, now)
    elif c.state is not State.CLOSED:
        _synchronized(c, segment, now)


def open_passively(c: Connection, segment: Segment, now: float) -> None:
    """RFC 9293 3.10.7.2, third: `segment` is a SYN in LISTEN, and `c` its new connection."""
    _synchronize(c, segment, now)
    c.passive = True
    c.quiet_at = now + c.commons.limits.handshake
    c.syn_due = True
    c.attend()


def negotiate(c: Connection, segment: Segment, now: float) -> None:
    """Take the options of the peer's SYN; what only one side wants is off."""
    options = segment.options
    c.sack = options.sack_permitted
    c.scaling = options.window_scale is not None
    c.snd_scale = options.window_scale or 0
    if not c.scaling:
        c.rcv_scale = 0  # RFC 7323 2.2
    c.timestamps = options.timestamps is not None
    if options.timestamps is not None:
        c.ts_recent, c.ts_recent_at = options.timestamps[0], now
    # RFC 9293 3.7.1: Eff.snd.MSS; RFC 6691: the MSS option does not count other options, a segment has to.
    mss = options.mss or DEFAULT_MSS[len(c.remote.address)]
    c.start(max(min(mss, c.offer_mss), _SMALLEST_MSS) - c.options_length)


def establish(c: Connection, segment: Segment, now: float) -> None:
    """Our SYN is acknowledged: the rest of the way to ESTABLISHED that all handshakes share."""
    c.snd_una = c.initial_send + 1
    c.stalled_at = c.retransmit_at = c.quiet_at = NEVER
    if c.timed is not None:
        c.rto.sample(now - c.timed[1])
        c.timed = None
    if c.rto.backoff:
        c.congestion.window = c.mss  # RFC 5681 3.1: a SYN was lost
        c.rto.restore(3.0)  # RFC 6298 (5.7)
        c.rto.backoff = 0
    c.snd_wnd = segment.window if segment.flags & SYN else segment.window << c.snd_scale
    c.snd_max_wnd = c.snd_wnd
    c.snd_wl1 = unwrap(segment.sequence, c.rcv_nxt)
    c.snd_wl2 = unwrap(segment.acknowledgment, c.snd_una)
    c.move(Trigger.SYN_ACK if c.state is State.SYN_SENT else Trigger.ACK_OF_SYN)
    c.attend()
    c.notify()


def _in_syn_sent(c: Connection, segment: Segment, now: float) -> None:
    """RFC 9293 3.10.7.3."""
    flags = segment.flags
    ack = unwrap(segment.acknowledgment, c.snd_una)
    # First, check the ACK bit
    if flags & ACK and not c.initial_send < ack <= c.snd_nxt:
        c.commons.count("unacceptable-ack")
        if not flags & RST:
            _reset(c, segment)
        return
    # Second, check the RST bit; RFC 5961 3.2 has nothing to add, the ACK proves that the peer saw our SYN
    if flags & RST:
        if flags & ACK:
            c.end(Failure.REFUSED)
        else:
            c.commons.count("unacceptable-rst")
        return
    # Third, security: not implemented (RFC 9293 appendix A.1). Fourth, check the SYN bit
    if not flags & SYN:
        c.commons.count("no-syn")
        return
    _synchronize(c, segment, now)
    if not flags & ACK:
        c.move(Trigger.SYN)  # simultaneous open
        c.quiet_at = now + c.commons.limits.handshake
        c.syn_due = True
        c.attend()
        return
    establish(c, segment, now)
    c.ack_due = True
    _text(c, segment, c.rcv_nxt, now)
    _fin(c, now)


def _synchronize(c: Connection, segment: Segment, now: float) -> None:
    """Take IRS, RCV.NXT and the options from the peer's SYN."""
    offered = c.rcv_adv - c.rcv_nxt
    c.initial_receive = segment.sequence
    c.rcv_nxt = c.last_ack_sent = segment.sequence + 1
    c.rcv_adv = c.rcv_nxt + offered
    c.assembler.next = c.rcv_nxt
    negotiate(c, segment, now)


def _synchronized(c: Connection, segment: Segment, now: float) -> None:
    """RFC 9293 3.10.7.4."""
    position = unwrap(segment.sequence, c.rcv_nxt)
    if c.state is State.SYN_RECEIVED and position == c.rcv_nxt - 1 and segment.flags & (SYN | ACK) == SYN | ACK:
        # Figure 8, line 5: the peer answers our SYN too. Its SYN is known; what is left is an ACK.
        position += 1
        segment = segment._replace(sequence=wrap(position), flags=segment.flags & ~SYN)
    if not (_paws(c, segment, now) and _sequence(c, segment, position, now)):
        return
    if segment.options.timestamps is not None and c.timestamps and position <= c.last_ack_sent:
        c.ts_recent, c.ts_recent_at = segment.options.timestamps[0], now  # RFC 7323 4.3 (2)
    flags = segment.flags
    if flags & RST:
        _rst(c, position, now)
        return
    # Third, security: not implemented (RFC 9293 appendix A.1)
    if flags & SYN:
        _syn(c, now)
        return
    if not flags & ACK:
        c.commons.count("no-ack")
        return
    if not _ack(c, segment, position, now):
        return
    # Sixth, check the URG bit. Deviation: RFC 6093 6 has applications ask for urgent data in line, with no mark; here
    # no application can ask for anything else, so the pointer says nothing.
    _text(c, segment, position, now)
    _fin(c, now)


def _paws(c: Connection, segment: Segment, now: float) -> bool:
    """RFC 7323 5.3: protection against wrapped sequences, before all other checks."""
    if not c.timestamps or segment.flags & RST:
        return True  # 5.2: a RST is never tested
    if segment.options.timestamps is None:
        # 3.2: "SHOULD silently drop"
        c.commons.count("timestamp-missing")
        return False
    value = segment.options.timestamps[0]
    if wrap(value - c.ts_recent) >= 1 << 31 and now - c.ts_recent_at < _PAWS_EXPIRY:
        c.commons.count("paws")
        _challenge(c, now)
        return False
    return True


def _sequence(c: Connection, segment: Segment, position: int, now: float) -> bool:
    """First, check the sequence number: does any of the segment lie in the window (table 6)?"""
    length = segment.length
    window = c.rcv_adv - c.rcv_nxt
    if length == 0:
        acceptable = position == c.rcv_nxt if window == 0 else c.rcv_nxt <= position < c.rcv_adv
    elif window == 0:
        acceptable = False
    else:
        acceptable = position < c.rcv_adv and position + length > c.rcv_nxt
    if acceptable:
        return True
    c.commons.count("out-of-window")
    if segment.flags & RST:
        return False
    if c.state is State.SYN_RECEIVED and segment.flags & SYN and position == c.rcv_nxt - 1:
        # The peer's SYN again: our SYN,ACK was lost, and an ACK alone would not be understood.
        c.syn_due = True
        c.attend()
    elif window == 0 and position == c.rcv_nxt:
        # A zero-window probe. RFC 9293 3.10.7.4: valid ACKs are taken although the window is closed
        if segment.flags & ACK and not segment.flags & SYN:
            _ack(c, segment, position, now)
        if c.state is not State.CLOSED:
            c.ack_due = True
            c.attend()
    elif c.state is State.TIME_WAIT and segment.flags & FIN:
        # 3.10.7.4, eighth: the peer's FIN again; acknowledge it and wait another 2 MSL
        c.time_wait(now)
        c.ack_due = True
    else:
        # RFC 9293 3.10.7.4 sends an ACK each time; RFC 5961 7 (and the loops of two confused peers) want a limit,
        # from which segments with octets that were received before are spared: they are ordinary retransmissions.
        if length and position + length <= c.rcv_nxt and position + 0x10000 > c.rcv_nxt:
            c.ack_due = True
            c.attend()
        else:
            _challenge(c, now)
    return False


def _rst(c: Connection, position: int, now: float) -> None:
    """Second, check the RST bit, as RFC 5961 3.2 has it: only the very next sequence number resets."""
    if position != c.rcv_nxt:
        c.commons.count("rst-challenged")
        _challenge(c, now)
        return
    c.commons.count("rst-received")
    if c.state is State.SYN_RECEIVED:
        # A passive OPEN returns to LISTEN, where the listener still is; an active one was refused
        c.end(None if c.passive else Failure.REFUSED)
    elif c.state in (State.CLOSING, State.LAST_ACK, State.TIME_WAIT):
        c.end(None)
    else:
        c.end(Failure.RESET)


def _syn(c: Connection, now: float) -> None:
    """Fourth, check the SYN bit, as RFC 5961 4.2 has it: a SYN never resets a synchronized connection."""
    if c.state is State.SYN_RECEIVED and c.passive:
        c.commons.count("syn-in-window")
        c.end(None)  # back to LISTEN
        return
    c.commons.count("syn-challenged")
    _challenge(c, now)


def _ack(c: Connection, segment: Segment, position: int, now: float) -> bool:
    """Fifth, check the ACK field. False when the segment must not be processed further."""
    ack = unwrap(segment.acknowledgment, c.snd_una)
    if c.state is State.SYN_RECEIVED:
        if not c.snd_una < ack <= c.snd_nxt:
            c.commons.count("unacceptable-ack")
            _reset(c, segment)
            return False
        establish(c, segment, now)
        # and continue processing in ESTABLISHED
    if not c.snd_una - c.snd_max_wnd <= ack <= c.snd_nxt:
        # RFC 5961 5.2: blind injection of data
        c.commons.count("ack-challenged")
        _challenge(c, now)
        return False
    acknowledged(c, segment, position, ack, now)
    if c.fin_sent and c.snd_una == c.snd_nxt:
        # Our FIN is acknowledged
        if c.state is State.FIN_WAIT_1:
            c.move(Trigger.ACK_OF_FIN)
            if c.released:
                c.quiet_at = now + c.commons.limits.finish
        elif c.state is State.CLOSING:
            c.move(Trigger.ACK_OF_FIN)
            c.time_wait(now)
        elif c.state is State.LAST_ACK:
            c.move(Trigger.ACK_OF_FIN)
            c.end(None)
            return False
    return True


def _text(c: Connection, segment: Segment, position: int, now: float) -> None:
    """Seventh, process the segment text; where the FIN is, is noted."""
    if c.state not in RECEIVING:
        return
    data = segment.payload
    assembler = c.assembler
    if segment.flags & FIN and position + len(data) < c.rcv_adv + 1:
        assembler.finish = position + len(data)
    if not data:
        return
    if c.released:
        # RFC 9293 3.6.1: data that nobody will read; the peer should know that it is lost
        c.commons.count("data-after-close")
        c.fail(Failure.ABORTED)
        return
    commons = c.commons
    if len(data) > commons.spare(assembler.unread + assembler.waiting):
        commons.count("buffers-full")
        return
    was_waiting = assembler.waiting
    before = assembler.next
    taken = assembler.add(position, data, c.rcv_adv, commons.limits.pieces)
    if taken is None:
        commons.count("pieces-full")
        c.ack_due = True
        c.attend()
        return
    commons.buffered += taken
    advanced = assembler.next - before
    if advanced:
        c.rcv_nxt = assembler.next
        c.notify()
    if was_waiting or assembler.waiting or not advanced:
        # RFC 5681 4.2: at once for what is out of order, fills a gap, or was received before
        c.ack_due = True
    else:
        c.delayed += advanced
        if c.delayed >= 2 * c.mss:
            c.ack_due = True  # RFC 9293 3.8.6.3: for at least every second segment
        elif c.ack_at == NEVER:
            c.ack_at = now + c.commons.limits.delayed_ack
    c.attend()


def _fin(c: Connection, now: float) -> None:
    """Eighth, check the FIN bit, once all octets before it have come."""
    if c.finished or c.assembler.finish is None or c.assembler.finish != c.assembler.next:
        if c.assembler.finish is not None and not c.finished:
            c.ack_due = True
            c.attend()
        return
    if c.state not in RECEIVING:
        return
    c.finished = True
    c.rcv_nxt = c.assembler.next + 1
    c.rcv_adv = max(c.rcv_adv, c.rcv_nxt)
    c.ack_due = True
    c.move(Trigger.FIN)
    if c.state is State.TIME_WAIT:
        c.time_wait(now)
    c.attend()
    c.notify()


def _challenge(c: Connection, now: float) -> None:
    """Send an ACK that tells a peer which is real what we expect (RFC 5961 3.2, 4.2, 5.2).

    Deviation: RFC 5961 7 limits these for the whole host. That limit can be seen from other connections and told
    attackers where a window is (CVE-2016-5696), so each connection has its own.
    """
    if now - c.challenged_at < c.commons.limits.challenge_interval:
        c.commons.count("challenge-limited")
        return
    c.challenged_at = now
    c.ack_due = True
    c.attend()


def _reset(c: Connection, segment: Segment) -> None:
    """Answer a segment that acknowledges what was never sent: <SEQ=SEG.ACK><CTL=RST>."""
    reply = Segment(c.local.port, c.remote.port, segment.acknowledgment, 0, RST, 0)
    c.commons.reply(c.local.address, c.remote.address, reply)
