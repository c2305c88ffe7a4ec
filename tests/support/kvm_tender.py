"""A tender of the solo5 hvt ABI on KVM: python -m tests.support.kvm_tender IMAGE MEMORY_MB TAP [PARAMETER ...]

It runs inside the bed of `nested` under the image's own CPython, so it needs the standard library alone and no ctypes.
Its exit code is the image's.
"""

import fcntl
import mmap
import os
import re
import select
import struct
import sys
import time
from pathlib import Path

from tests.support import hvt

_CREATE_VM, _SET_MEMORY, _CREATE_VCPU, _RUN = 0xAE01, 0x4020AE46, 0xAE41, 0xAE80
_GET_SIZE, _GET_CPUID, _SET_CPUID, _GET_FREQUENCY = 0xAE04, 0xC008AE05, 0x4008AE90, 0xAEA3
_SET_REGISTERS, _GET_SPECIAL, _SET_SPECIAL = 0x4090AE82, 0x8138AE83, 0x4138AE84
_TUN_SET_INTERFACE, _TAP_WITHOUT_HEADER = 0x400454CA, 0x1002
_EXIT_IO = 2
_CPUID_ENTRIES, _CPUID_ENTRY = 128, 40
_CODE = struct.pack("<QIH10B", 0, 0xFFFFFFFF, 8, 11, 1, 0, 0, 1, 1, 1, 0, 0, 0)
_DATA = struct.pack("<QIH10B", 0, 0xFFFFFFFF, 16, 3, 1, 0, 1, 1, 0, 1, 0, 0, 0)


def _shared(name: str, size: int) -> tuple[mmap.mmap, int]:
    """Memory and the address that it has in this process."""
    file = os.memfd_create(name)
    os.ftruncate(file, size)
    memory = mmap.mmap(file, size)
    found = re.search(rf"^([0-9a-f]+)-.*/memfd:{name}", Path("/proc/self/maps").read_text(), re.MULTILINE)
    assert found is not None
    return memory, int(found[1], 16)


def _tap(name: str) -> int:
    file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(file, _TUN_SET_INTERFACE, struct.pack("<16sH22x", name.encode(), _TAP_WITHOUT_HEADER))
    return file


class Machine:
    """One virtual machine with one CPU."""

    def __init__(self, image: Path, parameters: str, memory: int, tap: int) -> None:
        self._kvm = os.open("/dev/kvm", os.O_RDWR)
        self._vm = fcntl.ioctl(self._kvm, _CREATE_VM, 0)
        self._memory, address = _shared("guest", memory)
        fcntl.ioctl(self._vm, _SET_MEMORY, struct.pack("<IIQQQ", 0, 0, 0, memory, address))
        self._cpu = fcntl.ioctl(self._vm, _CREATE_VCPU, 0)
        self._run = mmap.mmap(self._cpu, fcntl.ioctl(self._kvm, _GET_SIZE, 0))
        self._tap = tap
        frequency = 1000 * fcntl.ioctl(self._cpu, _GET_FREQUENCY, 0)
        start = hvt.start(image.read_bytes(), parameters, memory, frequency, has_network=True)
        for at, contents in start.writes:
            self._memory[at : at + len(contents)] = contents
        self._begin(start.entry, memory - 8)

    def _begin(self, entry: int, stack: int) -> None:
        features = bytearray(struct.pack("<II", _CPUID_ENTRIES, 0)) + bytes(_CPUID_ENTRIES * _CPUID_ENTRY)
        fcntl.ioctl(self._kvm, _GET_CPUID, features)
        fcntl.ioctl(self._cpu, _SET_CPUID, features)
        special = bytearray(312)
        fcntl.ioctl(self._cpu, _GET_SPECIAL, special)
        special[:144] = _CODE + _DATA * 5  # cs; ds, es, fs, gs, ss
        special[224:264] = struct.pack("<QQQQQ", hvt.CR0, 0, hvt.TABLES, hvt.CR4, 0)
        special[264:272] = struct.pack("<Q", hvt.EFER)
        fcntl.ioctl(self._cpu, _SET_SPECIAL, special)
        # rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, r8 to r15, rip, rflags
        registers = [0, 0, 0, 0, 0, hvt.BOOT_INFORMATION, stack, *[0] * 9, entry, 2]
        fcntl.ioctl(self._cpu, _SET_REGISTERS, struct.pack("<18Q", *registers))

    def run(self) -> int:
        """Run until the image halts; its exit code."""
        while True:
            fcntl.ioctl(self._cpu, _RUN, 0)
            (reason,) = struct.unpack_from("<I", self._run, 8)
            if reason != _EXIT_IO:
                raise SystemExit(f"the CPU stopped for reason {reason}")
            _, size, port, _, offset = struct.unpack_from("<BBHIQ", self._run, 32)
            assert size == 4
            (at,) = struct.unpack_from("<I", self._run, offset)
            status = self._call(port - hvt.PORTS, at)
            if status is not None:
                return status

    def _call(self, number: int, at: int) -> int | None:
        memory = self._memory
        match number:
            case hvt.WALLTIME:
                struct.pack_into("<Q", memory, at, time.time_ns())
            case hvt.PUTS:
                address, size = struct.unpack_from("<QQ", memory, at)
                os.write(1, memory[address : address + size])
            case hvt.POLL:
                (timeout,) = struct.unpack_from("<Q", memory, at)
                ready, _, _ = select.select([self._tap], [], [], timeout / 1e9)
                struct.pack_into("<Qi", memory, at + 8, 2 if ready else 0, hvt.OK)
            case hvt.NET_WRITE:
                _, address, size = struct.unpack_from("<QQQ", memory, at)
                os.write(self._tap, memory[address : address + size])
                struct.pack_into("<i", memory, at + 24, hvt.OK)
            case hvt.NET_READ:
                _, address, size = struct.unpack_from("<QQQ", memory, at)
                try:
                    frame = os.read(self._tap, size)
                except BlockingIOError:
                    struct.pack_into("<i", memory, at + 24, hvt.AGAIN)
                else:
                    memory[address : address + len(frame)] = frame
                    struct.pack_into("<Qi", memory, at + 16, len(frame), hvt.OK)
            case hvt.HALT:
                (status,) = struct.unpack_from("<i", memory, at + 8)
                return int(status)
            case _:
                raise SystemExit(f"the image made call {number}")
        return None


if __name__ == "__main__":
    image, size, name, *words = sys.argv[1:]
    sys.exit(Machine(Path(image), " ".join(words), int(size) << 20, _tap(name)).run())
