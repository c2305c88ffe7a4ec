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
from typing import Any, Final

import pytest

unicorn = pytest.importorskip("unicorn", reason="unicorn, the emulator of the hvt tests, is not installed")
from unicorn import x86_const  # noqa: E402

MAC: Final = bytes.fromhex("020000000001")
MTU: Final = 1500

_BOOT_INFO, _TABLES, _GUEST_BASE, _LARGE = 0x10000, 0x2000, 0x100000, 0x200000
_PORTS: Final = 0x500
_WALLTIME, _PUTS, _POLL, _NET_WRITE, _NET_READ, _HALT = 1, 2, 3, 6, 7, 8
_OK, _AGAIN = 0, 1
_ABI, _MANIFEST = 0x31494241, 0x3154464D
_NETWORK, _RESERVED = 2, 1 << 30
_ENTRY: Final = struct.Struct("<68sI16sQ8s")
_LOAD, _NOTE = 1, 4
_WRITE, _EXECUTE = 2, 1


class BadImage(Exception):
    """The image is none that a tender would start."""


@dataclass(frozen=True)
class _Segment:
    kind: int
    flags: int
    offset: int
    address: int
    file_size: int
    size: int


def _segments(data: bytes) -> tuple[int, list[_Segment]]:
    """Entry and program headers of an ELF executable."""
    if data[:4] != b"\x7fELF" or struct.unpack_from("<HH", data, 16) != (2, 62):
        raise BadImage("no x86-64 executable")
    entry, table = struct.unpack_from("<QQ", data, 24)
    size, count = struct.unpack_from("<HH", data, 54)
    found = []
    for i in range(count):
        kind, flags, offset, address, _, file_size, memory_size, _ = struct.unpack_from(
            "<IIQQQQQQ", data, table + i * size
        )
        found.append(_Segment(kind, flags, offset, address, file_size, memory_size))
    return entry, found


def note(data: bytes, kind: int, alignment: int) -> bytes:
    """Content of the Solo5 note of that type, which has to be the first of its header."""
    for segment in _segments(data)[1]:
        if segment.kind != _NOTE:
            continue
        name_size, size, found = struct.unpack_from("<III", data, segment.offset)
        if found == kind and data[segment.offset + 12 : segment.offset + 18] == b"Solo5\0" and name_size == 6:
            start = segment.offset + 20
            padding = -20 % alignment  # the structure in the note is aligned to its own start
            return data[start + padding : start + size]
    raise BadImage(f"no note of type {kind:#x}")


