"""What a connection sends, and when: RFC 9293 3.7 and 3.8; RFC 6675 chooses what is sent again."""

from collections.abc import Iterator

from stack.tcp.connection import NEVER, Connection
from stack.tcp.options import MAX_SACK_BLOCKS, Options
from stack.tcp.recovery import Phase
from stack.tcp.segment import ACK, FIN, PSH, SYN, Segment, Template, emit
from stack.tcp.sequence import wrap
from stack.tcp.state import State

_SENDING_STATES = frozenset({State.ESTABLISHED, State.CLOSE_WAIT, State.FIN_WAIT_1, State.CLOSING, State.LAST_ACK})


def segments(c: Connection, now: float) -> Iterator[bytes]:
    """Everything that the connection may send now, segment by segment."""
    if c.syn_due:
        c.syn_due = False
        yield _syn(c, now)
    if c.state in _SENDING_STATES:
        template: Template | None = None
        while (span := _next(c, now)) is not None:
            # Nothing comes in meanwhile: all acknowledge the same. Only SACK blocks take what room each has.
            if template is None or c.assembler.waiting:
                template = _template(c, span[1] - span[0], now)
            yield _data(c, *span, template, now)
    if c.keepalive_due:
        c.keepalive_due = False
        yield _template(c, 0, now).emit(wrap(c.snd_nxt - 1), ACK, b"")
    if c.ack_due:
        yield _template(c, 0, now).emit(wrap(c.snd_nxt), ACK, b"")


def _syn(c: Connection, now: float) -> bytes:
    """Our SYN, for the first time or again: SYN-SENT offers options, SYN-RECEIVED answers those offered."""
    opening = c.state is State.SYN_SENT
    offers = Options(
        mss=c.offer_mss,
        # RFC 7323 2.2, 3.2; RFC 2018 2: in a SYN,ACK only if the SYN had it
        window_scale=c.rcv_scale if opening or c.scaling else None,
        sack_permitted=opening or c.sack,
        timestamps=(c.timestamp(now), 0 if opening else c.ts_recent) if opening or c.timestamps else None,
    )
    if c.snd_nxt == c.initial_send:
        c.snd_nxt += 1
        c.timed = (c.snd_nxt, now)
        c.stalled_at = now
    # The window of a SYN is never scaled (RFC 7323 2.2).
    window = min(c.open_window() - c.rcv_nxt, 0xFFFF)
    c.rcv_adv = max(c.rcv_adv, c.rcv_nxt + window)
    c.retransmit_at = now + c.rto.interval
    flags = SYN if opening else SYN | ACK
    acknowledged = 0 if opening else wrap(c.rcv_nxt)
    _acknowledges(c)
    segment = Segment(c.local.port, c.remote.port, wrap(c.initial_send), acknowledged, flags, window, offers)
    return emit(segment, c.pseudo_header)


def _next(c: Connection, now: float) -> tuple[int, int] | None:
    """Left and right position of what to send next, a FIN included in the positions; None when nothing may go."""
    recovery, una, nxt = c.recovery, c.snd_una, c.snd_nxt
    room = c.congestion.window - recovery.in_flight(una, nxt)
    if c.probe_due:
        return _probe(c)
    if (lost := recovery.retransmission(una, nxt)) is not None:
        span = _cut(c, *lost)
        if not recovery.urgent and room < span[1] - span[0]:
            c.window_full = True
            return None
        recovery.resend(span[1])
        c.timed = None  # RFC 6298 3, Karn's rule
        return span
    end = c.sender.end + c.fin_queued
    if nxt < end:
        span = _cut(c, nxt, min(end, una + c.snd_wnd))
        if span[1] > nxt and _worth_sending(c, span[1] - nxt, span[1] == end):
            if nxt == una and now - c.sent_at > c.rto.interval:
                c.congestion.idle()  # RFC 5681 4.1
                room = c.congestion.window
            if room < span[1] - nxt:
                c.window_full = True
                return None
            return span
        if nxt == una:
            # Nothing is in flight that would bring an ACK, and thus a new window: RFC 9293 3.8.6.1 and 3.8.6.2.1
            c.push_at = min(c.push_at, now + c.rto.interval)
    c.window_full = False
    if recovery.phase is Phase.FAST and room >= c.mss:
        if (span_again := recovery.speculation(una)) is not None:
            span = _cut(c, *span_again)
            recovery.resend(span[1])
            return span
        if (span_again := recovery.rescue(una)) is not None:
            return _cut(c, *span_again)
    return None


