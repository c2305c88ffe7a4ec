import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    HBHOptUnknown,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    RouterAlert,
)
from scapy.packet import Packet as ScapyPacket

from stack.address import parse
from stack.wire import ipv6, ipv6_extension
from stack.wire.error import WireError
from stack.wire.ipv4 import Protocol
from stack.wire.ipv6 import Packet
from stack.wire.ipv6_extension import Chain, Fragment, ParameterProblem, ProblemCode
from tests.stack.wire.strategies import octet, payload, word

A, B = parse("2001:db8::1"), parse("2001:db8::2")
BASE = IPv6(src="2001:db8::1", dst="2001:db8::2")


def walk(packet: ScapyPacket) -> Chain:
    return ipv6_extension.parse(ipv6.parse(memoryview(bytes(packet))))


def test_without_extension_headers() -> None:
    chain = ipv6_extension.parse(Packet(A, B, Protocol.UDP, b"datagram"))
    assert chain == Chain(Protocol.UDP, memoryview(b"datagram"), 6, None, False)


def test_options_and_a_spent_routing_header_are_walked() -> None:
    chain = walk(
        BASE
        / IPv6ExtHdrHopByHop(options=[RouterAlert()])
        / IPv6ExtHdrRouting(segleft=0)
        / IPv6ExtHdrDestOpt(nh=17)
        / b"datagram"
    )
    assert (chain.protocol, bytes(chain.payload), chain.fragment) == (17, b"datagram", None)
    assert chain.router_alert


def test_walk_ends_at_a_fragment_header() -> None:
    chain = walk(BASE / IPv6ExtHdrFragment(nh=17, offset=5, m=1, id=77) / b"piece")
    assert chain.fragment == Fragment(17, 40, True, 77)
    assert bytes(chain.payload) == b"piece"


def test_rfc_8200_section_4_1_hop_by_hop_options_come_first() -> None:
    with pytest.raises(ParameterProblem) as problem:
        walk(BASE / IPv6ExtHdrDestOpt(nh=0) / IPv6ExtHdrHopByHop(nh=17) / b"datagram")
    assert (problem.value.code, problem.value.pointer) == (ProblemCode.UNKNOWN_NEXT_HEADER, 40)


def test_rfc_8200_section_4_4_routing_header_with_segments_left_is_refused() -> None:
    with pytest.raises(ParameterProblem) as problem:
        walk(BASE / IPv6ExtHdrRouting(nh=17, addresses=["2001:db8::3"], segleft=1) / b"datagram")
    assert (problem.value.code, problem.value.pointer) == (ProblemCode.ERRONEOUS_FIELD, 42)


def test_rfc_8200_section_4_2_the_option_says_what_becomes_of_the_packet() -> None:
    def packet(kind: int) -> ScapyPacket:
        return BASE / IPv6ExtHdrDestOpt(nh=17, options=[HBHOptUnknown(otype=kind, optdata=b"")]) / b"datagram"

    assert bytes(walk(packet(0x1E)).payload) == b"datagram"
    with pytest.raises(WireError, match="unknown option") as silent:
        walk(packet(0x5E))
    assert not isinstance(silent.value, ParameterProblem)
    for kind, even_to_group in ((0x9E, True), (0xDE, False)):
        with pytest.raises(ParameterProblem) as problem:
            walk(packet(kind))
        assert (problem.value.code, problem.value.pointer) == (ProblemCode.UNKNOWN_OPTION, 42)
        assert problem.value.even_to_group is even_to_group


def test_rfc_8504_section_5_3_limits() -> None:
    header = bytes((Protocol.DESTINATION_OPTIONS, 0, 1, 4, 0, 0, 0, 0))
    last = bytes((Protocol.UDP,)) + header[1:]
    assert ipv6_extension.parse(Packet(A, B, 60, header * 7 + last)).protocol == Protocol.UDP
    with pytest.raises(WireError, match="too many extension headers"):
        ipv6_extension.parse(Packet(A, B, 60, header * 8 + last))
    with pytest.raises(WireError, match="too many options"):
        ipv6_extension.parse(Packet(A, B, 60, bytes((17, 2)) + b"\x1e\0" * 11))
    with pytest.raises(WireError, match="too much padding"):
        ipv6_extension.parse(Packet(A, B, 60, bytes((17, 1)) + bytes(14)))


@given(octet, st.integers(0, 8191), st.booleans(), word, payload)
def test_fragment_header_parse_of_emit(kind: int, offset: int, more: bool, identification: int, data: bytes) -> None:
    fragment = Fragment(kind, offset * 8, more, identification)
    octets = ipv6_extension.emit_fragment(fragment, data)
    parsed, rest = ipv6_extension.parse_fragment(memoryview(octets))
    assert (parsed, bytes(rest)) == (fragment, data)
    theirs = IPv6ExtHdrFragment(octets)
    assert (theirs.nh, theirs.offset * 8, bool(theirs.m), theirs.id) == fragment


@given(st.sampled_from([0, 43, 44, 60, 17, 59, 255]), st.binary(max_size=120))
def test_any_octets_survive(kind: int, data: bytes) -> None:
    try:
        chain = ipv6_extension.parse(Packet(A, B, kind, data))
    except WireError:
        return
    assert data.endswith(bytes(chain.payload))


@given(st.binary(max_size=100))
def test_any_quotation_survives(data: bytes) -> None:
    try:
        ipv6_extension.parse_quoted(memoryview(b"\x60" + data))
    except WireError:
        return
