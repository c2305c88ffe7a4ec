"""AF_PACKET: frames of an interface of the kernel, a batch a system call.

The kernel goes on seeing the frames too, so the interface should have no address of the kernel's own.

Read first: packet(7), recvmmsg(2).
"""

import ctypes
import mmap
import socket
import struct
from collections.abc import Sequence

from dns_platform.protocols import BATCH, DeviceError, Octets
from dns_platform.unix import libc
from dns_platform.unix.link import interface_index, interface_mac, interface_mtu

# linux/if_packet.h, linux/if_ether.h
_SOL_PACKET = 263
_PACKET_ADD_MEMBERSHIP = 1
_PACKET_MR_ALLMULTI = 2
_PACKET_VNET_HDR = 15
_PACKET_IGNORE_OUTGOING = 23
_ETH_P_ALL = 3

# linux/virtio_net.h: struct virtio_net_hdr, which the kernel puts before each frame and wants there
_VNET = struct.Struct("=BBHHHH")
_NEEDS_CHECKSUM = 1

_RECEIVE_SLOT = 65536 + 128
"""The kernel joins segments of TCP (GRO), so a frame may be longer than the MTU."""
_ETHERNET = 14


class _MessageHeader(ctypes.Structure):
    """struct mmsghdr: a msghdr, padded to whole words, and how many octets were moved."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("iov", ctypes.c_void_p),
        ("iov_length", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int32),
        ("padding", ctypes.c_int32),
        ("count", ctypes.c_uint32),
        ("more_padding", ctypes.c_uint32),
    )


class _Vector:
    """Memory and headers for `BATCH` messages of up to `slot` octets each."""

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.memory = mmap.mmap(-1, slot * BATCH)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.view = memoryview(self.memory)
        self._iov = (ctypes.c_uint64 * (2 * BATCH))()
        self.headers = (_MessageHeader * BATCH)()
        for index in range(BATCH):
            self._iov[2 * index] = start + index * slot
            self._iov[2 * index + 1] = slot
            self.headers[index].iov = ctypes.addressof(self._iov) + 16 * index
            self.headers[index].iov_length = 1

    def put(self, index: int, prefix: int, frame: Octets) -> None:
        """Message `index` becomes `prefix` zeros and `frame`."""
        start = index * self.slot
        self.view[start + prefix : start + prefix + len(frame)] = frame
        self._iov[2 * index + 1] = prefix + len(frame)

    def get(self, index: int) -> memoryview:
        """What was received as message `index`."""
        start = index * self.slot
        return self.view[start : start + self.headers[index].count]


class PacketDevice:
    """Interface `name` by AF_PACKET, which takes CAP_NET_RAW. The stack uses the interface's own MAC."""

    def __init__(self, name: str) -> None:
        index = interface_index(name)
        self.name = name
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
            # Groups of neighbour discovery come to MACs that the interface does not listen to by itself.
            membership = struct.pack("iHH8x", index, _PACKET_MR_ALLMULTI, 0)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, membership)
            self._socket.bind((name, _ETH_P_ALL))
            self.mac = interface_mac(name)
            self.mtu = interface_mtu(name)
        except OSError as error:
            raise DeviceError(f"AF_PACKET on {name}: {error.strerror}; try as root, or with CAP_NET_RAW") from error
        self._in = _Vector(_RECEIVE_SLOT)
        self._out = _Vector(_VNET.size + _ETHERNET + self.mtu)

    def receive(self, limit: int = BATCH) -> Sequence[memoryview]:
        """See `NetworkDevice.receive`."""
        count = self._call("recvmmsg", self._in, min(limit, BATCH), None)
        frames = []
        for index in range(count):
            message = self._in.get(index)
            frame = message[_VNET.size :]
            flags, _, _, _, start, offset = _VNET.unpack_from(message)
            if flags & _NEEDS_CHECKSUM:
                _complete_checksum(frame, start, offset)
            frames.append(frame)
        return frames

    def transmit(self, frames: Sequence[Octets]) -> int:
        """See `NetworkDevice.transmit`."""
        sent = 0
        while sent < len(frames):
            batch = frames[sent : sent + BATCH]
            for index, frame in enumerate(batch):
                self._out.put(index, _VNET.size, frame)
            count = self._call("sendmmsg", self._out, len(batch))
            sent += count
            if count < len(batch):
                break
        return sent

    def fileno(self) -> int | None:
        """See `NetworkDevice.fileno`."""
        return self._socket.fileno()

    def close(self) -> None:
        """See `NetworkDevice.close`."""
        self._socket.close()

    def _call(self, name: str, vector: _Vector, count: int, *rest: None) -> int:
        try:
            return libc.call(name, self._socket.fileno(), vector.headers, count, socket.MSG_DONTWAIT, *rest)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            raise DeviceError(f"AF_PACKET on {self.name}: {error.strerror}") from error


def _complete_checksum(frame: memoryview, start: int, offset: int) -> None:
    """Finish the checksum of a frame whose sender left that to hardware: from `start`, to be put at `offset` there.

    The field holds the sum of the pseudo-header already. 65536 is 1 modulo 65535, so one division sums all words.
    """
    covered = frame[start:]
    total = int.from_bytes(covered) << (8 if len(covered) & 1 else 0)
    covered[offset : offset + 2] = ((65535 - total % 65535) or 0xFFFF).to_bytes(2)
