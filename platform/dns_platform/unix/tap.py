"""A tap device: an interface of the kernel whose other end is this process."""

import errno
import fcntl
import os
import struct
from collections.abc import Sequence

from dns_platform.protocols import BATCH, DeviceError, Octets
from dns_platform.unix.link import interface_mtu

# linux/if_tun.h
_TUNSETIFF = 0x400454CA
_IFF_TAP = 0x0002
_IFF_NO_PI = 0x1000

MAC = bytes.fromhex("02756e697a00")
"""Locally administered address of our end; the kernel's end has its own."""


class TapDevice:
    """Our end of the tap interface `name`, which is made when there is none (that takes CAP_NET_ADMIN)."""

    def __init__(self, name: str, mac: bytes = MAC) -> None:
        self.mac = mac
        self.name = name
        try:
            self._descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise DeviceError(f"/dev/net/tun: {error.strerror}; a tap device needs the tun module") from error
        try:
            fcntl.ioctl(self._descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
            self.mtu = interface_mtu(name)
        except OSError as error:
            os.close(self._descriptor)
            raise DeviceError(f"tap {name}: {error.strerror}; try as root, or with CAP_NET_ADMIN") from error
        self._size = self.mtu + 14
        self._is_open = True

    def receive(self, limit: int = BATCH) -> Sequence[bytes]:
        """See `NetworkDevice.receive`."""
        frames: list[bytes] = []
        try:
            while len(frames) < limit:
                frames.append(os.read(self._descriptor, self._size))
        except BlockingIOError:
            return frames
        except OSError as error:
            raise DeviceError(f"tap {self.name}: {error.strerror}") from error
        return frames

    def transmit(self, frames: Sequence[Octets]) -> int:
        """See `NetworkDevice.transmit`."""
        for count, frame in enumerate(frames):
            try:
                os.write(self._descriptor, frame)
            except BlockingIOError:
                return count
            except OSError as error:
                if error.errno not in (errno.EIO, errno.EINVAL):  # the interface is down; the frame is too short
                    raise DeviceError(f"tap {self.name}: {error.strerror}") from error
        return len(frames)

    def fileno(self) -> int | None:
        """See `NetworkDevice.fileno`."""
        return self._descriptor

    def close(self) -> None:
        """See `NetworkDevice.close`."""
        if self._is_open:
            self._is_open = False
            os.close(self._descriptor)
