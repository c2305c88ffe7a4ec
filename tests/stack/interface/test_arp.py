"""RFC 826 and RFC 5227, rule by rule."""

import pytest

from stack.address import IPV4_UNSPECIFIED, parse
from stack.interface.claims import State as ClaimState
from stack.interface.neighbours import State
from stack.interface.settings import Settings
from stack.wire.arp import Operation, Packet
from tests.stack.interface.lan import (
    ONLY_4,
    OUR_MAC,
    STRANGER,
    STRANGER_MAC,
    US,
    Host,
    arp_packet,
    arps,
    datagram,
    echo_server,
    ip4,
    payloads,
)
from tests.support.station import static

OTHER_MAC = bytes.fromhex("020000000003")
PATIENT = Settings(ipv4=static("192.0.2.1/24"), ipv6_enabled=False, optimistic=False)


def test_a_request_is_answered() -> None:
    host = Host(ONLY_4)
    host.settle()
    replies = arps(host.say(arp_packet(Operation.REQUEST, STRANGER_MAC, STRANGER, US)))
    assert replies == [Packet(Operation.REPLY, OUR_MAC, US, STRANGER_MAC, STRANGER)]


def test_a_request_for_another_host_is_not_answered_and_not_remembered() -> None:
    host = Host(ONLY_4)
    host.settle()
    assert host.say(arp_packet(Operation.REQUEST, STRANGER_MAC, STRANGER, parse("192.0.2.9"))) == []
    assert host.interface.ipv4.arp.neighbours.state(STRANGER) is None


def test_an_unsolicited_reply_makes_no_entry() -> None:
    host = Host(ONLY_4)
    host.settle()
    host.say(arp_packet(Operation.REPLY, STRANGER_MAC, STRANGER, US, OUR_MAC))
    assert host.interface.ipv4.arp.neighbours.state(STRANGER) is None


def test_a_sender_from_another_network_is_not_remembered() -> None:
    host = Host(ONLY_4)
    host.settle()
    host.say(arp_packet(Operation.REQUEST, STRANGER_MAC, parse("198.51.100.1"), US))
    assert len(host.interface.ipv4.arp.neighbours) == 0


def test_packets_wait_for_the_answer_and_then_go_in_order() -> None:
    host = Host(ONLY_4)
    echo_server(host)
    host.settle()
    frames = host.say(ip4(17, datagram(b"1")), ip4(17, datagram(b"2")))
    assert [packet.target for packet in arps(frames)] == [STRANGER]
    assert payloads(frames) == []
    frames = host.say(arp_packet(Operation.REPLY, STRANGER_MAC, STRANGER, US, OUR_MAC))
    assert payloads(frames) == [b"1", b"2"]
    assert host.interface.ipv4.arp.neighbours.state(STRANGER) is State.REACHABLE


def test_rfc_1122_section_2_3_2_1_not_more_than_one_request_a_second() -> None:
    host = Host(ONLY_4)
    echo_server(host)
    host.settle()
    requests = 0
    for _ in range(100):
        requests += len(arps(host.say(ip4(17, datagram(b"again")))))
        host.now += 0.1
    assert requests <= 11


def test_a_fresh_entry_is_not_overwritten_unasked() -> None:
    host = Host(ONLY_4)
    echo_server(host)
    host.settle()
    host.say(ip4(17, datagram(b"")))
    host.say(arp_packet(Operation.REPLY, STRANGER_MAC, STRANGER, US, OUR_MAC))
    for operation in Operation:
        host.say(arp_packet(operation, OTHER_MAC, STRANGER, US))
    assert host.interface.ipv4.arp.neighbours.mac(STRANGER) == STRANGER_MAC
    assert host.count("arp", "unsolicited change of a fresh neighbour") == 2


def test_a_neighbour_that_moved_is_found_again() -> None:
    """The old MAC is asked, does not answer, and the next packet asks everyone."""
    host = Host(ONLY_4)
    echo_server(host)
    host.settle()
    host.say(ip4(17, datagram(b"")))
    host.say(arp_packet(Operation.REPLY, STRANGER_MAC, STRANGER, US, OUR_MAC))
    host.say(arp_packet(Operation.REQUEST, OTHER_MAC, STRANGER, US))
    questions = arps(host.run(20))
    assert [question.target for question in questions].count(STRANGER) == 3
    assert host.interface.ipv4.arp.neighbours.state(STRANGER) is None


