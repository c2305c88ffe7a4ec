"""The machine that the service runs on: here a unix kernel, whose sockets or one of whose interfaces it uses.

Images that boot have a module of this name that opens their virtual machine (platform/facades/guest/dns_platform).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dns_platform.protocols import Clock, DeviceError, Entropy, Mark, MemoryUse, NetworkDevice
from dns_platform.unix.block import FileBlockDevice
from dns_platform.unix.host import UnixClock, UnixEntropy
from dns_platform.unix.poller import UnixPoller

HAS_SOCKETS: Final = True
"""Whether there is a network stack below, whose sockets can be used."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the own stack and its loop need."""

    clock: Clock
    entropy: Entropy
    poller: UnixPoller
    device: NetworkDevice
    memory: int | None = None
    """Octets of RAM that are for this program; None where a kernel shares it out."""

    def close(self) -> None:
        """Give everything back."""
        self.poller.close()
        self.device.close()


def open_machine(link: str, interface: str, mark: Mark | None = None) -> Machine:
    """The machine with `interface` reached by `link`: `tap`, `packet` or `xdp`, of which the latter two heed `mark`.

    DeviceError.
    """
    device = _open(link, interface, mark)
    return Machine(UnixClock(), UnixEntropy(), UnixPoller(device), device)


def memory_use() -> MemoryUse | None:
    """Memory of this process; None where the kernel does not tell."""
    try:
        fields = Path("/proc/self/status").read_text(encoding="ascii").split("VmRSS:")
    except OSError:
        return None
    return MemoryUse(int(fields[1].split()[0]) * 1024, None) if len(fields) > 1 else None


def open_disk(name: str) -> FileBlockDevice:
    """The file or block device at that path. DeviceError."""
    return FileBlockDevice(Path(name))


def disks() -> Sequence[FileBlockDevice]:
    """Disks that belong to the program without being named: none."""
    return ()


def _open(link: str, interface: str, mark: Mark | None) -> NetworkDevice:
    if link == "tap":
        from dns_platform.unix.tap import TapDevice

        return TapDevice(interface)
    try:
        from dns_platform.unix.packet import PacketDevice
        from dns_platform.unix.xdp import XdpDevice
    except ModuleNotFoundError as error:  # an image: the system calls of these two go through ctypes
        raise DeviceError(f"{link}: this program has no {error.name}; use a tap interface (--link=tap)") from error
    return PacketDevice(interface, mark) if link == "packet" else XdpDevice(interface, mark)
