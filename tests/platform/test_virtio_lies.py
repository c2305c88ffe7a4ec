"""Virtio devices that lie to their drivers: queues, descriptors, lengths, capabilities. Nothing outside is touched."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import drivers
from tests.support.drivers import BLOCK, NETWORK, RANDOM, VERSION_1, Machine

pytestmark = pytest.mark.skipif(not drivers.is_available(), reason="Python's headers are not installed (python3-dev)")

RECEIVE, SEND = 0, 1
FRAME = bytes(range(60))
EVENT_INDEX = 1 << 29


def receive(machine: Machine, slot: int = 2048, limit: int = 64) -> list[bytes]:
    buffer, lengths = machine.ffi.new("uint8_t[]", slot * limit), machine.ffi.new("uint64_t[]", limit)
    count = machine.lib.uz_network_receive(0, buffer, slot, lengths, limit)
    return [bytes(machine.ffi.buffer(buffer + i * slot, lengths[i])) for i in range(count)]


def send(machine: Machine, *frames: bytes) -> int:
    """How many frames the driver took, which lie one after the other."""
    starts, lengths = [sum(map(len, frames[:i])) for i in range(len(frames))], [len(frame) for frame in frames]
    return int(machine.lib.uz_network_send(0, b"".join(frames), starts, lengths, len(frames)))


def sent(machine: Machine) -> list[bytes]:
    """The frames that the device was given, in order, without headers."""
    given = [machine.queues[SEND].descriptors[number] for number in machine.given(SEND)]
    contents = [bytes(machine.ffi.buffer(machine.ffi.cast("uint8_t *", each.address), each.size)) for each in given]
    assert all(content[:12] == bytes(12) for content in contents)
    return [content[12:] for content in contents]


def deliver(machine: Machine, frame: bytes, size: int | None = None) -> None:
    """A frame in the first buffer that the driver gave."""
    descriptor = machine.given(RECEIVE)[0]
    machine.write(RECEIVE, descriptor, bytes(12) + frame)
    machine.hand_back(RECEIVE, descriptor, 12 + len(frame) if size is None else size)


def test_an_honest_device_works() -> None:
    def scenario(machine: Machine) -> None:
        machine.start(NETWORK)
        deliver(machine, FRAME)
        assert receive(machine) == [FRAME]
        assert send(machine, FRAME) == 1
        assert sent(machine) == [FRAME]
        assert machine.notified[-1] == SEND

    assert drivers.run(scenario).code == 0


def test_a_batch_is_told_of_once_and_as_much_of_it_taken_as_the_queue_has_room_for() -> None:
    def scenario(machine: Machine) -> None:
        machine.start(NETWORK)
        machine.notified.clear()
        frames = [bytes([number]) * (60 + number) for number in range(20)]
        assert send(machine, *frames) == 16
        assert machine.notified == [SEND]
        assert sent(machine) == frames[:16]
        assert send(machine, *frames[16:]) == 0
        machine.hand_back(SEND, 5, 0)
        machine.hand_back(SEND, 2, 0)
        assert send(machine, *frames[16:]) == 2
        assert machine.notified == [SEND, SEND]
        assert sent(machine)[-2:] == frames[16:18]

    assert drivers.run(scenario).code == 0


@pytest.mark.parametrize("size", [0, 13, 2037])
def test_frames_that_no_device_could_send_are_dropped_and_the_others_go(size: int) -> None:
    def scenario(machine: Machine) -> None:
        machine.start(NETWORK)
        assert send(machine, FRAME, bytes(size), FRAME[::-1], bytes(size)) == 4
        assert sent(machine) == [FRAME, FRAME[::-1]]

    assert drivers.run(scenario).code == 0


@pytest.mark.parametrize("size", [0, 3, 255, 1])
def test_wrong_queue_sizes(size: int) -> None:
    def scenario(machine: Machine) -> None:
        machine.sizes = [size, 16]
        machine.start(NETWORK)
        assert machine.lib.uz_network_count() == (size == 1)
        assert (machine.statuses[-1] == 128) == (size != 1)  # FAILED: the device is told

    outcome = drivers.run(scenario)
    assert outcome.code == 0
    assert ("type 1 is left alone: it lacks a queue" in outcome.console) == (size != 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"resets": False}, "it can't be reset"),
        ({"agrees": False}, "it doesn't agree on features"),
        ({"features": VERSION_1, "sizes": [16, 512]}, None),  # a modern device takes a smaller size
        ({"features": 0, "sizes": [16, 512]}, "it lacks a queue"),  # a legacy device dictates its own
    ],
)
def test_a_device_that_does_not_begin_is_left_alone(change: dict[str, object], reason: str | None) -> None:
    def scenario(machine: Machine) -> None:
        for name, value in change.items():
            setattr(machine, name, value)
        machine.start(NETWORK)
        assert machine.lib.uz_network_count() == (reason is None)

    outcome = drivers.run(scenario)
    assert outcome.code == 0
    assert reason is None or reason in outcome.console


def test_a_buffer_that_there_is_not_ends_the_image() -> None:
    def scenario(machine: Machine) -> None:
        machine.start(NETWORK)
        machine.hand_back(RECEIVE, 16, 100)
        receive(machine)

    outcome = drivers.run(scenario)
    assert outcome.code == 70
    assert "panic: virtio: the device hands back buffer 16 of 16" in outcome.console


def test_more_buffers_than_there_are_end_the_image() -> None:
    def scenario(machine: Machine) -> None:
        machine.start(NETWORK)
        machine.queues[RECEIVE].used.index = 17
        receive(machine)

    outcome = drivers.run(scenario)
    assert outcome.code == 70
    assert "hands back 17 buffers of 16" in outcome.console


def test_a_frame_longer_than_its_buffer_ends_the_image() -> None:
    def scenario(machine: Machine) -> None:
        machine.start(NETWORK)
        deliver(machine, FRAME, 2049)
        receive(machine)

    outcome = drivers.run(scenario)
    assert outcome.code == 70
    assert "a frame of 2049 octets in a buffer of 2048" in outcome.console


@pytest.mark.parametrize("size", [0, 11, 12, 25, 2048])
def test_lengths_that_are_no_frame_are_dropped(size: int) -> None:
    def scenario(machine: Machine) -> None:
        machine.start(NETWORK)
        deliver(machine, FRAME, size)
        assert receive(machine, slot=1514) == []
        deliver(machine, FRAME)
        assert receive(machine, slot=1514) == [FRAME]

    assert drivers.run(scenario).code == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from((RECEIVE, SEND)), st.integers(0, 20), st.integers(0, 2**32 - 1), st.integers(0, 40)),
        max_size=12,
    ),
    st.booleans(),
)
def test_whatever_is_handed_back_nothing_outside_is_touched(
    lies: list[tuple[int, int, int, int]], has_events: bool
) -> None:
    def scenario(machine: Machine) -> None:
        machine.features |= EVENT_INDEX if has_events else 0
        machine.start(NETWORK)
        for queue, descriptor, size, jump in lies:
            machine.hand_back(queue, descriptor, size)
            machine.queues[queue].used.index = (machine.queues[queue].used.index + jump) & 0xFFFF
            receive(machine)
            send(machine, FRAME, FRAME)
            machine.lib.network_interrupts(descriptor & 1)

    outcome = drivers.run(scenario)
    assert outcome.code in (0, 70), outcome
    assert (outcome.code == 70) == ("panic: virtio" in outcome.console)


def test_the_event_index_spares_what_the_other_side_did_not_ask_for() -> None:
    def scenario(machine: Machine) -> None:
        machine.features |= EVENT_INDEX
        machine.start(NETWORK)
        assert machine.accepted & EVENT_INDEX
        wanted = machine.ffi.cast("uint16_t *", machine.ffi.addressof(machine.queues[SEND].used.ring[16]))
        machine.notified.clear()
        for number, expected in ((0, [SEND]), (0, [SEND]), (2, [SEND, SEND])):
            wanted[0] = number  # tell me once that entry is there
            assert send(machine, FRAME) == 1
            assert machine.notified == expected
        received = machine.queues[RECEIVE].available
        machine.lib.network_interrupts(1)
        assert received.ring[16] == 0  # an interrupt with the first frame
        deliver(machine, FRAME)
        assert receive(machine) == [FRAME]
        machine.lib.network_interrupts(1)
        assert received.ring[16] == 1
        machine.lib.network_interrupts(0)
        assert received.ring[16] - 1 > 16  # none that can come
        assert received.flags == 0  # 2.7.7.1: not used then

    assert drivers.run(scenario).code == 0


def disk(machine: Machine, answer: tuple[int, int] | None) -> int:
    """What reading a sector says when the device hands back `(descriptor, status)`, or nothing at all."""
    machine.sizes = [16]
    machine.configuration = struct.pack("<QQ", 8, 0)

    def notified(_queue: int) -> None:
        if answer is not None:
            machine.write(0, 2, bytes([answer[1]]))
            machine.hand_back(0, answer[0], 0xFFFFFFFF)

    machine.on_notify = notified
    machine.start(BLOCK)
    data = machine.ffi.new("uint8_t[512]")
    return int(machine.lib.uz_block_read(0, 0, data, 512))


@pytest.mark.parametrize(
    ("answer", "result", "said"),
    [
        ((0, 0), 0, ""),
        ((0, 1), 2, ""),
        ((0, 255), 2, ""),
        ((1, 0), 2, "answers what it was not asked"),
        (None, 2, "has not answered for 10 seconds"),
    ],
)
def test_a_disk_that_lies_is_an_error_and_no_end(answer: tuple[int, int] | None, result: int, said: str) -> None:
    def scenario(machine: Machine) -> None:
        assert disk(machine, answer) == result

    outcome = drivers.run(scenario)
    assert outcome.code == 0
    assert said in outcome.console


def random(machine: Machine, size: int | None) -> int:
    machine.sizes = [16]
    machine.on_notify = lambda _: None if size is None else machine.hand_back(0, 0, size)
    machine.start(RANDOM)
    return int(machine.lib.target_random(machine.ffi.new("uint8_t[32]"), 32))


@pytest.mark.parametrize(
    ("size", "code", "said"),
    [
        (32, 0, ""),
        (5, 0, ""),
        (0, 0, ""),  # none: the caller refuses to start
        (33, 70, "virtio-rng: 33 octets in a buffer for 32"),
        (None, 71, "has not answered for 10 seconds"),
    ],
)
def test_a_source_of_entropy_that_lies(size: int | None, code: int, said: str) -> None:
    def scenario(machine: Machine) -> None:
        assert random(machine, size) == size

    outcome = drivers.run(scenario)
    assert outcome.code == code
    assert said in outcome.console


class Pci:
    """One modern network device on bus 0, its capabilities as a test wants them."""

    CAPABILITIES = 0x40

    def __init__(self, *capabilities: tuple[int, int, int, int], loops: bool = False) -> None:
        """`capabilities`: kind of structure, region, offset, size."""
        self.space = bytearray(256)
        struct.pack_into("<HHHH", self.space, 0, 0x1AF4, 0x1041, 0, 0x10)
        struct.pack_into("<IIIIII", self.space, 0x10, 0, 0, 0, 0, 0xFE000000, 0)
        self.space[0x34] = self.CAPABILITIES
        at = self.CAPABILITIES
        for number, (kind, region, offset, size) in enumerate(capabilities, 1):
            following = at + 20 if number < len(capabilities) else (self.CAPABILITIES if loops else 0)
            struct.pack_into("<BBBBBxxxIII", self.space, at, 9, following, 20, kind, region, offset, size, 4)
            at += 20
        self.address = 0

    def attach(self, machine: Machine) -> None:
        machine.write_port, machine.read_port = self.write, self.read

    def write(self, port: int, value: int, _size: int) -> None:
        if port == 0xCF8:
            self.address = value

    def read(self, port: int, _size: int) -> int:
        if port == 0xCF8:
            return self.address
        bus_slot_function, offset = self.address >> 8 & 0xFFFF, self.address & 0xFC
        return int.from_bytes(self.space[offset : offset + 4], "little") if not bus_slot_function else 0xFFFFFFFF


WHOLE = ((1, 4, 0, 56), (2, 4, 0x1000, 0x1000), (4, 4, 0x2000, 12))


@pytest.mark.parametrize(
    ("capabilities", "is_found"),
    [
        (WHOLE, True),
        (WHOLE[:2], True),  # what has nothing to tell: its configuration reads as zeros
        (((1, 6, 0, 56), *WHOLE[1:]), False),  # a region that there is not
        (((1, 255, 0, 56), *WHOLE[1:]), False),
        (((1, 4, 0, 20), *WHOLE[1:]), False),  # too small for what it has to hold
        (((1, 4, 0, 0xFFFFFFFF), *WHOLE[1:]), True),  # as large as memory: not all of it is looked at
        ((WHOLE[0], (2, 0, 0, 4096)), False),  # a region without an address
        ((), False),
    ],
)
@pytest.mark.parametrize("loops", [False, True])
def test_capabilities_that_lie(
    capabilities: tuple[tuple[int, int, int, int], ...], is_found: bool, loops: bool
) -> None:
    def scenario(machine: Machine) -> None:
        Pci(*capabilities, loops=loops).attach(machine)
        assert machine.lib.pci_scan(machine.lib.found) == 1
        assert bool(machine.found) == is_found
        assert all(size <= 1 << 20 for _, size in machine.mapped)
        if is_found:
            transport, device = machine.found[0].transport, machine.found[0]
            configuration = [transport.configuration(device, offset) for offset in (0, 11, 12, 4000)]
            assert configuration == [0] * 4

    assert drivers.run(scenario).code == 0


@pytest.mark.parametrize(("place", "size"), [(0, 128), (1023, 128), (1024, 0), (0xFFFF, 0)])
def test_a_queue_that_is_told_of_outside_its_structure_is_none(place: int, size: int) -> None:
    def scenario(machine: Machine) -> None:
        Pci(*WHOLE).attach(machine)
        machine.lib.pci_scan(machine.lib.found)
        common = machine.ffi.cast("uint16_t *", machine.device_memory[0xFE000000])
        common[12], common[15] = 128, place  # size of the selected queue, and where it is told of, times 4
        (device,) = machine.found
        assert device.transport.queue_size(device, 1) == size

    assert drivers.run(scenario).code == 0
