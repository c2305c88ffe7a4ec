import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import IPv6

from stack.address import parse, text
from stack.wire import ipv6
from stack.wire.error import WireError
from stack.wire.ipv6 import Packet
from tests.stack.wire.strategies import ipv6 as addresses
from tests.stack.wire.strategies import ipv6_unicast, octet, payload

A, B = parse("2001:db8::1"), parse("2001:db8::2")
packets = st.builds(Packet, ipv6_unicast, addresses, octet, payload, octet, octet, st.integers(0, 0xFFFFF))


def test_deconstruct() -> None:
    octets = bytes(IPv6(src="2001:db8::1", dst="2001:db8::2", nh=17, hlim=9, tc=3, fl=77) / b"payload")
    assert ipv6.parse(memoryview(octets + b"padding")) == Packet(A, B, 17, b"payload", 9, 3, 77)


@given(packets)
def test_parse_of_emit(packet: Packet) -> None:
    assert ipv6.parse(memoryview(ipv6.emit(packet))) == packet


@given(packets)
def test_scapy_agrees(packet: Packet) -> None:
    theirs = IPv6(ipv6.emit(packet))
    assert (theirs.src, theirs.dst, theirs.nh, theirs.hlim, theirs.tc, theirs.fl) == (
        text(packet.source),
        text(packet.destination),
        packet.next_header,
        packet.hop_limit,
        packet.traffic_class,
        packet.flow_label,
    )


@pytest.mark.parametrize("length", range(47))
def test_truncated(length: int) -> None:
    with pytest.raises(WireError, match=r"too short|truncated"):
        ipv6.parse(memoryview(ipv6.emit(Packet(A, B, 17, b"payload")))[:length])


def test_a_group_is_no_source() -> None:
    with pytest.raises(WireError, match="source is a group"):
        ipv6.parse(memoryview(ipv6.emit(Packet(parse("ff02::1"), B, 17, b""))))


@given(st.binary(max_size=100))
def test_any_octets_survive(data: bytes) -> None:
    try:
        packet = ipv6.parse(memoryview(b"\x60" + data))
    except WireError:
        return
    assert ipv6.emit(packet) == (b"\x60" + data)[: 40 + len(packet.payload)]
