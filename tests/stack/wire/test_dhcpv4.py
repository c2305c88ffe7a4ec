import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP

from stack.wire import dhcpv4
from stack.wire.dhcpv4 import Direction, Kind, Message, Option
from stack.wire.error import WireError
from tests.stack.wire.strategies import half, ipv4, mac, word

codes = st.integers(1, 254).filter(lambda code: code != Option.OVERLOAD)
messages = st.builds(
    Message,
    st.sampled_from(Direction),
    word,
    mac,
    st.dictionaries(codes, st.binary(max_size=600), max_size=6),
    half,
    st.booleans(),
    ipv4,
    ipv4,
    ipv4,
    ipv4,
)
MAC = b"\x02\0\0\0\0\x01"
EMPTY = Message(Direction.REPLY, 1, MAC, {})


@given(messages)
def test_parse_of_emit(message: Message) -> None:
    octets = dhcpv4.emit(message)
    assert len(octets) >= dhcpv4.MINIMUM
    assert dhcpv4.parse(memoryview(octets)) == message


def test_scapy_is_understood() -> None:
    options = [("message-type", "offer"), ("server_id", "192.0.2.1"), ("lease_time", 600), "end"]
    octets = bytes(
        BOOTP(op=2, xid=77, yiaddr="192.0.2.50", chaddr=MAC + bytes(10), flags=0x8000) / DHCP(options=options)
    )
    message = dhcpv4.parse(memoryview(octets))
    assert message.kind is Kind.OFFER
    assert (message.transaction, message.client_mac, message.yours) == (77, MAC, bytes((192, 0, 2, 50)))
    assert message.address(Option.SERVER_IDENTIFIER) == bytes((192, 0, 2, 1))
    assert message.number(Option.LEASE_TIME, 4) == 600
    assert message.broadcast


def test_scapy_understands() -> None:
    message = Message(Direction.REQUEST, 77, MAC, {Option.MESSAGE_TYPE: b"\x01", Option.HOST_NAME: b"ns1"})
    theirs = BOOTP(dhcpv4.emit(message))
    assert theirs[DHCP].options[:2] == [("message-type", 1), ("hostname", b"ns1")]
    assert theirs.xid == 77


def test_rfc_2131_section_4_1_overload() -> None:
    """Options go on in the file field, then in the server name."""
    octets = bytearray(dhcpv4.emit(EMPTY._replace(options={Option.OVERLOAD: b"\x03", Option.HOST_NAME: b"a"})))
    octets[108:112] = bytes((Option.HOST_NAME, 1)) + b"b" + bytes((Option.END,))
    octets[44:48] = bytes((Option.HOST_NAME, 1)) + b"c" + bytes((Option.END,))
    assert dhcpv4.parse(memoryview(octets)).options == {Option.HOST_NAME: b"abc"}


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [(0, 3, "neither"), (1, 6, "not Ethernet"), (2, 5, "not Ethernet"), (236, 0, "cookie"), (241, 255, "truncated")],
)
def test_refused(at: int, value: int, reason: str) -> None:
    octets = bytearray(dhcpv4.emit(EMPTY._replace(options={Option.HOST_NAME: b"a"})))
    octets[at] = value
    with pytest.raises(WireError, match=reason):
        dhcpv4.parse(memoryview(octets))


@pytest.mark.parametrize("length", range(0, 240, 13))
def test_too_short(length: int) -> None:
    with pytest.raises(WireError, match="too short"):
        dhcpv4.parse(memoryview(bytes(length)))


@given(st.binary(max_size=200))
def test_any_options_survive(data: bytes) -> None:
    octets = dhcpv4.emit(EMPTY)[:240] + data
    try:
        dhcpv4.parse(memoryview(octets))
    except WireError:
        return
