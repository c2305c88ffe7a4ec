"""AF_XDP: frames of an interface by shared memory, before the kernel's own stack sees them.

All frames of the interface come here, none goes to the kernel. What sees to that goes away with the process.

Read first: Documentation/networking/af_xdp.rst of Linux.
"""

import contextlib
import ctypes
import errno
import mmap
import os
import socket
import struct
import time
from array import array
from collections.abc import Sequence
from pathlib import Path

from dns_platform.frames import Frames, Words, copied
from dns_platform.protocols import BATCH, DeviceError, Mark, Octets
from dns_platform.unix import bpf, libc
from dns_platform.unix.link import interface_index, interface_mac, interface_mtu
from dns_platform.unix.readable import Readable
from dns_platform.unix.rings import (
    SOL_XDP,
    Ring,
    completion_ring,
    fill_ring,
    receive_ring,
    transmit_ring,
)

_AF_XDP = 44
_UMEM_REGISTER = 4
_SHARED_UMEM = 1
_USE_NEED_WAKEUP = 8
_MAX_BATCH = 9  # XDP_MAX_TX_SKB_BATCH

_RING = 1024
_FRAMES = 2 * _RING  # half of them to receive, half to send
_ETHERNET = 14
_HEADROOM = 256  # XDP_PACKET_HEADROOM
_PATIENCE_S = 30.0  # seconds; on a busy machine the moment may be a long one
_NONE = array("Q")
_BUSY = (errno.EAGAIN, errno.EBUSY, errno.ENOBUFS, errno.ENETDOWN)


