"""IPv4, ICMP and UDP as the standards for hosts want them."""

import dataclasses

import pytest

from stack.address import IPV4_BROADCAST, Address, Endpoint, parse
from stack.interface.limits import Limits
from stack.transport import Unreachable
from stack.wire import ethernet, icmp, ipv4, udp
from stack.wire.ethernet import EtherType, Frame
from stack.wire.icmp import Message, Type
from tests.stack.interface.lan import (
    ONLY_4,
    STRANGER,
    STRANGER_MAC,
    US,
    Host,
    datagram,
    echo_server,
    errors,
    ip4,
    payloads,
)

FAR = parse("198.51.100.7")


@pytest.fixture
def host() -> Host:
    made = Host(ONLY_4)
    echo_server(made)
    made.know_stranger()
    return made


def echo(rest: int = 0x00010002, data: bytes = b"ping") -> bytes:
    return icmp.emit(Message(Type.ECHO, 0, rest, data))


def test_rfc_1122_section_3_2_2_6_echo(host: Host) -> None:
    (frame,) = host.say(ip4(1, echo()))
    packet = ipv4.parse(memoryview(frame.payload))
    assert (packet.source, packet.destination) == (US, STRANGER)
    assert icmp.parse(memoryview(packet.payload)) == Message(Type.ECHO_REPLY, 0, 0x00010002, b"ping")


@pytest.mark.parametrize("destination", ["255.255.255.255", "192.0.2.255", "224.0.0.1"])
def test_echo_to_a_group_is_not_answered(host: Host, destination: str) -> None:
    packet = ipv4.emit(ipv4.Packet(STRANGER, parse(destination), 1, echo()))
    assert host.say(ethernet.emit(Frame(b"\xff" * 6, STRANGER_MAC, EtherType.IPV4, packet))) == []
    assert host.count("icmp", "echo of a group") == 1


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("127.0.0.1", "loopback address on the wire"),
        ("224.0.0.1", "source is no host"),
        ("255.255.255.255", "source is no host"),
        ("192.0.2.255", "source is no host"),
        ("240.0.0.1", "source is no host"),
        ("192.0.2.1", "our own address as source"),
    ],
)
def test_rfc_1122_section_3_2_1_3_sources_that_are_no_host(host: Host, source: str, reason: str) -> None:
    address = parse(source)
    assert host.say(ip4(17, datagram(b"", source=address), source=address)) == []
    assert host.count("ipv4", reason) == 1


def test_loopback_destination_on_the_wire(host: Host) -> None:
    assert host.say(ip4(17, datagram(b""), destination=parse("127.0.0.1"))) == []
    assert host.count("ipv4", "loopback address on the wire") == 1


def test_rfc_1122_section_3_3_6_unicast_packet_in_a_broadcast_frame(host: Host) -> None:
    packet = ipv4.emit(ipv4.Packet(STRANGER, US, 17, datagram(b"")))
    assert host.say(ethernet.emit(Frame(b"\xff" * 6, STRANGER_MAC, EtherType.IPV4, packet))) == []
    assert host.count("ipv4", "unicast packet in a broadcast frame") == 1


def test_packets_for_others_are_not_forwarded(host: Host) -> None:
    assert host.say(ip4(17, datagram(b""), destination=FAR)) == []
    assert host.count("ipv4", "not for us") == 1


def test_frames_for_others_are_ignored(host: Host) -> None:
    frame = bytearray(ip4(1, echo()))
    frame[5] ^= 0xFF
    assert host.say(bytes(frame)) == []
    assert host.count("ethernet", "for another host") == 1


def test_rfc_1122_section_4_1_3_5_the_answer_comes_from_the_address_that_was_asked(host: Host) -> None:
    (frame,) = host.say(ip4(17, datagram(b"question")))
    packet = ipv4.parse(memoryview(frame.payload))
    answer = udp.parse(memoryview(packet.payload), packet.source, packet.destination)
    assert (packet.source, packet.destination) == (US, STRANGER)
    assert answer == udp.Datagram(53, 4321, b"question")


def test_rfc_1122_section_4_1_3_1_port_unreachable(host: Host) -> None:
    assert errors(host.say(ip4(17, datagram(b"", port=9)))) == [(3, 3, 0)]


def test_rfc_1122_section_3_2_2_1_protocol_unreachable(host: Host) -> None:
    assert errors(host.say(ip4(132, b"sctp"))) == [(3, 2, 0)]
    assert host.count("ipv4", "unknown protocol") == 1


def test_an_error_quotes_what_it_is_about(host: Host) -> None:
    sent = ip4(17, datagram(b"x" * 1000, port=9))
    (frame,) = host.say(sent)
    message = icmp.parse(memoryview(ipv4.parse(memoryview(frame.payload)).payload))
    assert message.body == sent[14:][:548]


