"""Devices that wrap a device."""

import io
from dataclasses import dataclass

from scapy.utils import rdpcap

from dns_platform.memory import link
from dns_platform.unix.host import UnixClock
from dns_platform.unix.poller import UnixPoller
from dns_platform.wrapping.fault import FaultDevice, Faults
from dns_platform.wrapping.pcap import PcapDevice
from dns_platform.wrapping.trace import TraceDevice

FRAMES = [number.to_bytes(2) * 30 for number in range(1000)]


@dataclass
class HandClock:
    """A clock that a test sets."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_700_000_000.25 + self.now


def received(faults: Faults, seed: int = 1, wait: float = 0.0) -> list[bytes]:
    """What comes of 1,000 frames."""
    near, far = link()
    clock = HandClock()
    device = FaultDevice(near, faults, seed, clock)
    far.transmit(FRAMES)
    frames = [bytes(frame) for frame in device.receive(5000)]
    while device.poll_at() is not None and wait:
        clock.now += wait
        frames += [bytes(frame) for frame in device.receive(5000)]
    return frames


def test_without_faults_nothing_changes() -> None:
    assert received(Faults()) == FRAMES


def test_loss() -> None:
    frames = received(Faults(loss=0.1))
    assert 850 < len(frames) < 950
    assert set(frames) < set(FRAMES)


def test_duplication() -> None:
    frames = received(Faults(duplication=0.1))
    assert 1050 < len(frames) < 1150
    assert set(frames) == set(FRAMES)


def test_reordering() -> None:
    frames = received(Faults(reordering=0.1), wait=0.02)
    assert frames != FRAMES
    assert sorted(frames) == sorted(FRAMES)


def test_corruption_flips_one_bit() -> None:
    frames = received(Faults(corruption=0.1))
    changed = [
        int.from_bytes(frame) ^ int.from_bytes(sent)
        for frame, sent in zip(frames, FRAMES, strict=True)
        if frame != sent
    ]
    assert 50 < len(changed) < 150
    assert all(difference.bit_count() == 1 for difference in changed)


def test_delay() -> None:
    assert received(Faults(delay_s=0.05)) == []
    assert received(Faults(delay_s=0.05), wait=0.06) == FRAMES


def test_the_seed_decides() -> None:
    faults = Faults(loss=0.2, duplication=0.2, corruption=0.2)
    assert received(faults, seed=1) == received(faults, seed=1)
    assert received(faults, seed=1) != received(faults, seed=2)


def test_scapy_reads_the_pcap_file() -> None:
    near, far = link()
    file = io.BytesIO()
    device = PcapDevice(near, file, HandClock())
    far.transmit(FRAMES[:2])
    device.receive()
    device.transmit(FRAMES[2:3])
    packets = rdpcap(io.BytesIO(file.getvalue()))
    assert [bytes(packet) for packet in packets] == FRAMES[:3]
    assert float(packets[0].time) == 1_700_000_000.25
    device.close()
    assert file.closed


def test_trace_shows_both_directions() -> None:
    near, far = link()
    lines: list[str] = []
    device = TraceDevice(near, lines.append)
    far.transmit([b"\x01\x02\x03"])
    device.receive()
    device.transmit([bytes(100)])
    assert lines[0] == "< 3 01 0203"
    assert lines[1].startswith("> 100 0000 0000")
    assert lines[1].endswith("...")
    assert (device.mac, device.mtu, device.fileno()) == (near.mac, 1500, None)


def test_a_poller_wakes_for_frames_that_are_held_back() -> None:
    near, far = link()
    clock = UnixClock()
    device = PcapDevice(FaultDevice(near, Faults(delay_s=0.05), 1, clock), io.BytesIO(), clock)
    poller = UnixPoller(device)
    far.transmit(FRAMES[:1])
    sent = clock.monotonic()
    assert device.receive() == []
    while not (frames := device.receive()):
        assert poller.poll(None)
    assert [*frames] == FRAMES[:1]
    assert clock.monotonic() - sent >= 0.05
    poller.close()
