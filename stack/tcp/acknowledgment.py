"""The fifth step of RFC 9293 3.10.7.4 for ESTABLISHED and later: what an acceptable ACK says about what we sent."""

from stack.tcp.connection import NEVER, Connection
from stack.tcp.recovery import Phase
from stack.tcp.segment import FIN, SYN, Segment
from stack.tcp.sequence import unwrap


def acknowledged(c: Connection, segment: Segment, position: int, ack: int, now: float) -> None:
    """Take the acknowledgment `ack` of a segment at `position`; SND.UNA - MAX.SND.WND =< `ack` =< SND.NXT."""
    news = False
    if segment.options.sack and c.sack:
        blocks = [(unwrap(left, ack), unwrap(right, ack)) for left, right in segment.options.sack]
        news = c.recovery.selective(blocks, c.snd_una, c.snd_nxt)
    window = segment.window << c.snd_scale
    if ack > c.snd_una:
        _advance(c, segment, ack, now)
    elif ack == c.snd_una < c.snd_nxt and _is_duplicate(c, segment, window, news):
        if c.recovery.duplicate(c.snd_una, c.snd_nxt):
            c.congestion.congested(c.snd_nxt - c.snd_una, now)
            c.retransmit_at = now + c.rto.interval  # RFC 6675 5 (4.3) sends the first lost segment at once
        c.attend()
    _update_window(c, position, ack, window, now)


def _advance(c: Connection, segment: Segment, ack: int, now: float) -> None:
    """SND.UNA < `ack`: the peer has more of our octets than before."""
    count = ack - c.snd_una
    if count >= c.mss:
        c.size_proven = c.mss
        c.size_pending = None  # RFC 5927 7.2: there was progress, so the message was false
    _measure(c, segment, ack, now)
    recovery = c.recovery
    before = recovery.phase
    c.snd_una = ack
    c.commons.buffered -= c.sender.acknowledge(ack)
    over = recovery.acknowledge(ack, count)
    if over and before is Phase.FAST:
        # RFC 6582 3.2 (3), full acknowledgment, option 1: no burst into an empty path
        flight = recovery.in_flight(ack, c.snd_nxt)
        c.congestion.window = min(c.congestion.ssthresh, max(flight, c.mss) + c.mss)
    elif before is not Phase.FAST and (c.window_full or before is Phase.LOSS):
        # RFC 9293 3.8.2 by way of RFC 5681 3.1. Only a window that was used is known to be too small (RFC 7661 4.1).
        c.congestion.acknowledged(count, now, c.rto.smoothed or 0.0)
    c.rto.backoff = 0
    if ack < c.snd_nxt:
        c.retransmit_at = now + c.rto.interval  # RFC 6298 (5.3)
        c.stalled_at = now
    else:
        c.retransmit_at = c.stalled_at = NEVER  # (5.2)
    c.attend()
    c.notify()


def _measure(c: Connection, segment: Segment, ack: int, now: float) -> None:
    """Take a sample of the round-trip time, of a segment that was sent once (RFC 6298 3)."""
    if c.timed is not None:
        if ack >= c.timed[0]:
            c.rto.sample(now - c.timed[1])
            c.timed = None
    elif c.timestamps and segment.options.timestamps is not None and (echo := segment.options.timestamps[1]):
        # RFC 7323 4.1: with timestamps a segment that was sent again can be measured too. It is done only where
        # nothing else is measured, since the peer's echo counts milliseconds.
        elapsed = unwrap(c.timestamp(now) - echo & 0xFFFFFFFF, 0)
        if 0 <= elapsed <= 1000 * c.commons.limits.user_timeout:
            c.rto.sample(elapsed / 1000)


def _is_duplicate(c: Connection, segment: Segment, window: int, news: bool) -> bool:
    """RFC 5681 2, or, with SACK, RFC 6675 2: an ACK that says that something behind SND.UNA has arrived."""
    if c.sack:
        return news
    return not segment.payload and not segment.flags & (SYN | FIN) and window == c.snd_wnd


def _update_window(c: Connection, position: int, ack: int, window: int, now: float) -> None:
    """Take the window unless the segment is older than the one that told the last (RFC 9293 3.10.7.4, SND.WL1, WL2)."""
    if ack < c.snd_una or not (c.snd_wl1 < position or (c.snd_wl1 == position and c.snd_wl2 <= ack)):
        return
    c.snd_wl1 = position
    c.snd_wl2 = ack
    if window == 0:
        # RFC 9293 3.8.6.1: a peer that goes on acknowledging may keep its window closed for ever; but not when the user
        # has left, for nobody but an attacker waits then (RFC 6429 3).
        if c.stalled_at != NEVER and not c.released:
            c.stalled_at = now
    elif c.snd_wnd < c.mss and window > c.snd_wnd:
        # It was closed or as good as closed: go on at once, not when the backed-off probe is due.
        c.rto.backoff = 0
        c.push_at = NEVER
        if c.retransmit_at != NEVER:
            c.retransmit_at = now + c.rto.interval
    if window != c.snd_wnd:
        c.snd_wnd = window
        c.snd_max_wnd = max(c.snd_max_wnd, window)
        c.attend()