def test_rfc_1122_section_3_2_2_no_error_about_a_broadcast(host: Host) -> None:
    payload = datagram(b"", port=9, destination=IPV4_BROADCAST)
    packet = ipv4.emit(ipv4.Packet(STRANGER, IPV4_BROADCAST, 17, payload))
    assert host.say(ethernet.emit(Frame(b"\xff" * 6, STRANGER_MAC, EtherType.IPV4, packet))) == []


def test_rfc_1812_section_4_3_2_8_errors_are_rate_limited(host: Host) -> None:
    limits = host.interface.settings.limits
    sent = errors([frame for _ in range(500) for frame in host.say(ip4(17, datagram(b"", port=9)))])
    assert len(sent) == limits.errors_burst
    assert host.count("icmp", "error over the rate limit") == 500 - limits.errors_burst
    host.now += 0.105
    assert len([1 for _ in range(500) if host.say(ip4(17, datagram(b"", port=9)))]) == int(limits.errors_per_s / 10)


def in_fragments(whole: bytes) -> list[bytes]:
    pieces = [(at, whole[at : at + 1024]) for at in range(0, len(whole), 1024)]
    return [
        ip4(17, piece, offset=at, more_fragments=int(at + 1024 < len(whole)), identification=7) for at, piece in pieces
    ]


def test_fragments_in_any_order_and_twice(host: Host) -> None:
    whole = datagram(bytes(range(256)) * 16)
    frames = in_fragments(whole)
    host.say(*reversed(frames[1:]))
    host.say(*frames[1:])
    back = host.say(frames[0])
    answer = b"".join(bytes(ipv4.parse(memoryview(frame.payload)).payload) for frame in back)
    assert udp.parse(memoryview(answer), US, STRANGER).payload == whole[8:]


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([(0, 16, 1), (8, 16, 1)], "overlapping fragments"),
        ([(0, 24, 1), (8, 8, 1)], "overlapping fragments"),
        ([(16, 8, 0), (24, 8, 1)], "fragment past the last one"),
        ([(24, 8, 1), (16, 8, 0)], "fragment past the last one"),
        ([(16, 8, 0), (32, 8, 0)], "fragment past the last one"),
    ],
)
def test_fragments_that_contradict_each_other_spoil_the_packet(
    host: Host, pieces: list[tuple[int, int, int]], reason: str
) -> None:
    for offset, size, more in pieces:
        host.say(ip4(17, bytes(size), offset=offset, more_fragments=more, identification=7))
    assert host.count("ipv4", reason) == 1
    host.say(ip4(17, bytes(8), offset=64, more_fragments=1, identification=7))
    assert host.count("ipv4", "fragment of a dropped packet") == 1


def test_rfc_6864_section_4_1_packets_in_fragments_have_numbers_of_their_own(host: Host) -> None:
    question = datagram(bytes(3000))
    numbers = []
    for _ in range(20):
        pieces = [ipv4.parse(memoryview(frame.payload)) for frame in host.say(*in_fragments(question))]
        assert len(pieces) == 3
        (number,) = {piece.identification for piece in pieces}
        numbers.append(number)
    assert len(set(numbers)) == len(numbers)


def test_rfc_1122_section_3_3_2_time_exceeded_quotes_the_first_fragment(host: Host) -> None:
    host.say(ip4(17, datagram(bytes(1000))[:800], more_fragments=1, identification=7))
    host.say(ip4(17, bytes(80), offset=1600, more_fragments=1, identification=8))
    assert errors(host.run(40)) == [(11, 1, 0)]
    assert host.count("ipv4", "reassembly timed out") == 2


def test_a_packet_grows_no_longer_than_65535_octets(host: Host) -> None:
    host.say(ip4(17, bytes(1000), offset=0, more_fragments=1, identification=7))
    host.say(ip4(17, bytes(1480), offset=65528 - 8, identification=7))
    assert host.count("ipv4", "fragment past the end") == 1


def test_flood_of_fragments_is_bounded_and_spares_others(host: Host) -> None:
    limits = host.interface.settings.limits
    reassembler = host.interface.ipv4.reassembler
    for number in range(2000):
        source = bytes((192, 0, 2, 10 + number % 200))
        host.say(
            ip4(17, bytes(1024), source=source, offset=8 * (number % 100), more_fragments=1, identification=number)
        )
        assert len(reassembler) <= limits.reassemblies
        assert reassembler.octets <= limits.reassembly_octets
    assert payloads(host.say(ip4(17, datagram(b"still here")))) == [b"still here"]
    host.run(60)
    assert (len(reassembler), reassembler.octets) == (0, 0)


