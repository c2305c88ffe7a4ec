"""The express way gives the answers that the layers give, and leaves to them whatever is unusual."""

import socket
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dns_platform.frames import Frames
from stack.address import IPV4_BROADCAST, Address, Endpoint, parse
from stack.interface.express_batches import CORE_MODULE
from stack.interface.udp import UdpError
from stack.wire import ethernet, ipv4, ipv6, udp
from stack.wire.ethernet import EtherType, Frame
from tests.stack.interface.lan import (
    OUR_MAC,
    STRANGER,
    STRANGER_6,
    STRANGER_MAC,
    US,
    US_6,
    Host,
    datagram,
    echo_server,
    ip4,
    ip6,
    payloads,
)

Answer = tuple[int, bytes, bytes, udp.Datagram]


def reversed_or_silent(request: bytes, _source: Address) -> bytes | None:
    """What both ways serve."""
    return None if request.startswith(b"silence") else request[::-1] or b"."


def serving() -> Host:
    """A host that serves port 53; most of it goes by the express way."""
    host = Host()
    for size in (4, 16):
        host.interface.udp.serve(Endpoint(bytes(size), 53), reversed_or_silent)
    host.know_stranger()
    return host


def layered() -> Host:
    """A host that has the same answers and no express way."""
    host = Host()

    def received(payload: bytes, source: Endpoint, destination: Endpoint) -> None:
        reply = reversed_or_silent(payload, source.address)
        if reply is not None and source.port:
            sockets[len(source.address)].send(reply, source, host.now, destination.address)

    sockets = {size: host.interface.udp.bind(Endpoint(bytes(size), 53), received) for size in (4, 16)}
    host.know_stranger()
    return host


def answers(frames: list[Frame]) -> list[Answer]:
    """What was answered to whom; both checksums are looked at."""
    found: list[Answer] = []
    for frame in frames:
        view = memoryview(frame.payload)
        if frame.ether_type == EtherType.IPV4 and view[9] == 17:
            four = ipv4.parse(view)
            body = udp.parse(memoryview(four.payload), four.source, four.destination)
            found.append((four.ttl, four.source, four.destination, body._replace(payload=bytes(body.payload))))
        elif frame.ether_type == EtherType.IPV6 and view[6] == 17:
            six = ipv6.parse(view)
            body = udp.parse(memoryview(six.payload), six.source, six.destination)
            found.append((six.hop_limit, six.source, six.destination, body._replace(payload=bytes(body.payload))))
    return sorted(found)


def frame(payload: bytes, *, six: bool) -> bytes:
    if six:
        return ip6(17, datagram(payload, source=STRANGER_6, destination=US_6))
    return ip4(17, datagram(payload))


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("payload", [b"", b"1", b"12", b"123", bytes(1400), b"\xff" * 101])
def test_a_plain_request_is_answered_in_one_step(payload: bytes, six: bool) -> None:
    host = serving()
    (reply,) = host.say(frame(payload, six=six))
    assert host.interface.express.replies == 1
    assert (reply.source, reply.destination) == (OUR_MAC, STRANGER_MAC)
    ours, theirs = (US_6, STRANGER_6) if six else (US, STRANGER)
    assert answers([reply]) == [(64, ours, theirs, udp.Datagram(53, 4321, payload[::-1] or b"."))]


@pytest.mark.parametrize("six", [False, True])
def test_a_request_without_a_reply_is_done_with(six: bool) -> None:
    host = serving()
    assert host.say(frame(b"silence", six=six)) == []


def test_a_computed_zero_is_sent_as_all_ones() -> None:
    host = serving()
    for number in range(0, 0x10000, 64):
        host.stranger.transmit([frame((number + more).to_bytes(2), six=more % 2 == 0) for more in range(64)])
        host.turn()
        assert len(answers(host.heard())) == 64


requests = st.builds(frame, st.binary(max_size=60) | st.just(b"silence"), six=st.booleans())
mutations = st.lists(st.tuples(st.integers(0, 70), st.integers(0, 7)), max_size=2)


@given(requests, mutations, st.integers(0, 3))
@example(frame(b"12", six=False), [(14, 0)], 0)
@example(frame(b"12", six=True), [(14, 5)], 0)
@settings(max_examples=400, deadline=None)
def test_both_ways_agree_whatever_is_in_the_frame(request: bytes, flips: list[tuple[int, int]], cut: int) -> None:
    spoiled = bytearray(request)
    for at, bit in flips:
        if at < len(spoiled):
            spoiled[at] ^= 1 << bit
    octets = bytes(spoiled[: len(spoiled) - cut])
    # Two flips may make another neighbour's question, checksum and all. The express ways answer to the MAC that it came
    # from; the layers look for the neighbour first.
    assume(octets[12:14] != b"\x86\xdd" or octets[22:38] == STRANGER_6)
    found = []
    for host in _HOSTS:
        host.introduce()
        found.append(answers(host.say(octets)))
    assert found[0] == found[1] == found[2]


