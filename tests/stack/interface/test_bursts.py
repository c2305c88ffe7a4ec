"""Segments that TCP hands to IP several at a time."""

import random
from collections.abc import Callable

import pytest

from stack.address import Address, Endpoint
from stack.tcp.engine import Engine
from stack.tcp.options import Options
from stack.tcp.segment import ACK, SYN, Segment, emit, parse
from stack.tcp.sequence import wrap
from stack.wire import ipv4, ipv6
from stack.wire.checksum import pseudo_header
from stack.wire.ethernet import EtherType, Frame
from tests.stack.interface.lan import STRANGER, STRANGER_6, US, US_6, Host, ip4, ip6

TCP = 6
PORT = 7
FAMILIES = pytest.mark.parametrize(
    ("us", "stranger", "packet"), [(US, STRANGER, ip4), (US_6, STRANGER_6, ip6)], ids=["ipv4", "ipv6"]
)


class Reader:
    """A host with TCP, and a connection to the stranger, who has read nothing yet."""

    def __init__(self, us: Address, stranger: Address, packet: Callable[[int, bytes], bytes]) -> None:
        self.host = Host()
        self._packet = packet
        self._pseudo_header = pseudo_header(stranger, us, TCP, 0)
        self.engine = Engine(self.host.interface, random.Random(1).randbytes(32), self.host.interface.counters)
        self.host.interface.attach_tcp(self.engine)
        self.host.know_stranger()
        self.engine.listen(Endpoint(us, PORT))
        answer = self.say(Segment(4321, PORT, 1000, 0, SYN, 0xFFFF, Options(mss=1400)))[0]
        self.first = wrap(answer.sequence + 1)
        self.say(Segment(4321, PORT, 1001, self.first, ACK, 0xFFFF))
        self.connection = next(iter(self.engine.commons.connections.values()))

    def say(self, segment: Segment) -> list[Segment]:
        """The stranger sends `segment`; what comes back."""
        return self.segments(self.host.say(self._packet(TCP, emit(segment, self._pseudo_header))))

    def segments(self, frames: list[Frame]) -> list[Segment]:
        """What the stranger finds in `frames`, checksums verified."""
        found = []
        for frame in frames:
            view = memoryview(frame.payload)
            whole = ipv4.parse(view) if frame.ether_type == EtherType.IPV4 else ipv6.parse(view)
            assert whole[2] == TCP
            source, destination, payload = whole.source, whole.destination, whole.payload
            found.append(parse(payload, pseudo_header(source, destination, TCP, len(payload))))
        return found


@FAMILIES
def test_a_burst_arrives_whole_and_in_order(
    us: Address, stranger: Address, packet: Callable[[int, bytes], bytes]
) -> None:
    reader = Reader(us, stranger, packet)
    data = random.Random(2).randbytes(12345)
    assert reader.connection.send(data) == len(data)
    reader.host.turn()
    burst = reader.segments(reader.host.heard())
    assert [len(segment.payload) for segment in burst] == [1400] * 8 + [12345 - 8 * 1400]
    assert burst[0].sequence == reader.first
    assert b"".join(segment.payload for segment in burst) == data


@FAMILIES
def test_rfc_1191_what_is_too_big_for_a_path_that_others_know_is_cut_and_sent_in_the_same_turn(
    us: Address, stranger: Address, packet: Callable[[int, bytes], bytes]
) -> None:
    reader = Reader(us, stranger, packet)
    interface = reader.host.interface
    assert interface.ipv6 is not None
    ip = interface.ipv4 if len(us) == 4 else interface.ipv6
    assert ip.path_mtus.reduce(stranger, 1300, reader.host.now) == 1300
    data = random.Random(3).randbytes(8000)
    reader.connection.send(data)
    reader.host.turn()
    burst = reader.segments(reader.host.heard())
    held = b""
    for segment in burst:  # what fitted all the same went before
        assert len(segment.payload) <= 1300 - 40
        at = wrap(segment.sequence - reader.first)
        if at <= len(held):
            held = held[:at] + segment.payload + held[at + len(segment.payload) :]
    assert held
    assert data.startswith(held)
    assert reader.host.count("ipv4" if len(us) == 4 else "ipv6", "too big for the path") == 5
