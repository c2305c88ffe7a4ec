"""The TCP engine: finds the connection of each segment, answers those that have none, and keeps the timers.

Segments to CLOSED and LISTEN (RFC 9293 3.10.7.1, 3.10.7.2) are processed here, the others by `arrival`. `now` is
monotonic seconds everywhere and never goes back.
"""

import heapq
import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from dns_platform.protocols import Octets
from stack.address import Address, Endpoint
from stack.counters import Counters
from stack.limiter import TokenBucket
from stack.tcp import icmp
from stack.tcp.arrival import arrives, establish, negotiate, open_passively
from stack.tcp.commons import Commons, Limits
from stack.tcp.connection import NEVER, Connection, connection_key, receive_scale
from stack.tcp.emission import segments
from stack.tcp.options import Options
from stack.tcp.secret import EPHEMERAL_COUNT, Secret, cookie_options, cookie_timestamp
from stack.tcp.segment import ACK, HEADER, PROTOCOL, RST, SYN, Segment, parse
from stack.tcp.sequence import wrap
from stack.tcp.state import State, Trigger
from stack.tcp.timeouts import expire
from stack.transport import Network, Unreachable
from stack.wire.checksum import pseudo_header
from stack.wire.error import WireError

_IP_HEADER: Final = {4: 20, 16: 40}  # octets, by those of an address
_COOKIES_LAST: Final = 128.0  # seconds after the last cookie in which one may come back
_DEADLINES_EACH: Final = 4  # entries of a connection on the heap; each gets one anew when there are more
_DEADLINES_SPARE: Final = 256  # so that few connections don't cause it
_ACTIVE: Final = frozenset(State) - {State.CLOSED, State.LISTEN, State.SYN_RECEIVED, State.TIME_WAIT}


class InUse(Exception):
    """The local endpoint is taken, or no port is free; the message says which."""


class Listener:
    """A passive OPEN: LISTEN on one endpoint, whose address may be unspecified (all of ours of that family)."""

    __slots__ = ("_engine", "cookies_until", "local", "user")

    def __init__(self, engine: "Engine", local: Endpoint, user: object) -> None:
        self._engine = engine
        self.local = local
        self.user = user
        """For the user of the listener."""
        self.cookies_until = -NEVER

    def close(self) -> None:
        """CLOSE: no new connections. Those that are half open end with it."""
        self._engine.forget_listener(self)


