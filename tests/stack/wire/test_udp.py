import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

from stack.address import parse, text
from stack.wire import udp
from stack.wire.error import WireError
from stack.wire.udp import Datagram
from tests.stack.wire.strategies import address_pair, half, payload

datagrams = st.builds(Datagram, half, st.integers(1, 0xFFFF), payload)
A, B = parse("192.0.2.1"), parse("192.0.2.2")
A6, B6 = parse("2001:db8::1"), parse("2001:db8::2")


@given(datagrams, address_pair)
def test_parse_of_emit(datagram: Datagram, pair: tuple[bytes, bytes]) -> None:
    assert udp.parse(memoryview(udp.emit(datagram, *pair)), *pair) == datagram


@given(datagrams, address_pair)
def test_scapy_agrees(datagram: Datagram, pair: tuple[bytes, bytes]) -> None:
    source, destination = (text(address) for address in pair)
    below = IP(src=source, dst=destination, proto=17) if len(pair[0]) == 4 else IPv6(src=source, dst=destination)
    theirs = bytes(below / UDP(sport=datagram.source, dport=datagram.destination) / datagram.payload)
    assert theirs.endswith(udp.emit(datagram, *pair))


@pytest.mark.parametrize("length", range(12))
def test_too_short(length: int) -> None:
    with pytest.raises(WireError, match=r"too short|bad length"):
        udp.parse(memoryview(udp.emit(Datagram(1, 2, b"1234"), A, B))[:length], A, B)


@given(st.integers(0, 95))
def test_bad_checksum(bit: int) -> None:
    octets = bytearray(udp.emit(Datagram(1, 2, b"1234"), A, B))
    octets[bit // 8] ^= 0x80 >> bit % 8
    with pytest.raises(WireError):
        udp.parse(memoryview(octets), A, B)


def test_rfc_768_zero_is_sent_as_all_ones() -> None:
    for number in range(0x10000):
        octets = udp.emit(Datagram(1, 2, number.to_bytes(2)), A, B)
        assert octets[6:8] != b"\0\0"


def test_rfc_768_without_a_checksum_over_ipv4() -> None:
    octets = udp.emit(Datagram(1, 2, b"1234"), A, B)
    assert udp.parse(memoryview(octets[:6] + b"\0\0" + octets[8:]), A, B).payload == b"1234"


def test_rfc_8200_section_8_1_without_a_checksum_over_ipv6() -> None:
    octets = udp.emit(Datagram(1, 2, b"1234"), A6, B6)
    with pytest.raises(WireError, match="no checksum"):
        udp.parse(memoryview(octets[:6] + b"\0\0" + octets[8:]), A6, B6)


def test_octets_beyond_the_length_are_no_payload() -> None:
    octets = udp.emit(Datagram(1, 2, b"1234"), A, B)
    assert udp.parse(memoryview(octets + b"more"), A, B).payload == b"1234"


@given(st.binary(max_size=40), address_pair)
def test_any_octets_survive(data: bytes, pair: tuple[bytes, bytes]) -> None:
    try:
        udp.parse(memoryview(data), *pair)
    except WireError:
        return
