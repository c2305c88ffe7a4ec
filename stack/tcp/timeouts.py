"""What happens when a timer of a connection goes off: RFC 9293 3.10.8, RFC 6298 5, RFC 9293 3.8.4."""

from stack.tcp.connection import NEVER, Connection, Failure
from stack.tcp.state import State, Trigger


def expire(c: Connection, now: float) -> None:
    """Run the timers that are due."""
    if c.quiet_at <= now:
        _quiet(c)
    if c.retransmit_at <= now:
        _retransmit(c, now)
    if c.push_at <= now:
        # RFC 9293 3.8.6.1: the interval between probes grows exponentially
        c.push_at = NEVER
        c.probe_due = c.snd_nxt < c.sender.end + c.fin_queued
        c.rto.backoff += 1
    if c.ack_at <= now:
        c.ack_at = NEVER
        c.ack_due = True
    if c.keepalive_at <= now:
        _keep_alive(c, now)


def _quiet(c: Connection) -> None:
    """TIME-WAIT is over, or FIN-WAIT-2 without a reader, or the peer took too long for its handshake."""
    c.quiet_at = NEVER
    if c.state is State.TIME_WAIT:
        c.move(Trigger.TIMEOUT)
        c.end(None)
    elif c.state is State.FIN_WAIT_2:
        c.commons.count("fin-wait-2-timeout")
        c.end(None)
    elif c.state is State.SYN_RECEIVED:
        c.commons.count("handshake-timeout")
        c.end(Failure.TIMED_OUT)


def _retransmit(c: Connection, now: float) -> None:
    """The retransmission timer went off: RFC 6298 (5.4) to (5.7)."""
    limits = c.commons.limits
    opening = c.state is State.SYN_SENT or c.state is State.SYN_RECEIVED
    if now - c.stalled_at >= (limits.connect if opening else limits.user_timeout):
        c.commons.count("timed-out")
        c.fail(Failure.TIMED_OUT)
        return
    c.commons.count("retransmission-timeout")
    c.rto.backoff += 1  # (5.5)
    c.timed = None  # Karn's rule
    c.retransmit_at = now + c.rto.interval  # (5.6)
    if opening:
        c.syn_due = True
        return
    if c.snd_wnd == 0:
        # RFC 9293 3.8.6.1: the window was closed on what is in flight. That is no congestion: probe.
        c.probe_due = True
        return
    if c.size_pending is not None:
        # RFC 5927 7.2: the segment is not getting through, so the ICMP message may be believed
        c.resize(min(c.mss, c.size_pending))
        c.size_pending = None
        c.size_proven = 0
    if c.rto.backoff == 1:
        c.congestion.timed_out(c.snd_nxt - c.snd_una, now)
    else:
        c.congestion.window = c.mss  # RFC 5681 3.1: ssthresh is lowered once for a segment
    c.recovery.timed_out(c.snd_una, c.snd_nxt)


def _keep_alive(c: Connection, now: float) -> None:
    """RFC 9293 3.8.4: a segment that the peer must answer, without octets, at a sequence number before its window."""
    keepalive = c.keepalive
    if keepalive is None or c.state not in (State.ESTABLISHED, State.CLOSE_WAIT):
        c.keepalive_at = NEVER
        return
    if c.probes >= keepalive.probes:
        c.commons.count("keepalive-timeout")
        c.fail(Failure.TIMED_OUT)
        return
    c.keepalive_at = now + keepalive.interval
    if c.snd_una == c.snd_nxt:
        c.probes += 1
        c.keepalive_due = True
