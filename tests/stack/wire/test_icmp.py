import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6

from stack.address import text
from stack.wire import icmp, icmpv6
from stack.wire.error import WireError
from tests.stack.wire.strategies import ipv6, octet, payload, word

messages = st.builds(icmp.Message, octet, octet, word, payload)
messages_v6 = st.builds(icmpv6.Message, octet, octet, word, payload)


@given(messages)
def test_parse_of_emit(message: icmp.Message) -> None:
    assert icmp.parse(memoryview(icmp.emit(message))) == message


@given(messages_v6, ipv6, ipv6)
def test_icmpv6_parse_of_emit(message: icmpv6.Message, source: bytes, destination: bytes) -> None:
    octets = icmpv6.emit(message, source, destination)
    assert icmpv6.parse(memoryview(octets), source, destination) == message


@given(word, payload)
def test_scapy_agrees_on_echo(rest: int, data: bytes) -> None:
    theirs = bytes(ICMP(type=8, id=rest >> 16, seq=rest & 0xFFFF) / data)
    assert icmp.emit(icmp.Message(icmp.Type.ECHO, 0, rest, data)) == theirs


@given(word, payload, ipv6, ipv6)
def test_scapy_agrees_on_icmpv6_echo(rest: int, data: bytes, source: bytes, destination: bytes) -> None:
    echo = ICMPv6EchoRequest(id=rest >> 16, seq=rest & 0xFFFF, data=data)
    theirs = bytes(IPv6(src=text(source), dst=text(destination)) / echo)[40:]
    assert icmpv6.emit(icmpv6.Message(icmpv6.Type.ECHO_REQUEST, 0, rest, data), source, destination) == theirs


@pytest.mark.parametrize("length", range(8))
def test_too_short(length: int) -> None:
    with pytest.raises(WireError, match="too short"):
        icmp.parse(memoryview(bytes(length)))
    with pytest.raises(WireError, match="too short"):
        icmpv6.parse(memoryview(bytes(length)), bytes(16), bytes(16))


@given(st.integers(0, 127))
def test_bad_checksum(bit: int) -> None:
    octets = bytearray(icmp.emit(icmp.Message(8, 0, 7, b"12345678")))
    octets[bit // 8] ^= 0x80 >> bit % 8
    with pytest.raises(WireError, match="bad checksum"):
        icmp.parse(memoryview(octets))