def test_an_entry_ages() -> None:
    host = Host(ONLY_4)
    host.know_stranger()
    assert host.interface.ipv4.arp.neighbours.state(STRANGER) is State.STALE
    host.run(1300)
    assert host.interface.ipv4.arp.neighbours.state(STRANGER) is None
    assert host.interface.poll_at() is None


def test_rfc_5227_section_2_1_1_three_probes_then_two_announcements() -> None:
    host = Host(PATIENT)
    assert not host.interface.is_local(US)
    sent = arps(host.run(30))
    assert [packet.sender for packet in sent] == [IPV4_UNSPECIFIED] * 3 + [US] * 2
    assert all(packet.target == US and packet.operation is Operation.REQUEST for packet in sent)
    assert host.interface.is_local(US)
    assert host.interface.ipv4.arp.claims.state(US) is ClaimState.OWNED


def test_rfc_5227_section_2_1_probing_address_does_not_answer() -> None:
    host = Host(PATIENT)
    host.run(1.5)
    assert arps(host.say(arp_packet(Operation.REQUEST, STRANGER_MAC, STRANGER, US))) == []


@pytest.mark.parametrize("sender", [US, IPV4_UNSPECIFIED], ids=["in use", "probed for at the same time"])
def test_rfc_5227_section_2_1_1_conflict_while_probing(sender: bytes) -> None:
    host = Host(Settings(ipv6_enabled=False))
    lost: list[float] = []
    address, network = static("192.0.2.1/24")[0].address, static("192.0.2.1/24")[0].network
    host.interface.ipv4.assign(address, network, host.now, optimistic=False, kept=False, lost=lost.append)
    host.run(1.5)
    host.say(arp_packet(Operation.REQUEST, STRANGER_MAC, sender, US))
    assert len(lost) == 1
    assert not host.interface.is_local(US)
    assert host.interface.ipv4.routes.next_hop(STRANGER) is None


def test_rfc_5227_section_2_4_defended_once_then_given_up() -> None:
    host = Host(Settings(ipv6_enabled=False))
    lost: list[float] = []
    static_ = static("192.0.2.1/24")[0]
    host.interface.ipv4.assign(US, static_.network, host.now, optimistic=True, kept=False, lost=lost.append)
    host.settle()
    conflict = arp_packet(Operation.REQUEST, STRANGER_MAC, US, US)
    assert [packet.sender for packet in arps(host.say(conflict))] == [US]
    assert lost == []
    host.now += 5
    host.say(conflict)
    assert len(lost) == 1


def test_rfc_5227_section_2_4_c_a_configured_address_is_kept_and_defended_every_ten_seconds() -> None:
    host = Host(ONLY_4)
    host.settle()
    host.interface.notices.take()
    announcements = 0
    for _ in range(40):
        announcements += len(arps(host.say(arp_packet(Operation.REQUEST, STRANGER_MAC, US, US))))
        host.now += 0.5
    assert announcements == 2
    assert host.interface.is_local(US)
    assert [notice.event for notice in host.interface.notices.take()] == ["address conflict"] * 2


def test_flood_of_requests_leaves_the_neighbours_in_use() -> None:
    host = Host(ONLY_4)
    echo_server(host)
    host.settle()
    host.say(ip4(17, datagram(b"")))
    host.say(arp_packet(Operation.REPLY, STRANGER_MAC, STRANGER, US, OUR_MAC))
    limits = host.interface.settings.limits
    host.interface.ipv4.routes.on_link.update({static("10.0.0.0/8")[0].network: float("inf")})
    for number in range(3000):
        attacker = bytes((10, 0)) + number.to_bytes(2)
        host.say(arp_packet(Operation.REQUEST, OTHER_MAC, attacker, US))
    assert len(host.interface.ipv4.arp.neighbours) <= limits.neighbours
    assert payloads(host.say(ip4(17, datagram(b"still here")))) == [b"still here"]


def test_flood_of_silent_neighbours_is_bounded() -> None:
    host = Host(ONLY_4)
    echo_server(host)
    host.know_stranger()
    limits = host.interface.settings.limits
    for number in range(1, 250):
        source = bytes((192, 0, 2, number)) if number not in (1, 2) else STRANGER
        host.say(ip4(17, datagram(b"x" * 1000, source=source), source=source))
    assert len(host.interface.ipv4.arp.neighbours) <= limits.unresolved + 2
    assert host.count("arp", "too many unresolved neighbours") > 0
    assert payloads(host.say(ip4(17, datagram(b"still here")))) == [b"still here"]
