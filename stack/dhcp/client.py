"""The DHCP client without I/O: messages in, messages out, a lease that comes and goes.

Read first: RFC 2131 4.4, with the automaton in `table`.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from stack.address import IPV4_BROADCAST, IPV4_UNSPECIFIED, Address
from stack.counters import Counters
from stack.dhcp import lease as leases
from stack.dhcp.lease import Lease
from stack.dhcp.table import TRANSITIONS, Action, Event, State
from stack.draw import Draw
from stack.wire import dhcpv4
from stack.wire.dhcpv4 import Direction, Kind, Message, Option
from stack.wire.error import WireError

# RFC 2131 4.1: 4, 8, 16, 32, 64 seconds, each a second more or less
FIRST_RETRY_S = 4.0
LAST_RETRY_S = 64.0
SPREAD_S = 1.0
REQUESTS = 4
"""Requests for one offer before the next one is taken."""
RENEWAL_RETRY_S = 60.0  # RFC 2131 4.4.5: half of what is left, at least a minute
DECLINE_WAIT_S = 10.0  # RFC 2131 3.1 (5)
REFUSED_WAIT_S = 1.0
OFFERS_LIMIT = 4
MAXIMUM_SIZE = 1472  # octets of message that we take: a whole Ethernet frame

PARAMETERS = bytes(
    (
        Option.SUBNET_MASK,
        Option.ROUTER,
        Option.NAME_SERVERS,
        Option.HOST_NAME,
        Option.DOMAIN_NAME,
        Option.INTERFACE_MTU,
        Option.LEASE_TIME,
        Option.SERVER_IDENTIFIER,
        Option.RENEWAL_TIME,
        Option.REBINDING_TIME,
    )
)


class Outgoing(NamedTuple):
    """A message to send from `source` to the server port of `destination`."""

    source: Address
    destination: Address
    payload: bytes


class DhcpClient:
    """The client of one interface. `bound(lease, now)` and `unbound(now)` say when a lease is there, new or renewed."""

    def __init__(
        self,
        mac: bytes,
        host_name: str | None,
        draw: Draw,
        counters: Counters,
        bound: Callable[[Lease, float], None],
        unbound: Callable[[float], None],
        now: float,
    ) -> None:
        self._mac = mac
        self._host_name = host_name
        self._draw = draw
        self._counters = counters
        self._bound = bound
        self._unbound = unbound
        self.state = State.INIT
        self.lease: Lease | None = None
        self._offers: deque[Lease] = deque()
        self._outgoing: list[Outgoing] = []
        self._transaction = 0
        self._tries = 0
        self._began = now
        self._asked = now
        self._lease_began = now
        self._acknowledged: Lease | None = None
        # Deviation: RFC 2131 4.4.1 waits 1 to 10 s first, for the case that a whole building boots at once.
        self._deadline: float | None = now

    def poll_at(self) -> float | None:
        """When `poll` has something to do."""
        return self._deadline

    def poll(self, now: float) -> None:
        """Do what is due."""
        if self._deadline is not None and self._deadline <= now:
            self._deadline = None
            self._handle(self._due(now), now)

    def take(self) -> list[Outgoing]:
        """Messages to send; none remain."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def receive(self, payload: memoryview, now: float) -> None:
        """Take a message from a server; raises WireError."""
        message = dhcpv4.parse(payload)
        if message.direction is not Direction.REPLY:
            raise WireError(dhcpv4.LAYER, "not a reply")
        if message.transaction != self._transaction or message.client_mac != self._mac:
            raise WireError(dhcpv4.LAYER, "for another client")
        match message.kind:
            case Kind.OFFER:
                self._offered(leases.parse(message), now)
            case Kind.ACK:
                self._acknowledge(leases.parse(message), now)
            case Kind.NAK if self._is_from_our_server(message.address(Option.SERVER_IDENTIFIER)):
                self._handle(self._failure(Event.NAK), now)
            case _:
                raise WireError(dhcpv4.LAYER, "not a message of a server we asked")

    def conflict(self, now: float) -> None:
        """Another host uses the address (RFC 2131 3.1 (5), 4.4.4)."""
        self._handle(Event.CONFLICT, now)

    def slept(self, seconds: float) -> None:
        """The host kept the machine from running for so long, which its monotonic clock does not know: leases go on."""
        self._lease_began -= seconds
        if self.lease is not None and self._deadline is not None:
            self._deadline -= seconds

    def release(self) -> None:
        """Give the address back (RFC 2131 4.4.6); the client is not used any more afterwards."""
        if self.lease is not None and self.state in (State.BOUND, State.RENEWING, State.REBINDING):
            options: dict[int, bytes] = {Option.SERVER_IDENTIFIER: self.lease.server}
            self._send(Kind.RELEASE, options, self.lease.address, self.lease.server, client=self.lease.address)
        self._deadline = None

    # Events

    def _due(self, now: float) -> Event:
        """Which event the deadline was for."""
        match self.state:
            case State.INIT:
                return Event.START
            case State.SELECTING:
                return Event.RETRY
            case State.REQUESTING:
                return Event.RETRY if self._tries < REQUESTS else self._failure(Event.GIVE_UP)
            case State.BOUND:
                return Event.RENEWAL
            case State.RENEWING:
                return Event.REBINDING if now >= self._lease_began + self._held().rebinding_s else Event.RETRY
            case State.REBINDING:
                return Event.EXPIRY if now >= self._lease_began + self._held().duration_s else Event.RETRY

    def _failure(self, event: Event) -> Event:
        """`event`, with which one server falls out, or NEXT where another one is there."""
        return Event.NEXT if self.state is State.REQUESTING and len(self._offers) > 1 else event

    def _offered(self, offer: Lease, now: float) -> None:
        if len(self._offers) >= OFFERS_LIMIT:
            raise WireError(dhcpv4.LAYER, "too many offers")
        if self.state in (State.SELECTING, State.REQUESTING):
            self._offers.append(offer)
        self._handle(Event.OFFER, now)

    def _acknowledge(self, lease: Lease, now: float) -> None:
        if self.state is State.REQUESTING and lease.server != self._offers[0].server:
            raise WireError(dhcpv4.LAYER, "not a message of a server we asked")
        if self.state in (State.RENEWING, State.REBINDING) and lease.address != self._held().address:
            raise WireError(dhcpv4.LAYER, "another address than ours")
        self._acknowledged = lease
        self._handle(Event.ACK, now)
        self._acknowledged = None

    def _is_from_our_server(self, server: Address | None) -> bool:
        match self.state:
            case State.REQUESTING:
                return server == self._offers[0].server
            case State.RENEWING:
                return server == self._held().server
            case _:
                return self.state is State.REBINDING

    def _held(self) -> Lease:
        assert self.lease is not None, "there is a lease from BOUND to REBINDING"
        return self.lease

    def _handle(self, event: Event, now: float) -> None:
        """The one place that changes the state."""
        transition = TRANSITIONS.get((self.state, event))
        if transition is None:
            self._counters.add(dhcpv4.LAYER, f"{event.name} while {self.state.name}")
            return
        changed, self.state = self.state is not transition.state, transition.state
        if changed:
            self._tries = 0
        self._act(transition.action, now)

    def _act(self, action: Action, now: float) -> None:
        match action:
            case Action.DISCOVER:
                self._discover(now)
            case Action.REQUEST:
                self._request(now)
            case Action.KEEP:
                pass
            case Action.NEXT_OFFER:
                self._next_offer(now)
            case Action.BIND:
                self._bind(now)
            case Action.EXTEND:
                lease = self._held()
                self._extend(lease.server, self._lease_began + lease.rebinding_s, now)
            case Action.EXTEND_ANYWHERE:
                self._extend(IPV4_BROADCAST, self._lease_began + self._held().duration_s, now)
            case Action.RESTART:
                self._restart(now, REFUSED_WAIT_S)
            case Action.DECLINE:
                lease = self._held()
                options: dict[int, bytes] = {
                    Option.REQUESTED_ADDRESS: lease.address,
                    Option.SERVER_IDENTIFIER: lease.server,
                }
                self._send(Kind.DECLINE, options, IPV4_UNSPECIFIED, IPV4_BROADCAST)
                self._restart(now, DECLINE_WAIT_S)

    # Actions

    def _discover(self, now: float) -> None:
        if self._tries == 0:
            self._transaction = self._draw.number(32)
            self._began = now
            self._offers.clear()
        self._send(Kind.DISCOVER, {}, IPV4_UNSPECIFIED, IPV4_BROADCAST, now=now)
        self._retry(now)

    def _request(self, now: float) -> None:
        offer = self._offers[0]
        options: dict[int, bytes] = {Option.REQUESTED_ADDRESS: offer.address, Option.SERVER_IDENTIFIER: offer.server}
        self._asked = now
        self._send(Kind.REQUEST, options, IPV4_UNSPECIFIED, IPV4_BROADCAST, now=now)
        self._retry(now)

    def _next_offer(self, now: float) -> None:
        self._offers.popleft()
        self._tries = 0
        self._request(now)

    def _bind(self, now: float) -> None:
        lease = self._acknowledged
        assert lease is not None, "BIND follows ACK only"
        self.lease = lease
        self._offers.clear()
        self._lease_began = self._asked
        # RFC 2131 4.4.5: times count from the request, so that the server's are never shorter than ours
        renewal = self._lease_began + lease.renewal_s
        self._deadline = None if renewal == float("inf") else renewal
        self._bound(lease, now)

    def _extend(self, destination: Address, until: float, now: float) -> None:
        """Ask for more time; again after half of what is left `until` the next state."""
        lease = self._held()
        if self._tries == 0 and self.state is State.RENEWING:
            self._transaction = self._draw.number(32)
            self._began = now
        self._tries += 1
        self._asked = now
        self._send(Kind.REQUEST, {}, lease.address, destination, client=lease.address, now=now)
        self._deadline = min(until, now + max(RENEWAL_RETRY_S, (until - now) / 2))

    def _restart(self, now: float, wait_s: float) -> None:
        self.lease = None
        self._offers.clear()
        self._deadline = now + wait_s
        self._unbound(now)

    def _retry(self, now: float) -> None:
        wait = min(FIRST_RETRY_S * 2**self._tries, LAST_RETRY_S)
        self._tries += 1
        self._deadline = now + wait + self._draw.uniform(-SPREAD_S, SPREAD_S)

    def _send(
        self,
        kind: Kind,
        options: dict[int, bytes],
        source: Address,
        destination: Address,
        *,
        client: Address = IPV4_UNSPECIFIED,
        now: float | None = None,
    ) -> None:
        """RFC 2131 table 5: which message carries what."""
        fields: dict[int, bytes] = {
            Option.MESSAGE_TYPE: bytes((kind,)),
            Option.CLIENT_IDENTIFIER: b"\x01" + self._mac,
            **options,
        }
        if kind in (Kind.DISCOVER, Kind.REQUEST):
            fields[Option.PARAMETER_REQUEST] = PARAMETERS
            fields[Option.MAXIMUM_SIZE] = MAXIMUM_SIZE.to_bytes(2)
            if self._host_name:
                fields[Option.HOST_NAME] = self._host_name.encode("ascii")
        seconds = 0 if now is None else min(int(now - self._began), 0xFFFF)
        # The broadcast flag: before it has an address this stack takes no packet to one (RFC 2131 4.1)
        broadcast = client == IPV4_UNSPECIFIED and kind is not Kind.DECLINE
        message = Message(Direction.REQUEST, self._transaction, self._mac, fields, seconds, broadcast, client)
        self._outgoing.append(Outgoing(source, destination, dhcpv4.emit(message)))