@dataclass
class Tender:
    """One run of an image."""

    path: Path
    parameters: str = ""
    memory: int = 64 << 20
    frames: socket.socket | None = None
    """A datagram socket whose peer is the other end of the wire."""
    console: bytearray = field(default_factory=bytearray)
    status: int | None = None
    """Exit code, once the image has halted."""
    _stopped: bool = False

    def run(self, timeout_s: float = 120.0) -> int:
        """Run the image to its end; its exit code."""
        data = self.path.read_bytes()
        self._uc: Any = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
        self._uc.mem_map(0, self.memory)
        entry, end = self._load(data)
        self._boot_information(data, end)
        self._enter()
        self._uc.hook_add(unicorn.UC_HOOK_INSN, self._out, None, 1, 0, x86_const.UC_X86_INS_OUT)
        self._uc.emu_start(entry, 0, timeout=int(timeout_s * 1e6))
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

    def _load(self, data: bytes) -> tuple[int, int]:
        if note(data, _ABI, 4) != struct.pack("<IIII", 1, 2, 0, 0):
            raise BadImage("not for hvt, version 2")
        entry, segments = _segments(data)
        end = _GUEST_BASE
        for segment in segments:
            if segment.kind != _LOAD or not segment.file_size:
                continue
            if segment.address & -4096 < end or segment.address + segment.size > self.memory:
                raise BadImage(f"segment at {segment.address:#x} overlaps another one or the end of memory")
            if segment.flags & _WRITE and segment.flags & _EXECUTE:
                raise BadImage(f"segment at {segment.address:#x} is writable and executable")
            self._uc.mem_write(segment.address, data[segment.offset : segment.offset + segment.file_size])
            end = (segment.address + segment.size + 4095) & -4096
        return entry, end

    def _boot_information(self, data: bytes, end: int) -> None:
        manifest = bytearray(note(data, _MANIFEST, 8))
        version, count = struct.unpack_from("<II", manifest)
        entries = [_ENTRY.unpack_from(manifest, 8 + i * _ENTRY.size) for i in range(count)]
        if version != 1 or entries[0][1] != _RESERVED or entries[1][:2] != (b"service".ljust(68, b"\0"), _NETWORK):
            raise BadImage(f"manifest {entries}")
        if self.frames is not None:
            device = struct.pack("<6sH8x", MAC, MTU)
            _ENTRY.pack_into(manifest, 8 + _ENTRY.size, entries[1][0], _NETWORK, device, 0, b"\1")
        manifest_at = _BOOT_INFO + 64
        line_at = manifest_at + len(manifest)
        self._uc.mem_write(manifest_at, bytes(manifest))
        self._uc.mem_write(line_at, self.parameters.encode() + b"\0")
        information = struct.pack("<QQQQQIIQ", self.memory, end, self._frequency(), line_at, manifest_at, 0, 0, 0)
        self._uc.mem_write(_BOOT_INFO, information)

    def _frequency(self) -> int:
        """Counts of the emulated cycle counter in a second."""
        self._uc.mem_write(_GUEST_BASE - 16, b"\x0f\x31\x90")  # rdtsc; nop

        def count() -> tuple[int, float]:
            self._uc.emu_start(_GUEST_BASE - 16, _GUEST_BASE - 14)
            low, high = (self._uc.reg_read(getattr(x86_const, f"UC_X86_REG_R{name}X")) for name in "AD")
            return high << 32 | low, time.monotonic()

        first, began = count()
        time.sleep(0.05)
        second, ended = count()
        return int((second - first) / (ended - began))

    def _enter(self) -> None:
        """64-bit mode with all of memory mapped to itself in large pages, as the real tender leaves it."""
        pointers, directory = _TABLES + 0x1000, _TABLES + 0x2000
        self._uc.mem_write(_TABLES, struct.pack("<Q", pointers | 3))
        self._uc.mem_write(pointers, struct.pack("<Q", directory | 3))
        pages = [address | 0x83 for address in range(0, self.memory, _LARGE)]
        self._uc.mem_write(directory, struct.pack(f"<{len(pages)}Q", *pages))
        for register, value in (
            ("CR3", _TABLES),
            ("CR4", 0x620),
            ("CR0", 0x80010021),
            ("RSP", self.memory - 8),
            ("RDI", _BOOT_INFO),
        ):
            self._uc.reg_write(getattr(x86_const, f"UC_X86_REG_{register}"), value)

    def _out(self, uc: Any, port: int, size: int, value: int, _user: object) -> None:  # noqa: ANN401
        assert size == 4
        if self._stopped:
            uc.emu_stop()
            return
        call = {
            _WALLTIME: self._walltime,
            _PUTS: self._puts,
            _POLL: self._poll,
            _NET_WRITE: self._net_write,
            _NET_READ: self._net_read,
            _HALT: self._halt,
        }[port - _PORTS]
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
        self._uc.mem_write(at + 8, struct.pack("<Qi", ready, _OK))

    def _net_write(self, at: int) -> None:
        device, address, size = self._read(at, "<QQQ")
        assert device == 1
        assert self.frames is not None
        self.frames.settimeout(None)
        self.frames.send(bytes(self._uc.mem_read(address, size)))
        self._uc.mem_write(at + 24, struct.pack("<i", _OK))

    def _net_read(self, at: int) -> None:
        device, address, size = self._read(at, "<QQQ")
        assert device == 1
        assert self.frames is not None
        try:
            frame = self.frames.recv(65536, socket.MSG_DONTWAIT)[:size]
        except BlockingIOError:
            self._uc.mem_write(at + 24, struct.pack("<i", _AGAIN))
            return
        self._uc.mem_write(address, frame)
        self._uc.mem_write(at + 16, struct.pack("<Qi", len(frame), _OK))

    def _halt(self, at: int) -> None:
        _, self.status = self._read(at, "<Qi")
        self._uc.emu_stop()
