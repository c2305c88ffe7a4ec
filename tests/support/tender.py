"""A tender of the solo5 hvt ABI on an emulated CPU (unicorn): strict about images as the real one, and quick to start.

Emulation lacks exceptions and the CPU's random generator is the emulator's; what it proves is the ABI: notes, manifest,
boot information, hypercalls.
"""

import select
import socket
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support import hvt

unicorn = pytest.importorskip("unicorn", reason="unicorn, the emulator of the hvt tests, is not installed")
from unicorn import x86_const  # noqa: E402


@dataclass
class Tender:
    """One run of an image."""

    path: Path
    parameters: str = ""
    memory: int = 64 << 20
    frames: socket.socket | None = None
    """A datagram socket whose peer is the other end of the wire."""
    disk: bytearray | None = None
    """What the disk `storage` holds."""
    console: bytearray = field(default_factory=bytearray)
    status: int | None = None
    """Exit code, once the image has halted."""
    _stopped: bool = False

    def run(self, timeout_s: float = 120.0) -> int:
        """Run the image to its end; its exit code."""
        data = self.path.read_bytes()
        self._uc: Any = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
        self._uc.mem_map(0, self.memory)
        frequency = self._frequency()
        has_network = self.frames is not None
        disk = None if self.disk is None else len(self.disk)
        begin = hvt.start(data, self.parameters, self.memory, frequency, has_network=has_network, disk=disk)
        for address, contents in begin.writes:
            self._uc.mem_write(address, contents)
        self._enter()
        self._uc.hook_add(unicorn.UC_HOOK_INSN, self._out, None, 1, 0, x86_const.UC_X86_INS_OUT)
        self._uc.emu_start(begin.entry, 0, timeout=int(timeout_s * 1e6))
        if self._stopped:
            return -1
        if self.status is None:
            raise TimeoutError(
                f"the image is at {self._uc.reg_read(x86_const.UC_X86_REG_RIP):#x} and has said:\n{self.console!r}"
            )
        return self.status

    def stop(self) -> None:
        """End a run that is under way in another thread, at the image's next call."""
        self._stopped = True

    def _frequency(self) -> int:
        """Counts of the emulated cycle counter in a second."""
        self._uc.mem_write(hvt.GUEST_BASE - 16, b"\x0f\x31\x90")  # rdtsc; nop

        def count() -> tuple[int, float]:
            self._uc.emu_start(hvt.GUEST_BASE - 16, hvt.GUEST_BASE - 14)
            low, high = (self._uc.reg_read(getattr(x86_const, f"UC_X86_REG_R{name}X")) for name in "AD")
            return high << 32 | low, time.monotonic()

        first, began = count()
        time.sleep(0.05)
        second, ended = count()
        return int((second - first) / (ended - began))

    def _enter(self) -> None:
        for register, value in (
            ("CR3", hvt.TABLES),
            ("CR4", hvt.CR4),
            ("CR0", hvt.CR0),
            ("RSP", self.memory - 8),
            ("RDI", hvt.BOOT_INFORMATION),
        ):
            self._uc.reg_write(getattr(x86_const, f"UC_X86_REG_{register}"), value)

    def _out(self, uc: Any, port: int, size: int, value: int, _user: object) -> None:  # noqa: ANN401
        assert size == 4
        if self._stopped:
            uc.emu_stop()
            return
        call = {
            hvt.WALLTIME: self._walltime,
            hvt.PUTS: self._puts,
            hvt.POLL: self._poll,
            hvt.BLOCK_WRITE: self._block_write,
            hvt.BLOCK_READ: self._block_read,
            hvt.NET_WRITE: self._net_write,
            hvt.NET_READ: self._net_read,
            hvt.HALT: self._halt,
        }[port - hvt.PORTS]
        call(value)

    def _read(self, at: int, layout: str) -> tuple[Any, ...]:
        return struct.unpack(layout, self._uc.mem_read(at, struct.calcsize(layout)))

    def _walltime(self, at: int) -> None:
        self._uc.mem_write(at, struct.pack("<Q", time.time_ns()))

    def _puts(self, at: int) -> None:
        address, size = self._read(at, "<QQ")
        self.console += self._uc.mem_read(address, size)

    def _poll(self, at: int) -> None:
        (timeout,) = self._read(at, "<Q")
        ready = 0
        if self.frames is None:
            time.sleep(timeout / 1e9)
        else:
            readable, _, _ = select.select([self.frames], [], [], min(timeout / 1e9, 0.2))  # so that `stop` is seen
            ready = 1 << 1 if readable else 0
        self._uc.mem_write(at + 8, struct.pack("<Qi", ready, hvt.OK))

    def _block(self, at: int) -> tuple[int, int, bytearray | None]:
        """Address, offset and the disk of a call; None where the real tender would refuse it."""
        device, offset, address, size = self._read(at, "<QQQQ")
        disk = self.disk
        if device != 2 or disk is None or size != hvt.BLOCK_SIZE or offset % size or offset + size > len(disk):
            disk = None
        self._uc.mem_write(at + 32, struct.pack("<i", hvt.INVALID if disk is None else hvt.OK))
        return address, offset, disk

    def _block_write(self, at: int) -> None:
        address, offset, disk = self._block(at)
        if disk is not None:
            disk[offset : offset + hvt.BLOCK_SIZE] = self._uc.mem_read(address, hvt.BLOCK_SIZE)

    def _block_read(self, at: int) -> None:
        address, offset, disk = self._block(at)
        if disk is not None:
            self._uc.mem_write(address, bytes(disk[offset : offset + hvt.BLOCK_SIZE]))

    def _net_write(self, at: int) -> None:
        device, address, size = self._read(at, "<QQQ")
        assert device == 1
        assert self.frames is not None
        self.frames.settimeout(None)
        self.frames.send(bytes(self._uc.mem_read(address, size)))
        self._uc.mem_write(at + 24, struct.pack("<i", hvt.OK))

    def _net_read(self, at: int) -> None:
        device, address, size = self._read(at, "<QQQ")
        assert device == 1
        assert self.frames is not None
        try:
            frame = self.frames.recv(65536, socket.MSG_DONTWAIT)[:size]
        except BlockingIOError:
            self._uc.mem_write(at + 24, struct.pack("<i", hvt.AGAIN))
            return
        self._uc.mem_write(address, frame)
        self._uc.mem_write(at + 16, struct.pack("<Qi", len(frame), hvt.OK))

    def _halt(self, at: int) -> None:
        _, self.status = self._read(at, "<Qi")
        self._uc.emu_stop()