def _cut(c: Connection, left: int, right: int) -> tuple[int, int]:
    """As much of left to right as one segment carries; a FIN takes no room in it."""
    data_end = c.sender.end
    limit = left + c.mss
    return left, right if right <= limit or (right == limit + 1 and right > data_end) else limit


def _probe(c: Connection) -> tuple[int, int]:
    """RFC 9293 3.8.6.1: at least one octet, which the peer must answer although its window is closed."""
    c.probe_due = False
    left = c.snd_una  # which is SND.NXT when nothing is in flight
    end = max(c.snd_nxt, c.sender.end + c.fin_queued)
    return _cut(c, left, min(end, max(left + 1, c.snd_una + c.snd_wnd)))


def _worth_sending(c: Connection, count: int, is_all: bool) -> bool:
    """RFC 9293 3.8.6.2.1, the sender's part of avoiding silly windows, and 3.7.4, Nagle's algorithm."""
    if count >= c.mss:
        return True  # (1)
    # A FIN lets the rest go: nothing can be added to it.
    if not (c.no_delay or c.snd_nxt == c.snd_una or c.fin_queued):
        return False
    return is_all or 2 * count >= c.snd_max_wnd  # (2), (3)


def _data(c: Connection, left: int, right: int, template: Template, now: float) -> bytes:
    """The segment from position `left` to before `right`, which may be sent now."""
    data_end = c.sender.end
    flags = ACK
    if right >= data_end:
        flags |= PSH
        if right > data_end:
            flags |= FIN
    if right > c.snd_nxt:
        if c.timed is None and left == c.snd_nxt:
            c.timed = (right, now)
        c.snd_nxt = right
        c.sent_at = now
        if c.stalled_at == NEVER:
            c.stalled_at = now
    if c.retransmit_at == NEVER:
        c.retransmit_at = now + c.rto.interval  # RFC 6298 (5.1)
    c.push_at = NEVER
    return template.emit(wrap(left), flags, c.sender.read(left, min(right, data_end)))


def _template(c: Connection, length: int, now: float) -> Template:
    """Segments of a synchronized connection, with the acknowledgment and window of this moment.

    Each has `length` octets of payload, which leave some room for SACK blocks, or, when there are none, any number.
    """
    edge = c.open_window()
    window = min(edge - c.rcv_nxt >> c.rcv_scale, 0xFFFF)
    c.rcv_adv = max(c.rcv_adv, c.rcv_nxt + (window << c.rcv_scale))
    timestamps = (c.timestamp(now), c.ts_recent) if c.timestamps else None
    blocks: tuple[tuple[int, int], ...] = ()
    if c.sack and c.assembler.waiting:
        most = MAX_SACK_BLOCKS - (timestamps is not None)
        blocks = tuple((wrap(left), wrap(right)) for left, right in c.assembler.ranges()[:most])
        if length:
            blocks = blocks[: max(0, (c.mss - length - 4) // 8)]
    _acknowledges(c)
    ports = c.local.port, c.remote.port
    return Template(ports, wrap(c.rcv_nxt), window, Options(None, None, False, blocks, timestamps), c.pseudo_header)


def _acknowledges(c: Connection) -> None:
    """A segment goes out that acknowledges all that came in."""
    c.ack_due = False
    c.delayed = 0
    c.ack_at = NEVER
    c.last_ack_sent = c.rcv_nxt
