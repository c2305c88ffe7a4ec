"""A device that takes fewer frames than it is given: nothing is lost that has room, and nothing grows without end."""

from collections.abc import Sequence

import pytest

from dns_platform.memory import MemoryDevice, link
from dns_platform.protocols import BATCH, NetworkDevice, Octets
from dns_platform.unix.host import UnixClock, UnixEntropy
from dns_platform.unix.poller import UnixPoller
from dns_platform.wrapping.wrapper import Wrapper
from dns_server.answer.batch import Batch
from stack.address import Endpoint, parse
from stack.interface.interface import Interface
from stack.interface.limits import Limits
from stack.interface.settings import Settings
from stack.loop.turn import Platform, Turn
from stack.tcp.engine import Engine
from stack.wire import arp, ethernet, ipv4, udp
from stack.wire.arp import Operation
from stack.wire.ethernet import EtherType, Frame
from tests.support.station import static

US, PEER = parse("192.0.2.1"), parse("192.0.2.9")
PEER_MAC = bytes.fromhex("020000000009")
QUEUE = 50


class Narrow(Wrapper):
    """Takes at most `room` frames a call."""

    def __init__(self, device: NetworkDevice) -> None:
        super().__init__(device)
        self.room = 0

    def transmit(self, frames: Sequence[Octets]) -> int:
        return self.device.transmit(frames[: self.room])


class Gathering(UnixPoller):
    """While it pauses, the peer asks what is left in `to_come`: so many questions at a time."""

    to_come: list[int]

    def poll(self, _deadline: float | None) -> bool:
        """Frames in memory make nothing readable."""
        return True

    def gather(self) -> None:
        self.scene.put(range(self.to_come.pop(0)))

    scene: "Scene"


class Scene:
    """A host that echoes datagrams, behind a narrow device; `peer` is the other end of its link."""

    def __init__(self) -> None:
        near, self.peer = link()
        self.device = Narrow(near)
        settings = Settings(ipv4=static("192.0.2.1/24"), ipv6_enabled=False, limits=Limits(output_frames=QUEUE))
        clock, entropy = UnixClock(), UnixEntropy()
        interface = Interface(near.mac, near.mtu, settings, entropy, clock.monotonic())
        self.socket = interface.udp.serve(Endpoint(US, 53), lambda request, _source: request)
        tcp = Engine(interface, entropy.random(32), interface.counters)
        self.poller = Gathering(self.device)
        self.poller.scene = self
        self.turn = Turn(Platform(clock, entropy, self.poller, self.device), interface, tcp)
        self.device.room = 1000
        self.now = clock.monotonic()
        for _ in range(20):  # claims its address
            self.now += 1
            self.turn.flush(self.now)
        drain(self.peer)

    def ask(self, numbers: range) -> None:
        self.put(numbers)
        while frames := self.device.receive():
            self.turn.interface.receive(frames, self.now)
            self.turn.interface.put_back(self.turn.interface.take_replies())

    def put(self, numbers: range) -> None:
        """Let the peer send these questions."""
        for number in numbers:
            datagram = udp.emit(udp.Datagram(4000, 53, number.to_bytes(4)), PEER, US)
            packet = ipv4.emit(ipv4.Packet(PEER, US, 17, datagram))
            self.peer.transmit([ethernet.emit(Frame(self.device.mac, PEER_MAC, EtherType.IPV4, packet))])

    def serve_batches(self) -> None:
        """Echo datagrams by the batch. Skips where that is not compiled."""
        batch = Batch(BATCH, 512)

        def respond(count: int) -> None:
            for index in range(count):
                batch.put_reply(index, batch.query(index))

        if not self.turn.interface.serve_batches(batch, respond):
            pytest.skip("not compiled here")

    def count(self, reason: str) -> int:
        return self.turn.interface.counters.value(ethernet.LAYER, reason)


def drain(device: MemoryDevice) -> list[bytes]:
    found: list[bytes] = []
    while frames := device.receive():
        found += frames
    return found


def numbers(frames: list[bytes]) -> list[int]:
    return [int.from_bytes(frame[-4:]) for frame in frames if frame[12:14] == b"\x08\x00"]


