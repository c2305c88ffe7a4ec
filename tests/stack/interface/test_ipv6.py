"""IPv6, ICMPv6 and UDP over it."""

import pytest

from stack.address import ALL_NODES, Endpoint, parse
from stack.transport import Unreachable
from stack.wire import ethernet, icmpv6, ipv6, ipv6_extension, udp
from stack.wire.ethernet import EtherType, Frame
from stack.wire.icmpv6 import Message, Type
from stack.wire.ipv6_extension import Fragment
from tests.stack.interface.lan import (
    STRANGER_6,
    STRANGER_MAC,
    US_6,
    Host,
    datagram,
    echo_server,
    errors,
    ip6,
    payloads,
)


@pytest.fixture
def host() -> Host:
    made = Host()
    echo_server(made)
    made.know_stranger()
    return made


def over6(payload: bytes, port: int = 53) -> bytes:
    return datagram(payload, port, STRANGER_6, US_6)


def fragment(payload: bytes, offset: int, more: bool, identification: int = 7, kind: int = 17) -> bytes:
    return ip6(44, ipv6_extension.emit_fragment(Fragment(kind, offset, more, identification), payload))


def test_rfc_4443_section_4_2_echo(host: Host) -> None:
    echo = icmpv6.emit(Message(Type.ECHO_REQUEST, 0, 7, b"ping"), STRANGER_6, US_6)
    assert errors(host.say(ip6(58, echo))) == [(129, 0, 7)]


def test_echo_to_a_group_is_not_answered(host: Host) -> None:
    echo = icmpv6.emit(Message(Type.ECHO_REQUEST, 0, 7, b"ping"), STRANGER_6, ALL_NODES)
    packet = ipv6.emit(ipv6.Packet(STRANGER_6, ALL_NODES, 58, echo))
    group_mac = bytes.fromhex("333300000001")
    assert host.say(ethernet.emit(Frame(group_mac, STRANGER_MAC, EtherType.IPV6, packet))) == []


def test_rfc_4443_section_3_1_port_unreachable(host: Host) -> None:
    assert errors(host.say(ip6(17, over6(b"", port=9)))) == [(1, 4, 0)]


def test_rfc_8200_section_4_unknown_next_header_names_its_place(host: Host) -> None:
    assert errors(host.say(ip6(132, b"sctp"))) == [(4, 1, 6)]
    options = ipv6_extension.emit_options(132, b"\x01\x04" + bytes(4))
    assert errors(host.say(ip6(60, options + b"sctp"))) == [(4, 1, 40)]


def test_rfc_8200_section_4_2_unknown_option(host: Host) -> None:
    options = ipv6_extension.emit_options(17, b"\x9e\x00\x01\x02\x00\x00")
    assert errors(host.say(ip6(60, options + over6(b"")))) == [(4, 2, 42)]
    assert host.count("ipv6", "unknown option") == 1


def test_options_are_skipped_on_the_way_to_udp(host: Host) -> None:
    options = ipv6_extension.emit_options(17, b"\x1e\x00\x01\x02\x00\x00")
    assert payloads(host.say(ip6(60, options + over6(b"found")))) == [b"found"]


def test_rfc_8200_section_8_1_zero_checksum(host: Host) -> None:
    octets = over6(b"question")
    assert host.say(ip6(17, octets[:6] + b"\0\0" + octets[8:])) == []
    assert host.count("udp", "no checksum") == 1


def test_rfc_4443_section_2_4_no_error_about_an_error(host: Host) -> None:
    message = icmpv6.emit(Message(Type.DESTINATION_UNREACHABLE, 4, 0, b"short"), STRANGER_6, US_6)
    assert host.say(ip6(58, message)) == []


def test_fragments_in_any_order_and_twice(host: Host) -> None:
    whole = over6(bytes(range(256)) * 12)
    pieces = [fragment(whole[at : at + 1024], at, at + 1024 < len(whole)) for at in range(0, len(whole), 1024)]
    host.say(*reversed(pieces[1:]))
    host.say(*pieces[1:])
    assert len(host.say(pieces[0])) == 3


def test_rfc_6946_atomic_fragments_wait_for_nothing(host: Host) -> None:
    host.say(fragment(over6(b"x" * 100)[:80], 0, True))
    assert payloads(host.say(fragment(over6(b"whole"), 0, False))) == [b"whole"]


