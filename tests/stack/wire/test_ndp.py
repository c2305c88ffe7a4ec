import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.packet import Packet as ScapyPacket

from stack.address import parse
from stack.wire import icmpv6, mld, ndp
from stack.wire.error import WireError
from stack.wire.icmpv6 import Message, Type
from stack.wire.ndp import (
    NeighbourAdvertisement,
    NeighbourSolicitation,
    Options,
    Prefix,
    RouterAdvertisement,
    RouterSolicitation,
)
from tests.stack.wire.strategies import half, ipv6, ipv6_unicast, mac, octet, word

A, B = parse("fe80::1"), parse("fe80::2")
MAC = b"\x02\0\0\0\0\x01"
prefixes = st.builds(Prefix, ipv6, st.integers(0, 128), st.booleans(), st.booleans(), word, word)
options = st.builds(
    Options, st.none() | mac, st.none() | mac, st.lists(prefixes, max_size=4).map(tuple), st.none() | word
)
bodies = st.one_of(
    st.builds(RouterSolicitation, options),
    st.builds(RouterAdvertisement, octet, half, word, word, options),
    st.builds(NeighbourSolicitation, ipv6_unicast, options),
    st.builds(NeighbourAdvertisement, ipv6_unicast, st.booleans(), st.booleans(), st.booleans(), options),
)


def theirs(packet: ScapyPacket) -> Message:
    return icmpv6.parse(memoryview(bytes(IPv6(src="fe80::1", dst="fe80::2") / packet))[40:], A, B)


@given(bodies)
def test_parse_of_emit(body: ndp.Body) -> None:
    assert ndp.parse(ndp.emit(body)) == body


def test_scapy_agrees_on_solicitations_and_advertisements() -> None:
    ask = ICMPv6ND_NS(tgt="2001:db8::1") / ICMPv6NDOptSrcLLAddr(lladdr=MAC.hex(":"))
    body = NeighbourSolicitation(parse("2001:db8::1"), Options(source_mac=MAC))
    assert ndp.parse(theirs(ask)) == body
    assert ndp.emit(body) == theirs(ask)
    tell = ICMPv6ND_NA(tgt="2001:db8::1", R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=MAC.hex(":"))
    answer = NeighbourAdvertisement(parse("2001:db8::1"), False, True, True, Options(target_mac=MAC))
    assert ndp.parse(theirs(tell)) == answer
    assert ndp.emit(answer) == theirs(tell)


def test_scapy_agrees_on_router_advertisements() -> None:
    packet = (
        ICMPv6ND_RA(chlim=64, routerlifetime=1800, reachabletime=30000, retranstimer=1000, prf=0)
        / ICMPv6NDOptSrcLLAddr(lladdr=MAC.hex(":"))
        / ICMPv6NDOptPrefixInfo(prefix="2001:db8::", prefixlen=64, L=1, A=1, validlifetime=600, preferredlifetime=300)
        / ICMPv6NDOptMTU(mtu=1400)
    )
    prefix = Prefix(parse("2001:db8::"), 64, True, True, 600, 300)
    body = RouterAdvertisement(64, 1800, 30000, 1000, Options(MAC, None, (prefix,), 1400))
    assert ndp.parse(theirs(packet)) == body


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Message(Type.NEIGHBOUR_SOLICITATION, 0, 0, bytes(15)), "too short"),
        (Message(Type.NEIGHBOUR_ADVERTISEMENT, 0, 0, bytes(15)), "too short"),
        (Message(Type.ROUTER_ADVERTISEMENT, 0, 0, bytes(7)), "too short"),
        (Message(Type.NEIGHBOUR_SOLICITATION, 1, 0, bytes(16)), "code is not 0"),
        (Message(Type.NEIGHBOUR_SOLICITATION, 0, 0, parse("ff02::1")), "target is a group"),
        (Message(Type.ROUTER_SOLICITATION, 0, 0, b"\x01\x00" + bytes(6)), "bad option length"),
        (Message(Type.ROUTER_SOLICITATION, 0, 0, b"\x01\x02" + bytes(6)), "bad option length"),
        (Message(Type.ROUTER_SOLICITATION, 0, 0, b"\x01"), "bad option length"),
        (Message(Type.ROUTER_SOLICITATION, 0, 0, b"\x63\x01" * 4 * 33), "too many options"),
        (Message(Type.ROUTER_SOLICITATION, 0, 0, b"\x01\x01\x01" + bytes(5)), "is a group"),
        (Message(Type.ECHO_REPLY, 0, 0, b""), "not a message of neighbour discovery"),
    ],
)
def test_refused(message: Message, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        ndp.parse(message)


@given(st.sampled_from([133, 134, 135, 136]), st.binary(max_size=120))
def test_any_octets_survive(kind: int, data: bytes) -> None:
    try:
        ndp.parse(Message(kind, 0, 0, data))
    except WireError:
        return


def test_mld_query() -> None:
    group = parse("ff02::1:ff00:1")
    assert mld.parse(Message(Type.MLD_QUERY, 0, 1000 << 16, group + bytes(4))) == mld.Query(group, 1.0)
    # RFC 3810 5.1.3: from 32768 on the code is a floating-point number
    exponent_code = 0x8000 | 2 << 12 | 5
    assert mld.parse(Message(Type.MLD_QUERY, 0, exponent_code << 16, group + bytes(4))).delay_s == (
        (0x1005 << 5) / 1000
    )


@given(word, st.binary(max_size=40))
def test_any_query_survives(rest: int, data: bytes) -> None:
    try:
        mld.parse(Message(Type.MLD_QUERY, 0, rest, data))
    except WireError:
        return