@dataclass
class Slots:
    """Slots of 512 octets for 64 requests, replies of 1280."""

    size: int = 64
    queries: bytearray = field(default_factory=lambda: bytearray(64 * 512))
    lengths: "array[int]" = field(default_factory=lambda: array("i", bytes(4 * 64)))
    peers: bytearray = field(default_factory=lambda: bytearray(64 * 32))
    asked: list[tuple[int, int, bytes]] = field(default_factory=list)
    replies: bytearray = field(default_factory=lambda: bytearray(64 * 1280))
    reply_lengths: "array[int]" = field(default_factory=lambda: array("i", bytes(4 * 64)))

    def respond(self, count: int) -> None:
        for index in range(count):
            start = index * 512
            peer = self.peers[index * 32 : index * 32 + 32]
            family, address = int.from_bytes(peer[:2], "little"), bytes(peer[8:24] if peer[0] == 10 else peer[4:8])
            self.asked.append((family, int.from_bytes(peer[2:4]), address))
            source = address
            reply = reversed_or_silent(bytes(self.queries[start : start + self.lengths[index]]), source) or b""
            self.replies[index * 1280 : index * 1280 + len(reply)] = reply
            self.reply_lengths[index] = len(reply)


def batching() -> Host:
    """As `serving`, and what is compiled goes in batches."""
    host = serving()
    slots = Slots()
    host.interface.serve_batches(slots, slots.respond)
    return host


def in_batches(host: Host) -> int:
    """Replies that went in batches. The test is skipped where that is not compiled."""
    if host.interface.batches is None:
        pytest.skip(f"{CORE_MODULE} is not compiled")
    return host.interface.batches.replies


_HOSTS = serving(), layered(), batching()


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("payload", [b"", b"1", b"12", bytes(511), b"\xff" * 512])
def test_a_batch_is_answered_as_one_by_one(payload: bytes, six: bool) -> None:
    batched, single = batching(), serving()
    requests = [frame(payload, six=six), frame(b"silence", six=six), frame(payload + b"x", six=six)] * 30
    assert answers(batched.say(*requests)) == answers(single.say(*requests))
    assert in_batches(batched) > 0


def test_a_batch_tells_who_asks() -> None:
    host, slots = serving(), Slots()
    if not host.interface.serve_batches(slots, slots.respond):
        pytest.skip(f"{CORE_MODULE} is not compiled")
    host.say(frame(b"ab", six=False), frame(b"ab", six=True))
    assert slots.asked == [(socket.AF_INET, 4321, STRANGER), (socket.AF_INET6, 4321, STRANGER_6)]


def test_a_responder_is_told_who_asks() -> None:
    host = Host()
    asked: list[Address] = []
    for size in (4, 16):
        host.interface.udp.serve(Endpoint(bytes(size), 53), lambda _, source: asked.append(source))
    host.know_stranger()
    host.say(frame(b"ab", six=False), frame(b"ab", six=True))
    host.say(ip4(17, datagram(b"ab"), options=b"\x01\x01\x01\x01"))  # through the layers
    assert asked == [STRANGER, STRANGER_6, STRANGER]


def test_a_batch_ends_with_an_address_or_a_port() -> None:
    host = batching()
    assert len(host.say(frame(b"ab", six=False), frame(b"ab", six=True))) == 2
    assert in_batches(host) == 2
    host.interface.ipv4.withdraw(US)
    assert len(host.say(frame(b"ab", six=False), frame(b"ab", six=True))) == 1
    assert host.interface.ipv6 is not None
    host.interface.ipv6.addresses.remove(US_6)
    assert host.say(frame(b"ab", six=False), frame(b"ab", six=True)) == []
    assert in_batches(host) == 3


def test_a_small_link_has_no_batches() -> None:
    """Replies might not fit: the layers make fragments of them."""
    host = batching()
    host.interface.ipv4.path_mtus.link_mtu = 1300
    assert payloads(host.say(frame(b"ab", six=False))) == [b"ba"]
    assert in_batches(host) == 0


def test_the_device_may_use_the_memory_of_frames_again() -> None:
    host = batching()
    in_batches(host)
    memory = bytearray(frame(b"ab", six=False))
    host.interface.receive([memoryview(memory)], host.now)
    memory[:] = bytes(len(memory))
    host.interface.receive([frame(b"cd", six=False)], host.now)
    host.device.transmit(host.interface.transmit(host.now))
    assert payloads(host.heard()) == [b"ba", b"dc"]


def test_what_is_unusual_is_answered_by_the_layers() -> None:
    host = serving()
    assert payloads(host.say(ip4(17, datagram(b"ab"), options=b"\x01\x01\x01\x01"))) == [b"ba"]
    assert host.interface.express.replies == 0


