"""The platform in an image that boots: the contract of platform/include/unizone.h behind the typed protocols."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from _unizone import ffi, lib
from dns_platform.frames import Frames, joined
from dns_platform.protocols import BATCH, DeviceError, MemoryUse, Octets

_NANOSECONDS: Final = 1_000_000_000
_NEVER: Final = 2**64 - 1
_WORDS: Final = ffi.typeof("uint64_t[]")
_SLOT: Final = 2048
"""Octets for one received frame: an Ethernet frame of 1514 fits, and slots begin at even addresses."""


class GuestClock:
    """The clocks of the virtual machine."""

    def monotonic(self) -> float:
        """See `Clock`."""
        return lib.uz_clock_monotonic() / _NANOSECONDS

    def wall(self) -> float:
        """See `Clock`."""
        return lib.uz_clock_wall() / _NANOSECONDS


class GuestEntropy:
    """The generator of the CPU or of the hypervisor."""

    def random(self, count: int) -> bytes:
        """See `Entropy`. Without a source the image stops."""
        buffer = bytearray(count)
        lib.uz_random(ffi.from_buffer(buffer), count)
        return bytes(buffer)


class GuestConsole:
    """The console of the virtual machine."""

    def write(self, data: Octets) -> None:
        """See `Console`."""
        lib.uz_console_write(ffi.from_buffer(data), len(data))


class GuestNetwork:
    """Network device `number` of the machine. DeviceError when there is none."""

    def __init__(self, number: int = 0) -> None:
        info: Any = ffi.new("struct uz_network_info *")
        if lib.uz_network_info(number, info) != lib.UZ_OK:
            raise DeviceError(f"this machine has no network device {number}: give it one (virtio-net)")
        self._number = number
        self._mac = bytes(info.mac)
        self._mtu = int(info.mtu)
        memory, lengths = bytearray(BATCH * _SLOT), array("Q", bytes(8 * BATCH))
        self._memory, self._buffer = memoryview(memory), ffi.from_buffer(memory)
        self._lengths, self._lengths_buffer = memoryview(lengths), ffi.from_buffer(_WORDS, lengths)
        self._starts = memoryview(array("Q", range(0, BATCH * _SLOT, _SLOT)))

    @property
    def mac(self) -> bytes:
        """See `NetworkDevice`."""
        return self._mac

    @property
    def mtu(self) -> int:
        """See `NetworkDevice`."""
        return self._mtu

    def receive(self, limit: int = BATCH) -> Sequence[memoryview]:
        """See `NetworkDevice`. At most BATCH frames at a time, whatever the limit."""
        limit = min(limit, BATCH)
        count = lib.uz_network_receive(self._number, self._buffer, _SLOT, self._lengths_buffer, limit)
        return Frames(self._memory, self._starts[:count], self._lengths[:count]) if count else ()

    def transmit(self, frames: Sequence[Octets]) -> int:
        """See `NetworkDevice`. A frame that no device could send is dropped."""
        if not isinstance(frames, Frames):
            frames = joined(frames)
        memory, count = ffi.from_buffer(frames.memory), len(frames)
        starts, lengths = ffi.from_buffer(_WORDS, frames.starts), ffi.from_buffer(_WORDS, frames.lengths)
        return lib.uz_network_send(self._number, memory, starts, lengths, count)

    def fileno(self) -> int | None:
        """None: there are no file descriptors here."""
        return None

    def close(self) -> None:
        """See `NetworkDevice`. The device belongs to the image for as long as that runs."""


class GuestBlock:
    """Block device `number` of the machine. DeviceError when there is none."""

    def __init__(self, number: int = 0) -> None:
        info: Any = ffi.new("struct uz_block_info *")
        if lib.uz_block_info(number, info) != lib.UZ_OK:
            raise DeviceError(f"this machine has no block device {number}: it has {lib.uz_block_count()}")
        self._number = number
        self.sectors = int(info.sectors)
        self.sector_size = int(info.sector_size)

    def read(self, sector: int, count: int) -> bytes:
        """See `BlockDevice`."""
        self._check_range(sector, count)
        buffer = bytearray(count * self.sector_size)
        self._check("read", lib.uz_block_read(self._number, sector, ffi.from_buffer(buffer), len(buffer)))
        return bytes(buffer)

    def write(self, sector: int, data: Octets) -> None:
        """See `BlockDevice`."""
        self._check_range(sector, len(data) // self.sector_size)
        if len(data) % self.sector_size:
            raise ValueError(f"{len(data)} octets are not whole sectors of {self.sector_size}")
        self._check("written", lib.uz_block_write(self._number, sector, ffi.from_buffer(data), len(data)))

    def flush(self) -> None:
        """See `BlockDevice`."""
        self._check("flushed", lib.uz_block_flush(self._number))

    def close(self) -> None:
        """Nothing to give back."""

    def _check_range(self, sector: int, count: int) -> None:
        if sector < 0 or count < 0 or sector + count > self.sectors:
            raise ValueError(f"sectors {sector} to {sector + count} are not on a device of {self.sectors}")

    def _check(self, what: str, result: int) -> None:
        if result != lib.UZ_OK:
            raise DeviceError(f"block device {self._number} can't be {what}")


def disk_count() -> int:
    """How many block devices the machine has."""
    return int(lib.uz_block_count())


def memory_use() -> MemoryUse:
    """Of the machine's memory; what Python has freed, and keeps for itself, is in use."""
    total = int(lib.uz_memory())
    return MemoryUse(total - int(lib.uz_memory_free()), total)


class GuestPoller:
    """Waits for all devices of the machine."""

    def __init__(self) -> None:
        self._is_woken = False

    def poll(self, deadline: float | None) -> bool:
        """See `Poller`."""
        when = _NEVER if deadline is None else int(max(0.0, deadline) * _NANOSECONDS)  # -inf: at once
        if self._is_woken:
            self._is_woken = False
            when = 0
        return bool(lib.uz_poll(when))

    def gather(self) -> None:
        """See `Poller`. The processor would be woken by the first frame: there is no pause."""

    def wake(self) -> None:
        """See `Poller`. There are no threads and no signals: this is called before a wait, never during one."""
        self._is_woken = True


@dataclass(frozen=True, slots=True)
class GuestMachine:
    """What the own stack and its loop need; see `dns_platform.machine`."""

    clock: GuestClock
    entropy: GuestEntropy
    poller: GuestPoller
    device: GuestNetwork
    memory: int

    @classmethod
    def open(cls) -> "GuestMachine":
        """The machine with its first network device. DeviceError when it has none."""
        return cls(GuestClock(), GuestEntropy(), GuestPoller(), GuestNetwork(), int(lib.uz_memory()))

    def close(self) -> None:
        """Nothing to give back: the machine ends with the image."""