class Engine:
    """All TCP of one host."""

    def __init__(self, network: Network, secret: bytes, counters: Counters, limits: Limits | None = None) -> None:
        """`secret` is 32 random octets; `network` says which addresses we have and what its paths carry."""
        self._network = network
        self._secret = Secret(secret)
        self._commons = Commons(limits or Limits(), counters)
        self._listeners: dict[Endpoint, Listener] = {}
        self._deadlines: list[tuple[float, int, Connection]] = []
        self._order = itertools.count()  # so that the heap never compares connections
        self._ports_tried = 0  # next_ephemeral of RFC 6056 3.3.3
        resets = self._commons.limits.resets
        self._resets = TokenBucket(resets, resets)

    @property
    def commons(self) -> Commons:
        """Limits, counters, and how much is in use."""
        return self._commons

    # The user's side

    def listen(self, local: Endpoint, user: object = None) -> Listener:
        """Passive OPEN. Port 0 takes a free one. InUse when another listener is there."""
        if local.port == 0:
            local = self._free_endpoint(local, Endpoint(local.address, 0))
        if local in self._listeners:
            raise InUse(f"{local} is in use by another listener")
        listener = self._listeners[local] = Listener(self, local, user)
        return listener

    def connect(self, local: Endpoint, remote: Endpoint, now: float) -> Connection:
        """Active OPEN from `local`, an address of ours; port 0 takes a free one. InUse when there is none."""
        commons = self._commons
        if self._active() >= commons.limits.connections:
            raise InUse(f"{commons.limits.connections} connections are open, which is the limit")
        if local.port == 0:
            local = self._free_endpoint(local, remote)
        elif connection_key(remote, local) in commons.connections:
            raise InUse(f"there is a connection from {local} to {remote}")
        connection = self._new(State.CLOSED, local, remote, now)
        connection.move(Trigger.ACTIVE_OPEN)
        connection.syn_due = True
        connection.attend()
        return connection

    @property
    def has_news(self) -> bool:
        """Has `changed` something to tell?"""
        return bool(self._commons.changed)

    def changed(self) -> Iterator[Connection]:
        """Connections of which the user should know something new since the last call, each once."""
        changed = self._commons.changed
        while changed:
            connection = next(iter(changed))
            del changed[connection]
            yield connection

    def abort_all(self) -> None:
        """ABORT every connection, as when the host goes down."""
        for connection in list(self._commons.connections.values()):
            connection.abort()

    def forget_listener(self, listener: Listener) -> None:
        """For `Listener.close`."""
        if self._listeners.get(listener.local) is listener:
            del self._listeners[listener.local]
            for connection in list(self._commons.connections.values()):
                if connection.listener is listener and connection.state is State.SYN_RECEIVED:
                    connection.abort()

    # The network's side: see `stack.transport.Tcp`

    def receive(self, source: Address, destination: Address, segment: Octets, now: float) -> None:
        """Take the payload of an IP packet to a unicast address of ours."""
        commons = self._commons
        try:
            parsed = parse(segment, pseudo_header(source, destination, PROTOCOL, len(segment)))
        except WireError as error:
            commons.counters.add(error.layer, error.reason)
            return
        connection = commons.connections.get(source + destination + bytes(segment[:4]))
        if connection is not None:
            if not (connection.state is State.TIME_WAIT and self._reopens(connection, parsed)):
                arrives(connection, parsed, now)
                return
            connection.end(None)
        local = Endpoint(destination, parsed.destination_port)
        listener = self._listeners.get(local) or self._listeners.get(Endpoint(bytes(len(destination)), local.port))
        if listener is not None:
            self._in_listen(listener, local, Endpoint(source, parsed.source_port), parsed, now)
        else:
            self._in_closed(local, Endpoint(source, parsed.source_port), parsed, now)

    def transmit(self, now: float) -> Iterator[tuple[Address, Address, Sequence[bytes]]]:
        """Run the timers that are due; then source, destination and octets of segments to send, some at a time."""
        commons = self._commons
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] <= now:
            _, _, connection = heapq.heappop(deadlines)
            connection.wakeups.pop()
            if connection.state is not State.CLOSED:
                expire(connection, now)
                connection.attend()
        self._trim_time_wait()
        self._trim_deadlines()
        if commons.has_relief:
            commons.changed |= commons.starving
            commons.starving.clear()
        replies, wanting = commons.replies, commons.wanting
        while replies or wanting:
            while replies:
                source, destination, reply = replies.popleft()
                yield source, destination, (reply,)
            if wanting:
                connection = next(iter(wanting))
                del wanting[connection]  # first: who is told that a segment was too big wants to send again
                if connection.state is not State.CLOSED:  # one that has ended sends nothing and waits for nothing
                    if made := [*segments(connection, now)]:
                        yield connection.local.address, connection.remote.address, made
                    self._schedule(connection)

    def poll_at(self) -> float | None:
        """When `transmit` has something to do: in the past for at once; None when only input matters."""
        commons = self._commons
        if commons.wanting or commons.replies or commons.has_relief:
            return -NEVER
        return self._deadlines[0][0] if self._deadlines else None

    def accepts(self, source: Address, destination: Address, quoted: Octets) -> bool:
        """RFC 5927 4.1: is `quoted`, the start of a segment from `source`, in flight?"""
        return icmp.quoted_connection(self._commons, source, destination, quoted) is not None

    def unreachable(
        self, source: Address, destination: Address, quoted: Octets, why: Unreachable, mtu: int | None, now: float
    ) -> None:
        """A segment of ours did not arrive, says an ICMP message that anyone may have forged."""
        del now  # nothing here is timed: see RFC 5927 7.2 in `icmp` and `timeouts`
        connection = icmp.quoted_connection(self._commons, source, destination, quoted)
        if connection is None:
            self._commons.count("icmp-not-in-flight")
        elif why is Unreachable.TOO_BIG:
            if mtu is not None:
                icmp.too_big(connection, mtu - _IP_HEADER[len(source)] - HEADER)
        else:
            icmp.unreachable(connection, why)

    # Segments that no connection takes

    def _in_closed(self, local: Endpoint, remote: Endpoint, segment: Segment, now: float) -> None:
        """RFC 9293 3.10.7.1: all but a reset is answered by a reset."""
        self._commons.count("no-connection")
        if segment.flags & RST:
            return
        if not self._resets.take(now):
            self._commons.count("reset-limited")
            return
        if segment.flags & ACK:
            reply = Segment(local.port, remote.port, segment.acknowledgment, 0, RST, 0)
        else:
            acknowledged = wrap(segment.sequence + segment.length)
            reply = Segment(local.port, remote.port, 0, acknowledged, RST | ACK, 0)
        self._commons.reply(local.address, remote.address, reply)

    def _in_listen(self, listener: Listener, local: Endpoint, remote: Endpoint, segment: Segment, now: float) -> None:
        """RFC 9293 3.10.7.2."""
        commons = self._commons
        if segment.flags & RST:  # First, check for a RST
            commons.count("listen-rst")
            return
        if segment.flags & ACK:  # Second, check for an ACK
            if now >= listener.cookies_until or not self._accept_cookie(listener, local, remote, segment, now):
                self._in_closed(local, remote, segment, now)
            return
        if not segment.flags & SYN:  # Third, check for a SYN
            commons.count("listen-no-syn")
            return
        if self._active() >= commons.limits.connections:
            commons.count("connections-full")
            return
        if commons.population[State.SYN_RECEIVED] >= commons.limits.half_open:
            self._send_cookie(listener, local, remote, segment, now)
            return
        connection = self._new(State.LISTEN, local, remote, now)
        connection.listener = listener
        connection.move(Trigger.SYN)
        open_passively(connection, segment, now)

    def _send_cookie(self, listener: Listener, local: Endpoint, remote: Endpoint, segment: Segment, now: float) -> None:
        """RFC 4987 3.6: too many connections are half open; remember nothing of this one."""
        commons = self._commons
        commons.count("cookie-sent")
        listener.cookies_until = now + _COOKIES_LAST
        options = segment.options
        mss = self._mss(remote.address)
        cookie = self._secret.cookie(local, remote, segment.sequence, options.mss or 0, now)
        answer = Options(mss=mss)
        if options.timestamps is not None:
            clock = wrap(int(now * 1000) + self._secret.timestamp_offset(local, remote))
            scale = None if options.window_scale is None else receive_scale(commons.limits.receive_buffer)
            stamps = (cookie_timestamp(clock, options), options.timestamps[0])
            answer = Options(mss, scale, options.sack_permitted, (), stamps)
        window = min(commons.limits.receive_buffer, 0xFFFF)
        reply = Segment(local.port, remote.port, cookie, wrap(segment.sequence + 1), SYN | ACK, window, answer)
        commons.reply(local.address, remote.address, reply)

    def _accept_cookie(
        self, listener: Listener, local: Endpoint, remote: Endpoint, segment: Segment, now: float
    ) -> bool:
        """Does `segment` acknowledge a cookie of ours? Then it opens a connection, and is its first segment."""
        commons = self._commons
        initial = wrap(segment.sequence - 1)
        cookie = wrap(segment.acknowledgment - 1)
        mss = self._secret.cookie_mss(local, remote, initial, cookie, now)
        if mss is None or segment.flags & SYN:
            commons.count("cookie-invalid")
            return False
        if self._active() >= commons.limits.connections:
            commons.count("connections-full")
            return True
        commons.count("cookie-accepted")
        connection = self._new(State.LISTEN, local, remote, now)
        connection.listener = listener
        connection.passive = True
        connection.restore(cookie, segment.sequence)
        syn = segment._replace(sequence=initial, flags=SYN, options=cookie_options(segment, mss))
        negotiate(connection, syn, now)
        establish(connection, segment, now)
        arrives(connection, segment, now)
        return True

    def _reopens(self, connection: Connection, segment: Segment) -> bool:
        """RFC 9293 3.10.7.4, TIME-WAIT and a SYN: may it open a new connection (RFC 6191 2)?"""
        if segment.flags & (SYN | ACK | RST) != SYN:
            return False
        if segment.options.timestamps is not None and connection.timestamps:
            newer = wrap(segment.options.timestamps[0] - connection.ts_recent)
            if newer:
                return newer < 1 << 31
        return 0 < wrap(segment.sequence - connection.rcv_nxt) < 1 << 31

    # Bookkeeping

    def _active(self) -> int:
        return sum(self._commons.population[state] for state in _ACTIVE)

    def _mss(self, remote: Address) -> int:
        """What a segment to and from `remote` may carry: RFC 9293 3.7.1, the MSS to send."""
        return self._network.mtu_for(remote) - _IP_HEADER[len(remote)] - HEADER

    def _new(self, state: State, local: Endpoint, remote: Endpoint, now: float) -> Connection:
        return Connection(
            self._commons,
            local,
            remote,
            self._secret.initial_sequence(local, remote, now),
            self._secret.timestamp_offset(local, remote),
            self._mss(remote.address),
            state,
        )

    def _free_endpoint(self, local: Endpoint, remote: Endpoint) -> Endpoint:
        for _ in range(EPHEMERAL_COUNT):
            self._ports_tried += 1
            candidate = Endpoint(local.address, self._secret.port(local, remote, self._ports_tried))
            if candidate not in self._listeners and connection_key(remote, candidate) not in self._commons.connections:
                return candidate
        raise InUse(f"no free port at {local} towards {remote}")

    def _schedule(self, connection: Connection) -> None:
        """Put the connection's deadline on the heap, unless an earlier entry will look at it anyway.

        Deadlines are mostly put off: then the entry that is there finds nothing due, and comes back here.
        """
        deadline = connection.deadline
        if deadline < NEVER and (not connection.wakeups or deadline < connection.wakeups[-1]):
            connection.wakeups.append(deadline)
            heapq.heappush(self._deadlines, (deadline, next(self._order), connection))

    def _trim_deadlines(self) -> None:
        """Forget the deadlines of connections that have ended.

        Each keeps its connection in memory for up to a minute, in which many thousands can come and go.
        """
        live = self._commons.connections
        if len(self._deadlines) <= _DEADLINES_EACH * len(live) + _DEADLINES_SPARE:
            return
        self._deadlines.clear()
        for connection in live.values():
            connection.wakeups.clear()
            self._schedule(connection)

    def _trim_time_wait(self) -> None:
        commons = self._commons
        excess = commons.population[State.TIME_WAIT] - commons.limits.time_wait
        if excess > 0:
            waiting = (c for c in commons.connections.values() if c.state is State.TIME_WAIT)
            for connection in list(itertools.islice(waiting, excess)):
                commons.count("time-wait-full")
                connection.end(None)
