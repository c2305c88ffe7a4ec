"""RFC 2131, rule by rule: the client without I/O, and servers that say whatever a test wants."""

import itertools
from typing import TYPE_CHECKING

import pytest

from stack.address import IPV4_BROADCAST, IPV4_UNSPECIFIED, parse
from stack.counters import Counters
from stack.dhcp.client import DhcpClient, Outgoing
from stack.dhcp.table import TRANSITIONS, Action, Event, State
from stack.draw import Draw
from stack.wire import dhcpv4
from stack.wire.dhcpv4 import Direction, Kind, Message, Option
from stack.wire.error import WireError
from tests.stack.interface.lan import OUR_MAC, SeededEntropy

if TYPE_CHECKING:
    from stack.dhcp.lease import Lease

SERVER, OTHER_SERVER = parse("192.0.2.1"), parse("192.0.2.2")
ADDRESS = parse("192.0.2.50")
START = 1000.0


class Client:
    """A client, what it said, and the leases it had."""

    def __init__(self) -> None:
        self.now = START
        self.counters = Counters()
        self.leases: list[Lease | None] = []
        self.client = DhcpClient(
            OUR_MAC,
            "ns1",
            Draw(SeededEntropy()),
            self.counters,
            lambda granted, _: self.leases.append(granted),
            lambda _: self.leases.append(None),
            self.now,
        )

    def is_in(self, state: State) -> bool:
        return self.client.state is state

    def next(self) -> list[Message]:
        """What the client says when its deadline has come."""
        at = self.client.poll_at()
        assert at is not None
        self.now = max(self.now, at)
        self.client.poll(self.now)
        return self.said()

    def said(self) -> list[Message]:
        return [dhcpv4.parse(memoryview(message.payload)) for message in self.outgoing()]

    def outgoing(self) -> list[Outgoing]:
        self.last = self.client.take()
        return self.last

    def hear(
        self, kind: Kind, server: bytes = SERVER, yours: bytes = ADDRESS, **changes: bytes | None
    ) -> list[Message]:
        """A server speaks; what the client says to it."""
        options: dict[int, bytes] = {
            Option.MESSAGE_TYPE: bytes((kind,)),
            Option.SERVER_IDENTIFIER: server,
            Option.SUBNET_MASK: parse("255.255.255.0"),
            Option.LEASE_TIME: (1000).to_bytes(4),
        }
        for name, value in changes.items():
            options.pop(Option[name])
            if value is not None:
                options[Option[name]] = value
        message = Message(Direction.REPLY, self.client._transaction, OUR_MAC, options, yours=yours)
        self.client.receive(memoryview(dhcpv4.emit(message)), self.now)
        return self.said()

    def bind(self) -> None:
        self.next()
        self.hear(Kind.OFFER)
        self.hear(Kind.ACK)
        assert self.is_in(State.BOUND)


def test_every_state_and_event_is_in_the_table() -> None:
    assert {state for state, _ in TRANSITIONS} == set(State)
    assert {event for _, event in TRANSITIONS} == set(Event)
    assert {transition.action for transition in TRANSITIONS.values()} == set(Action)


def test_section_3_1_discover_offer_request_acknowledgement() -> None:
    client = Client()
    (discover,) = client.next()
    assert discover.kind is Kind.DISCOVER
    assert discover.broadcast
    assert discover.options[Option.HOST_NAME] == b"ns1"
    assert client.last[0][:2] == (IPV4_UNSPECIFIED, IPV4_BROADCAST)
    (request,) = client.hear(Kind.OFFER)
    assert request.kind is Kind.REQUEST
    assert request.client == IPV4_UNSPECIFIED
    assert request.address(Option.REQUESTED_ADDRESS) == ADDRESS
    assert request.address(Option.SERVER_IDENTIFIER) == SERVER
    assert client.hear(Kind.ACK) == []
    (granted,) = client.leases
    assert granted is not None
    assert (granted.address, granted.duration_s, granted.renewal_s, granted.rebinding_s) == (ADDRESS, 1000, 500, 875)