def test_what_the_device_did_not_take_goes_later_and_in_order() -> None:
    scene = Scene()
    scene.device.room = 7
    scene.ask(range(40))
    for _ in range(10):
        scene.turn.flush(scene.now)
    assert numbers(drain(scene.peer)) == list(range(40))
    assert scene.count("frame waited for the device") == 40 - 7


def test_a_device_that_takes_nothing_costs_no_more_than_two_queues() -> None:
    scene = Scene()
    scene.device.room = 0
    for first in range(0, 1000, 20):
        scene.ask(range(first, first + 20))
        scene.turn.flush(scene.now)
    assert scene.count("output queue full") == 1000 - 20 - QUEUE
    scene.device.room = 1000
    for _ in range(3):
        scene.turn.flush(scene.now)
    assert numbers(drain(scene.peer)) == list(range(20 + QUEUE))
    scene.ask(range(5))
    scene.turn.flush(scene.now)
    assert numbers(drain(scene.peer)) == list(range(5))


def test_timers_wait_for_the_device_and_then_run() -> None:
    """A question for a neighbour is lost with the device, not forgotten."""
    scene = Scene()
    scene.device.room = 0
    scene.ask(range(1))
    scene.turn.flush(scene.now)
    socket = scene.turn.interface.udp.bind(Endpoint(US, 0), lambda *_: None)
    socket.send(b"hello", Endpoint(parse("192.0.2.77"), 9), scene.now)
    scene.turn.flush(scene.now)
    scene.device.room = 10
    for _ in range(3):
        scene.now += 2
        scene.turn.flush(scene.now)
    asked = [arp.parse(memoryview(frame)[14:]) for frame in drain(scene.peer) if frame[12:14] == b"\x08\x06"]
    assert {(packet.operation, packet.target) for packet in asked} >= {(Operation.REQUEST, parse("192.0.2.77"))}


@pytest.mark.parametrize(
    ("first", "to_come", "answered"),
    [
        (3, [2, 1, 9], 3 + 2 + 1),  # the one that comes alone ends it
        (1, [9], 1),
        (2, [0, 9], 2),
        (2, [2, 2, 2, 9, 9], 2 + 3 * 2),  # others have their turn after four batches
    ],
)
def test_after_queries_that_came_together_the_next_gather_and_are_answered_in_the_same_turn(
    first: int, to_come: list[int], answered: int
) -> None:
    scene = Scene()
    scene.serve_batches()
    scene.poller.to_come = to_come
    scene.put(range(first))
    scene.turn.select(0)
    assert len(numbers(drain(scene.peer))) == answered


def test_what_is_no_query_has_its_turn_without_a_pause() -> None:
    scene = Scene()
    scene.serve_batches()
    scene.poller.to_come = [9]
    scene.put(range(3))
    scene.peer.transmit([b"\xff" * 6 + PEER_MAC + b"\x12\x34" + bytes(46)])
    scene.turn.select(0)
    assert scene.poller.to_come == [9]
    assert len(numbers(drain(scene.peer))) == 3


def test_what_is_no_longer_served_gets_no_reply_from_the_next_turn_on() -> None:
    scene = Scene()
    scene.serve_batches()
    scene.poller.to_come = [0, 0]
    scene.put(range(3))
    scene.turn.select(0)
    scene.socket.close()
    scene.put(range(3))
    scene.turn.select(0)
    batches = scene.turn.interface.batches
    assert batches is not None
    assert batches.replies == 3


def test_timers_run_when_they_are_due_and_the_turn_tells_when_that_is() -> None:
    scene = Scene()
    socket = scene.turn.interface.udp.bind(Endpoint(US, 0), lambda *_: None)
    socket.send(b"hello", Endpoint(parse("192.0.2.77"), 9), scene.now)
    due = scene.turn.flush(scene.now)
    assert due is not None
    assert scene.now < due < scene.now + 5  # asks again for the neighbour
    asked = len(drain(scene.peer))
    assert scene.turn.flush((scene.now + due) / 2) == due
    assert asked == 1
    assert drain(scene.peer) == []
    scene.turn.flush(due)
    assert len(drain(scene.peer)) == 1