def test_rfc_5722_overlapping_fragments_spoil_the_packet(host: Host) -> None:
    whole = over6(b"x" * 72)
    host.say(fragment(whole[:40], 0, True), fragment(whole[32:], 32, False))
    assert host.count("ipv6", "overlapping fragments") == 1
    assert payloads(host.say(fragment(whole[40:], 40, False))) == []


def test_rfc_7112_all_headers_are_in_the_first_fragment(host: Host) -> None:
    host.say(fragment(bytes((17, 2)) + bytes(6), 0, True, kind=60))
    assert host.count("ipv6", "truncated extension header") == 1


def test_rfc_8200_section_4_5_errors_about_fragments(host: Host) -> None:
    assert errors(host.say(fragment(bytes(9), 8, True))) == [(4, 0, 4)]
    assert errors(host.say(fragment(bytes(16), 65528, False))) == [(4, 0, 42)]
    host.say(fragment(over6(bytes(100))[:64], 0, True))
    host.run(29)
    host.introduce()
    assert errors(host.run(5)) == [(3, 1, 0)]


def test_a_fragment_in_a_fragment_is_dropped(host: Host) -> None:
    inner = ipv6_extension.emit_fragment(Fragment(17, 0, False, 8), over6(b""))
    host.say(fragment(inner, 0, False, kind=44))
    assert host.count("ipv6", "fragment in a fragment") == 1


def test_flood_of_fragments_is_bounded_and_spares_others(host: Host) -> None:
    limits = host.interface.settings.limits
    assert host.interface.ipv6 is not None
    reassembler = host.interface.ipv6.reassembler
    for number in range(2000):
        piece = ipv6_extension.emit_fragment(Fragment(17, 8 * (number % 100 + 1), True, number), bytes(1024))
        source = STRANGER_6[:15] + bytes((10 + number % 200,))
        host.say(ip6(44, piece, source=source))
        assert len(reassembler) <= limits.reassemblies
        assert reassembler.octets <= limits.reassembly_octets
    assert payloads(host.say(ip6(17, over6(b"still here")))) == [b"still here"]


def test_rfc_8201_path_mtu_is_at_least_1280(host: Host) -> None:
    failures: list[Unreachable] = []
    local, remote = Endpoint(US_6, 99), Endpoint(STRANGER_6, 4321)
    socket = host.interface.udp.bind(local, lambda *_: None, lambda _, why: failures.append(why), remote)
    start = ipv6.emit(ipv6.Packet(US_6, STRANGER_6, 17, udp.emit(udp.Datagram(99, 4321, b""), US_6, STRANGER_6)))
    host.say(ip6(58, icmpv6.emit(Message(Type.PACKET_TOO_BIG, 0, 1000, start), STRANGER_6, US_6)))
    assert host.interface.mtu_for(STRANGER_6) == 1280
    assert failures == [Unreachable.TOO_BIG]
    socket.send(bytes(1400), remote, host.now)
    assert [len(frame.payload) for frame in host.run(0.01)] == [1280, 40 + 8 + 1408 - 1232]


@pytest.mark.parametrize("source", ["::1", "2001:db8::1"])
def test_sources_that_cannot_be(host: Host, source: str) -> None:
    address = parse(source)
    assert host.say(ip6(17, datagram(b"", source=address, destination=US_6), source=address)) == []


def test_unspecified_source_gets_no_answer(host: Host) -> None:
    assert host.say(ip6(17, datagram(b"", source=bytes(16), destination=US_6), source=bytes(16))) == []
    assert host.count("ipv6", "no source") == 1


def test_packets_to_ourselves_stay_here(host: Host) -> None:
    got: list[bytes] = []
    host.interface.udp.bind(Endpoint(US_6, 99), lambda payload, *_: got.append(payload))
    sender = host.interface.udp.bind(Endpoint(bytes(16), 98), lambda *_: None)
    sender.send(b"hello", Endpoint(US_6, 99), host.now)
    assert host.run(1) == []
    assert got == [b"hello"]


def test_silent_neighbour_is_told_once_of_a_datagram_in_fragments(host: Host) -> None:
    failures: list[Unreachable] = []
    socket = host.interface.udp.bind(Endpoint(bytes(16), 98), lambda *_: None, lambda _, why: failures.append(why))
    socket.send(bytes(4000), Endpoint(parse("2001:db8::77"), 514), host.now)
    host.run(30)
    assert failures == [Unreachable.HOST]