def test_section_4_1_retries_wait_longer_each_time() -> None:
    client = Client()
    times = []
    for _ in range(7):
        client.next()
        times.append(client.now)
    waits = [after - before for before, after in itertools.pairwise(times)]
    for wait, expected in zip(waits, (4, 8, 16, 32, 64, 64), strict=True):
        assert expected - 1 <= wait <= expected + 1


def test_several_offers_the_next_one_is_taken_when_a_server_is_silent() -> None:
    client = Client()
    client.next()
    client.hear(Kind.OFFER)
    assert client.hear(Kind.OFFER, OTHER_SERVER) == []
    requests = [message for _ in range(4) for message in client.next()]
    assert [request.address(Option.SERVER_IDENTIFIER) for request in requests] == [SERVER] * 3 + [OTHER_SERVER]
    client.hear(Kind.ACK, OTHER_SERVER)
    assert client.is_in(State.BOUND)


def test_several_offers_the_next_one_is_taken_after_a_refusal() -> None:
    client = Client()
    client.next()
    client.hear(Kind.OFFER)
    client.hear(Kind.OFFER, OTHER_SERVER)
    (request,) = client.hear(Kind.NAK)
    assert request.address(Option.SERVER_IDENTIFIER) == OTHER_SERVER
    assert client.hear(Kind.NAK, OTHER_SERVER) == []
    assert client.is_in(State.INIT)


def test_section_4_4_5_renewal_asks_the_server_itself() -> None:
    client = Client()
    client.bind()
    (request,) = client.next()
    assert client.now == START + 500
    assert client.is_in(State.RENEWING)
    assert client.last[0][:2] == (ADDRESS, SERVER)
    assert request.client == ADDRESS
    assert Option.SERVER_IDENTIFIER not in request.options
    assert Option.REQUESTED_ADDRESS not in request.options
    client.hear(Kind.ACK)
    assert client.is_in(State.BOUND)
    assert client.client.poll_at() == START + 1000


def test_section_4_4_5_rebinding_asks_everyone_and_the_lease_ends() -> None:
    client = Client()
    client.bind()
    while not client.is_in(State.REBINDING):
        client.next()
    assert client.now == START + 875
    assert client.last[0][:2] == (ADDRESS, IPV4_BROADCAST)
    while client.is_in(State.REBINDING):
        client.next()
    assert client.now == START + 1000
    assert client.is_in(State.INIT)
    assert client.leases[-1] is None


def test_section_4_4_5_another_server_may_rebind() -> None:
    client = Client()
    client.bind()
    while not client.is_in(State.REBINDING):
        client.next()
    client.hear(Kind.ACK, OTHER_SERVER)
    assert client.is_in(State.BOUND)
    assert client.client.lease is not None
    assert client.client.lease.server == OTHER_SERVER


def test_section_4_4_5_retries_are_a_minute_apart_at_least() -> None:
    client = Client()
    client.bind()
    times = []
    while not client.is_in(State.INIT):
        client.next()
        times.append(client.now - START)
    assert times == [500, 687.5, 781.25, 841.25, 875, 937.5, 997.5, 1000]


@pytest.mark.parametrize("state", [State.RENEWING, State.REBINDING])
def test_a_refusal_ends_the_lease(state: State) -> None:
    client = Client()
    client.bind()
    while not client.is_in(state):
        client.next()
    client.hear(Kind.NAK)
    assert client.is_in(State.INIT)
    assert client.leases[-1] is None