_TO_ALL = ethernet.emit(
    Frame(
        b"\xff" * 6,
        STRANGER_MAC,
        EtherType.IPV4,
        ipv4.emit(ipv4.Packet(STRANGER, IPV4_BROADCAST, 17, datagram(b"ab", destination=IPV4_BROADCAST))),
    )
)
_FROM_PORT_0 = udp.emit(udp.Datagram(0, 53, b"ab"), STRANGER, US)


@pytest.mark.parametrize(
    ("abuse", "reason"),
    [(_TO_ALL, "request to a group"), (ip4(17, _FROM_PORT_0), "request from port 0")],
    ids=["broadcast", "port 0"],
)
@pytest.mark.parametrize("make", [serving, batching], ids=["single", "batches"])
def test_requests_that_only_do_harm_are_dropped_and_counted(
    make: Callable[[], Host], abuse: bytes, reason: str
) -> None:
    host = make()
    assert host.say(abuse) == []
    assert host.interface.counters.value(udp.LAYER, reason) == 1
    assert host.interface.express.replies == 0


def test_a_reply_that_does_not_fit_goes_in_fragments() -> None:
    host = Host()
    host.interface.udp.serve(Endpoint(bytes(4), 53), lambda *_: bytes(4000))
    host.know_stranger()
    assert len(host.say(frame(b"", six=False))) == 3
    assert host.interface.express.replies == 0


@pytest.mark.parametrize("source", ["127.0.0.1", "192.0.2.1", "192.0.2.255", "224.0.0.1", "0.0.0.0", "255.255.255.255"])
def test_sources_that_are_no_host_elsewhere(source: str) -> None:
    host = serving()
    address = parse(source)
    host.say(ip4(17, datagram(b"ab", source=address), source=address))
    assert host.interface.express.replies == 0


def test_an_address_that_went_is_not_answered_for() -> None:
    host = serving()
    host.interface.ipv4.withdraw(US)
    assert host.say(frame(b"ab", six=False)) == []
    assert host.interface.ipv6 is not None
    host.interface.ipv6.addresses.remove(US_6)
    assert host.say(frame(b"ab", six=True)) == []


def test_a_port_that_is_served_has_no_other_sockets() -> None:
    host = serving()
    udp_sockets = host.interface.udp
    with pytest.raises(UdpError, match="its port is served"):
        udp_sockets.bind(Endpoint(US, 53), lambda *_: None, remote=Endpoint(STRANGER, 1))
    with pytest.raises(UdpError, match="already bound"):
        udp_sockets.serve(Endpoint(bytes(4), 53), reversed_or_silent)
    bound = udp_sockets.bind(Endpoint(US, 54), lambda *_: None)
    with pytest.raises(UdpError, match="is bound"):
        udp_sockets.serve(Endpoint(bytes(4), 54), reversed_or_silent)
    bound.close()
    udp_sockets.serve(Endpoint(bytes(4), 54), reversed_or_silent).close()
    assert (bytes(4), 54) not in udp_sockets.responders


def test_others_are_served_under_a_flood_of_fragments_and_questions() -> None:
    host = serving()
    echo_server(host, port=7)
    for number in range(300):
        source = bytes((192, 0, 2, 10 + number % 200))
        host.say(
            ip4(17, bytes(1024), source=source, offset=8, more_fragments=1, identification=number),
            ip4(17, datagram(b"spoofed", source=source), source=source),
            ip4(17, datagram(b"spoofed", port=7, source=source), source=source),
        )
        assert answers(host.say(frame(b"ab", six=False)))[0][3].payload == b"ba"


def test_frames_of_one_memory_are_taken_as_others_are() -> None:
    """Devices that have all frames of a batch in one memory hand them over as such."""
    host, other = batching(), batching()
    given_frames = [frame(b"ab", six=False), b"", frame(b"cd", six=True)[:-1], bytes(5), frame(b"cd", six=True)]
    lengths = [len(each) for each in given_frames]
    starts = [256 + sum(lengths[:index]) for index in range(len(lengths))]
    memory = bytes(256) + b"".join(given_frames)
    in_batches(host)
    host.interface.receive(Frames(memoryview(memory), array("Q", starts), array("Q", lengths)), host.now)
    replies = host.interface.take_replies()
    assert isinstance(replies, Frames)
    target, places = bytearray(4096), array("Q", [1000, 3000])
    replies.copy(memoryview(target), places)
    copies = [bytes(target[at : at + size]) for at, size in zip(places, replies.lengths, strict=True)]
    assert len(copies) == 2
    assert copies == [bytes(reply) for reply in replies]
    other.interface.receive(given_frames, other.now)
    assert copies == [bytes(reply) for reply in other.interface.take_replies()]
    assert payloads([ethernet.parse(memoryview(copy)) for copy in copies]) == [b"ba", b"dc"]
    with pytest.raises(IndexError):
        host.interface.receive(Frames(memoryview(memory), array("Q", [0]), array("Q", [len(memory) + 1])), host.now)
    with pytest.raises(IndexError):
        replies.copy(memoryview(target), array("Q", [4095]))