class XdpDevice:
    """Interface `name`, which has one receive queue, by AF_XDP; takes CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF."""

    def __init__(self, name: str, mark: Mark | None = None) -> None:
        """With `mark` there are two queues, where Linux is 5.18 or later; see `Mark`."""
        index = interface_index(name)
        self.name = name
        self._mark = mark
        self._descriptors: list[int] = []
        self._rings: list[Ring] = []
        self._socket: socket.socket | None = None
        self._second: socket.socket | None = None
        self._readable: Readable | None = None
        try:
            self.mac = interface_mac(name)
            self.mtu = interface_mtu(name)
            self._check_queues()
            self._slot = 2048 if _HEADROOM + _ETHERNET + self.mtu <= 2048 else 4096
            if _HEADROOM + _ETHERNET + self.mtu > self._slot:
                raise DeviceError(f"AF_XDP on {name}: an MTU of {self.mtu} is too big; at most 3826")
            self._open(index)
        except OSError as error:
            self.close()
            reason = f"{error.strerror or error}; it takes Linux 5.9 or later, and root"
            raise DeviceError(f"AF_XDP on {name}: {reason}") from error
        except DeviceError:
            self.close()
            raise

    def _check_queues(self) -> None:
        queues = [path.name for path in Path(f"/sys/class/net/{self.name}/queues").glob("rx-*")]
        if len(queues) > 1:
            raise DeviceError(
                f"AF_XDP on {self.name}: it has {len(queues)} receive queues and one is used; "
                f"`ethtool --set-channels {self.name} combined 1` leaves one"
            )

    def _open(self, index: int) -> None:
        self._socket = xdp = socket.socket(_AF_XDP, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        memory = mmap.mmap(-1, _FRAMES * self._slot)
        self._frames = memoryview(memory)
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        registration = struct.pack("QQIIII", start, len(memory), self._slot, 0, 0, 0)
        xdp.setsockopt(SOL_XDP, _UMEM_REGISTER, registration)
        self._fill = self._mapped(fill_ring(xdp, _RING))
        self._completion = self._mapped(completion_ring(xdp, _RING))
        self._in = [self._mapped(receive_ring(xdp, _RING))]
        self._out = self._mapped(transmit_ring(xdp, _RING))
        self._taken: Words = array("Q", range(0, _RING * self._slot, self._slot))
        self._spare = array("Q", range(_RING * self._slot, _FRAMES * self._slot, self._slot))
        self._words = memoryview(array("Q", bytes(8 * 2 * _RING)))
        self._give_back()
        with contextlib.suppress(OSError):  # before Linux 6.18 one call to send takes 32 frames
            xdp.setsockopt(SOL_XDP, _MAX_BATCH, _RING)
        address = struct.pack("HHIII", _AF_XDP, _USE_NEED_WAKEUP, index, 0, 0)
        self._bind(xdp, address)
        socket_map = self._keep(bpf.make_socket_map(2))
        bpf.put_socket(socket_map, 0, xdp.fileno())
        program = self._sorting(socket_map)
        if program is None:
            program = self._keep(bpf.load_redirect(socket_map))
            self._readable = Readable([xdp])
        else:
            self._second = self._beside(xdp, index)
            bpf.put_socket(socket_map, 1, self._second.fileno())
            self._readable = Readable([xdp, self._second])
        try:
            self._keep(bpf.attach(program, index, bpf.XDP_DRIVER_MODE))
        except OSError:
            # Drivers without XDP of their own have the kernel's, which works on any interface and is slower.
            self._keep(bpf.attach(program, index, bpf.XDP_SKB_MODE))

    def receive(self, limit: int = BATCH) -> Frames:
        """See `NetworkDevice.receive`."""
        self._give_back()
        words = self._in[0].take(limit)
        if len(self._in) > 1:
            if not words:
                words = self._in[1].take(limit)
            self._in.reverse()  # each queue has every other turn, if it needs it
        self._taken = starts = words[::2]
        return Frames(self._frames, starts, words[1::2])

    def transmit(self, frames: Sequence[Octets]) -> int:
        """See `NetworkDevice.transmit`."""
        self._spare.frombytes(self._completion.take(_RING).cast("B"))
        ring = self._out
        count = min(len(frames), len(self._spare), ring.free)
        first = len(self._spare) - count
        places = self._spare[first:]
        del self._spare[first:]
        words = self._words[: 2 * count]
        words[::2] = places
        words[1::2] = copied(frames, self._frames, places)
        ring.put(words)
        # Where the driver has no AF_XDP of its own, one call sends no more than a batch of the kernel's.
        left = ring.size
        while ring.needs_wakeup and 0 < (filled := ring.filled) < left:
            left = filled
            self._kick()
        return count

    def fileno(self) -> int | None:
        """See `NetworkDevice.fileno`."""
        return None if self._readable is None else self._readable.fileno()

    def close(self) -> None:
        """See `NetworkDevice.close`."""
        while self._descriptors:
            os.close(self._descriptors.pop())
        while self._rings:
            self._rings.pop().close()
        if self._readable is not None:
            self._readable.close()
            self._readable = None
        for opened in (self._second, self._socket):
            if opened is not None:
                opened.close()
        self._socket = self._second = None

    def _sorting(self, socket_map: int) -> int | None:
        """The program that sorts frames by the mark; None where there is no mark or no such program."""
        if self._mark is None:
            return None
        try:
            return self._keep(bpf.load_sorting(socket_map, self._mark))
        except OSError:
            return None

    def _beside(self, xdp: socket.socket, index: int) -> socket.socket:
        """Another socket on the same queue and in the same memory, which can't fill more than half of that. OSError."""
        second = socket.socket(_AF_XDP, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        try:
            self._in.append(self._mapped(receive_ring(second, _RING // 2)))
            address = struct.pack("HHIII", _AF_XDP, _SHARED_UMEM, index, 0, xdp.fileno())
            libc.call("bind", second.fileno(), address, len(address))
        except OSError:
            second.close()
            raise
        return second

    def _bind(self, xdp: socket.socket, address: bytes) -> None:
        """Bind to the queue; the kernel frees one a moment after the socket that had it is gone."""
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                libc.call("bind", xdp.fileno(), address, len(address))
            except OSError as error:
                if error.errno != errno.EBUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return

    def _mapped(self, ring: Ring) -> Ring:
        self._rings.append(ring)
        return ring

    def _give_back(self) -> None:
        """The frames that the last `receive` gave out are the kernel's again, which finds the begin of their slots."""
        self._fill.put(self._taken)
        self._taken = _NONE

    def _kick(self) -> None:
        """Tell the kernel to send. Busy and no room mean that it does so already."""
        assert self._socket is not None, "the device is open"
        try:
            self._socket.send(b"", socket.MSG_DONTWAIT)
        except OSError as error:
            if error.errno not in _BUSY:
                raise DeviceError(f"AF_XDP on {self.name}: {error.strerror}") from error

    def _keep(self, descriptor: int) -> int:
        self._descriptors.append(descriptor)
        return descriptor
