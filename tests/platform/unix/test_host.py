"""Clock, entropy, console, disk and poller of unix."""

import os
import threading
import time
from pathlib import Path

import pytest

from dns_platform.memory import link
from dns_platform.protocols import DeviceError
from dns_platform.unix.block import FileBlockDevice
from dns_platform.unix.host import UnixClock, UnixConsole, UnixEntropy
from dns_platform.unix.poller import UnixPoller


def test_clocks_go_on() -> None:
    clock = UnixClock()
    assert clock.monotonic() <= clock.monotonic()
    assert abs(clock.wall() - time.time()) < 5


def test_entropy_differs() -> None:
    entropy = UnixEntropy()
    assert len(entropy.random(32)) == 32
    assert entropy.random(32) != entropy.random(32)


def test_console_writes_all() -> None:
    read, write = os.pipe()
    UnixConsole(write).write(b"hello")
    assert os.read(read, 100) == b"hello"
    os.close(read)
    os.close(write)


def test_disk_keeps_sectors(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(bytes(5000))
    disk = FileBlockDevice(path)
    assert (disk.sectors, disk.sector_size) == (9, 512)
    disk.write(3, b"x" * 1024)
    disk.flush()
    assert disk.read(2, 4) == bytes(512) + b"x" * 1024 + bytes(512)
    for sector, count in ((-1, 1), (8, 2), (0, -1)):
        with pytest.raises(ValueError, match="are not on a device of 9"):
            disk.read(sector, count)
    with pytest.raises(ValueError, match="not whole sectors"):
        disk.write(0, b"x")
    disk.close()
    with pytest.raises(DeviceError, match="can't be opened as a disk"):
        FileBlockDevice(tmp_path / "none")


def test_poller_waits_for_the_deadline_and_no_longer_than_for_a_wake_up() -> None:
    poller = UnixPoller(link()[0])
    assert poller.poll(float("-inf")) is False
    deadline = time.monotonic() + 0.02
    assert poller.poll(deadline) is False
    assert time.monotonic() >= deadline
    thread = threading.Timer(0.02, poller.wake)
    thread.start()
    assert poller.poll(None) is False
    thread.join()
    poller.close()


def test_poller_watches_other_descriptors() -> None:
    poller = UnixPoller()
    read, write = os.pipe()
    seen: list[bytes] = []
    poller.watch(read, lambda: seen.append(os.read(read, 100)))
    os.write(write, b"!")
    assert poller.poll(time.monotonic() + 30) is False
    assert seen == [b"!"]
    poller.unwatch(read)
    poller.unwatch(read)
    os.close(read)
    os.close(write)
    poller.close()