def test_section_3_1_5_conflict_is_declined_and_ten_seconds_pass() -> None:
    client = Client()
    client.bind()
    client.client.conflict(client.now)
    (decline,) = client.said()
    assert decline.kind is Kind.DECLINE
    assert decline.address(Option.REQUESTED_ADDRESS) == ADDRESS
    assert client.last[0][:2] == (IPV4_UNSPECIFIED, IPV4_BROADCAST)
    assert client.leases[-1] is None
    client.next()
    assert client.now == START + 10
    assert client.is_in(State.SELECTING)


def test_section_4_4_6_release() -> None:
    client = Client()
    client.bind()
    client.client.release()
    (release,) = client.said()
    assert (release.kind, release.client) == (Kind.RELEASE, ADDRESS)
    assert client.last[0][:2] == (ADDRESS, SERVER)
    assert client.client.poll_at() is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"SERVER_IDENTIFIER": None}, "no server identifier"),
        ({"SUBNET_MASK": None}, "no subnet mask"),
        ({"SUBNET_MASK": parse("255.0.255.0")}, "bad subnet mask"),
        ({"LEASE_TIME": None}, "lease too short"),
        ({"LEASE_TIME": bytes(4)}, "lease too short"),
        ({"yours": parse("0.0.0.0")}, "no host's address"),
        ({"yours": parse("224.0.0.1")}, "no host's address"),
        ({"yours": parse("127.0.0.1")}, "no host's address"),
    ],
)
def test_offers_that_are_no_use(changes: dict[str, bytes], reason: str) -> None:
    client = Client()
    client.next()
    with pytest.raises(WireError, match=reason):
        client.hear(Kind.OFFER, **changes)


def test_an_acknowledgement_of_another_server_is_not_taken() -> None:
    client = Client()
    client.next()
    client.hear(Kind.OFFER)
    with pytest.raises(WireError, match="not a message of a server we asked"):
        client.hear(Kind.ACK, OTHER_SERVER)
    with pytest.raises(WireError, match="not a message of a server we asked"):
        client.hear(Kind.NAK, OTHER_SERVER)


def test_messages_out_of_place_are_counted() -> None:
    client = Client()
    client.bind()
    client.hear(Kind.OFFER)
    assert client.counters.value("dhcpv4", "OFFER while BOUND") == 1


def test_offers_are_bounded() -> None:
    client = Client()
    client.next()
    for _ in range(4):
        client.hear(Kind.OFFER)
    with pytest.raises(WireError, match="too many offers"):
        client.hear(Kind.OFFER)


def test_infinite_lease_is_never_renewed() -> None:
    client = Client()
    client.next()
    client.hear(Kind.OFFER)
    client.hear(Kind.ACK, LEASE_TIME=b"\xff" * 4)
    assert client.is_in(State.BOUND)
    assert client.client.poll_at() is None


@pytest.mark.parametrize(
    ("slept", "kinds"),
    [
        (400, []),  # a tenth of the lease is left before its renewal
        (600, [Kind.REQUEST]),  # a renewal is due
        (900, [Kind.REQUEST, Kind.REQUEST]),  # of any server
        (3600, [Kind.REQUEST, Kind.REQUEST, Kind.DISCOVER]),  # there is no lease any more
    ],
)
def test_a_lease_goes_on_while_the_machine_is_paused(slept: float, kinds: list[Kind]) -> None:
    client = Client()
    client.bind()
    client.now += 10
    client.client.slept(slept)
    until = client.now + 5
    said = []
    while (at := client.client.poll_at()) is not None and at <= until:
        said += client.next()
    assert [message.kind for message in said] == kinds
    assert (client.leases[-1] is None) == (Kind.DISCOVER in kinds)


@pytest.mark.parametrize("paused", [State.RENEWING, State.REBINDING])
def test_a_lease_that_ended_while_the_machine_was_paused_is_given_up_at_once(paused: State) -> None:
    client = Client()
    client.bind()
    while client.client.state is not paused:
        client.next()
    client.client.slept(3600)
    until = client.now + 5
    while (at := client.client.poll_at()) is not None and at <= until:
        client.next()
    assert client.leases[-1] is None