def test_one_source_cannot_take_all_reassemblies(host: Host) -> None:
    for number in range(100):
        host.say(ip4(17, bytes(1024), offset=8, more_fragments=1, identification=number))
    assert len(host.interface.ipv4.reassembler) == host.interface.settings.limits.reassemblies_per_source


def connected(host: Host) -> list[Unreachable]:
    """A socket connected to the stranger's port 4321, whose failures are listed."""
    failures: list[Unreachable] = []
    host.interface.udp.bind(
        Endpoint(US, 99), lambda *_: None, lambda _, why: failures.append(why), Endpoint(STRANGER, 4321)
    )
    return failures


def quoted(mtu: int, source_port: int = 99) -> bytes:
    start = ipv4.emit(ipv4.Packet(US, STRANGER, 17, udp.emit(udp.Datagram(source_port, 4321, b""), US, STRANGER)))
    return icmp.emit(Message(Type.DESTINATION_UNREACHABLE, 4, mtu, start))


def test_rfc_1191_path_mtu_is_learned_and_forgotten(host: Host) -> None:
    failures = connected(host)
    host.say(ip4(1, quoted(1000), source=parse("192.0.2.254")))
    assert failures == [Unreachable.TOO_BIG]
    assert host.interface.mtu_for(STRANGER) == 1000
    host.run(601)
    host.turn()
    assert host.interface.mtu_for(STRANGER) == 1500


def test_rfc_5927_path_mtu_for_nothing_of_ours_is_ignored(host: Host) -> None:
    host.say(ip4(1, quoted(1000, source_port=53)))
    host.say(ip4(1, quoted(1000, source_port=1234)))
    assert host.interface.mtu_for(STRANGER) == 1500
    assert host.count("icmp", "path MTU for nothing of ours") == 2


def test_rfc_5927_path_mtu_has_a_floor_and_never_rises(host: Host) -> None:
    connected(host)
    host.say(ip4(1, quoted(68)))
    assert host.interface.mtu_for(STRANGER) == 576
    host.say(ip4(1, quoted(1400)))
    assert host.interface.mtu_for(STRANGER) == 576


def test_errors_reach_the_socket_they_are_about(host: Host) -> None:
    failures = connected(host)
    start = ipv4.emit(ipv4.Packet(US, STRANGER, 17, udp.emit(udp.Datagram(99, 4321, b""), US, STRANGER)))
    for kind, code in ((3, 3), (3, 1), (3, 13), (3, 12), (11, 0)):
        host.say(ip4(1, icmp.emit(Message(kind, code, 0, start))))
    assert failures == [
        Unreachable.PORT,
        Unreachable.HOST,
        Unreachable.PROHIBITED,
        Unreachable.NETWORK,
        Unreachable.TIME_EXCEEDED,
    ]


def test_off_link_packets_go_to_the_router(host: Host) -> None:
    assert host.interface.ipv4.routes.next_hop(FAR) == parse("192.0.2.254")
    assert host.interface.ipv4.routes.next_hop(STRANGER) == STRANGER
    assert host.interface.source_for(FAR) == US


def test_packets_to_ourselves_stay_here(host: Host) -> None:
    got: list[tuple[bytes, Endpoint, Endpoint]] = []
    host.interface.udp.bind(Endpoint(US, 99), lambda *datagram: got.append(datagram))
    sender = host.interface.udp.bind(Endpoint(bytes(4), 98), lambda *datagram: got.append(datagram))
    sender.send(b"hello", Endpoint(US, 99), host.now)
    assert host.run(1) == []
    assert got == [(b"hello", Endpoint(US, 98), Endpoint(US, 99))]


def test_padding_of_short_frames_is_not_payload(host: Host) -> None:
    assert payloads(host.say(ip4(17, datagram(b"a")) + bytes(17))) == [b"a"]


def test_who_is_told_of_a_silent_neighbour_may_ask_for_others_at_once() -> None:
    settings = dataclasses.replace(ONLY_4, limits=Limits(unresolved=2))
    host = Host(settings)
    host.settle()
    told: list[Address] = []

    def failed(destination: Endpoint, _why: Unreachable) -> None:
        told.append(destination.address)
        if len(told) == 1:
            ask("192.0.2.71", "192.0.2.72")

    socket = host.interface.udp.bind(Endpoint(US, 98), lambda *_: None, failed)

    def ask(*addresses: str) -> None:
        for address in addresses:
            socket.send(b"anyone?", Endpoint(parse(address), 514), host.now)

    ask("192.0.2.61", "192.0.2.62")
    host.run(30)
    assert told == [parse(address) for address in ("192.0.2.61", "192.0.2.71", "192.0.2.72")]
