import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP

from stack.address import parse, text
from stack.wire import ipv4
from stack.wire.error import WireError
from stack.wire.ipv4 import Packet, Protocol
from tests.stack.wire.strategies import half, octet, payload
from tests.stack.wire.strategies import ipv4 as addresses

A, B = parse("192.0.2.1"), parse("192.0.2.2")

packets = st.builds(
    Packet,
    addresses,
    addresses,
    octet,
    payload,
    octet,
    half,
    st.booleans(),
    st.just(False),
    st.integers(0, 8000).map(lambda count: count * 8),
    octet,
    st.integers(0, 10).map(lambda count: b"\x01" * 4 * count),
)


def options(data: bytes) -> bytes:
    """A packet whose options are `data`."""
    return ipv4.emit(Packet(A, B, Protocol.UDP, b"payload", options=data.ljust(-(-len(data) // 4) * 4, b"\0")))


def test_deconstruct() -> None:
    octets = bytes(IP(src="192.0.2.1", dst="192.0.2.2", proto=17, ttl=9, id=7, flags="DF", tos=3) / b"payload")
    packet = ipv4.parse(memoryview(octets + b"padding of the frame"))
    assert packet == Packet(A, B, 17, b"payload", 9, 7, do_not_fragment=True, tos=3)


@given(packets)
def test_parse_of_emit(packet: Packet) -> None:
    assert ipv4.parse(memoryview(ipv4.emit(packet))) == packet


@given(packets)
def test_scapy_agrees(packet: Packet) -> None:
    ours = ipv4.emit(packet)
    theirs = IP(ours)
    assert (theirs.src, theirs.dst) == (text(packet.source), text(packet.destination))
    assert theirs.frag * 8 == packet.offset
    made = theirs.chksum
    del theirs.chksum
    assert IP(bytes(theirs)).chksum == made


@pytest.mark.parametrize("length", range(27))
def test_truncated(length: int) -> None:
    with pytest.raises(WireError, match=r"too short|truncated"):
        ipv4.parse(memoryview(ipv4.emit(Packet(A, B, 17, b"payload")))[:length])


@given(st.integers(0, 159))
def test_bad_checksum(bit: int) -> None:
    octets = bytearray(ipv4.emit(Packet(A, B, 17, b"payload")))
    octets[bit // 8] ^= 0x80 >> bit % 8
    with pytest.raises(WireError):
        ipv4.parse(memoryview(octets))


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x01\x01\x00",
        b"\x94\x04\x00\x00",
        b"\x44\x04\x05\x00",
        b"\x07\x07\x04\x00\x00\x00\x00",
        b"\x00\xff\xff\xff",
    ],
    ids=["no operation", "router alert", "timestamp", "record route", "end, then anything"],
)
def test_options_are_skipped(data: bytes) -> None:
    assert ipv4.parse(memoryview(options(data))).payload == b"payload"


@pytest.mark.parametrize("kind", [131, 137], ids=["loose", "strict"])
def test_source_routes_are_refused(kind: int) -> None:
    with pytest.raises(WireError, match="source route"):
        ipv4.parse(memoryview(options(bytes((kind, 7, 4, 1, 2, 3, 4)))))


@pytest.mark.parametrize("data", [b"\x07\x00", b"\x07\x01", b"\x01\x01\x01\x07", b"\x07\x05"])
def test_options_over_the_end_are_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="bad option length"):
        ipv4.parse(memoryview(ipv4.emit(Packet(A, B, 17, b"", options=data.rjust(4, b"\x01")))))


def test_all_but_the_last_fragment_are_multiples_of_8() -> None:
    octets = ipv4.emit(Packet(A, B, 17, b"1234567", more_fragments=True))
    with pytest.raises(WireError, match="multiple of 8"):
        ipv4.parse(memoryview(octets))


def test_a_fragment_ends_within_65535_octets() -> None:
    with pytest.raises(WireError, match="past the end"):
        ipv4.parse(memoryview(ipv4.emit(Packet(A, B, 17, bytes(64), offset=65480))))


@given(st.binary(max_size=100))
def test_any_octets_survive(data: bytes) -> None:
    for parse_any in (ipv4.parse, ipv4.parse_quoted):
        try:
            parse_any(memoryview(data))
        except WireError:
            continue
