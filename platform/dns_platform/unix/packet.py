"""AF_PACKET: frames of an interface of the kernel, a batch a system call.

The kernel goes on seeing the frames too, so the interface should have no address of the kernel's own.

Read first: packet(7), recvmmsg(2).
"""

import ctypes
import functools
import mmap
import socket
import struct
import sys
from array import array
from collections.abc import Sequence

from dns_platform.frames import Frames, Words, copied
from dns_platform.protocols import BATCH, DeviceError, Mark, Octets
from dns_platform.unix import filters, libc
from dns_platform.unix.link import interface_index, interface_mac, interface_mtu
from dns_platform.unix.readable import Readable

# linux/if_packet.h, linux/if_ether.h
_SOL_PACKET = 263
_PACKET_ADD_MEMBERSHIP = 1
_PACKET_MR_ALLMULTI = 2
_PACKET_VNET_HDR = 15
_PACKET_IGNORE_OUTGOING = 23
_ETH_P_ALL = 3
_SO_ATTACH_FILTER = 26  # asm-generic/socket.h

# linux/virtio_net.h: struct virtio_net_hdr, which the kernel puts before each frame and wants there
_VNET = struct.Struct("=BBHHHH")
_NEEDS_CHECKSUM = 1
_FLAG = bytes(flags & _NEEDS_CHECKSUM for flags in range(256))
"""Of all flags this one, for `bytes.translate`."""

_RECEIVE_SLOT = 65536 + 128
"""The kernel joins segments of TCP (GRO), so a frame may be longer than the MTU."""
_ETHERNET = 14


# Words of a struct mmsghdr, 64-bit: where its iovec is, how many it has, and how many octets were moved
_HEADER_WORDS = 8
_IOV, _IOV_LENGTH, _COUNT = 2, 3, 7


class _Vector:
    """Memory and headers for `BATCH` messages of up to `slot` octets each."""

    def __init__(self, slot: int) -> None:
        memory = mmap.mmap(-1, slot * BATCH)
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        self._slot = slot
        self.memory = memoryview(memory)
        self.places = memoryview(array("Q", [index * slot + _VNET.size for index in range(BATCH)]))
        """Where each frame begins, behind its struct virtio_net_hdr."""
        self._iov = array("Q", [word for index in range(BATCH) for word in (start + index * slot, slot)])
        headers = array("Q", bytes(8 * _HEADER_WORDS * BATCH))
        for index in range(BATCH):
            headers[index * _HEADER_WORDS + _IOV] = self._iov.buffer_info()[0] + 16 * index
            headers[index * _HEADER_WORDS + _IOV_LENGTH] = 1
        self._counts = memoryview(headers)[_COUNT::_HEADER_WORDS]
        self.address = ctypes.c_void_p(headers.buffer_info()[0])
        """Where the kernel finds the headers."""

    def received(self, count: int) -> Frames:
        """The first `count` messages without their virtio_net_hdr, checksums complete."""
        frames = Frames(self.memory, self.places[:count], _added(self._counts[:count], -_VNET.size))
        flags = self.memory[: count * self._slot : self._slot].tobytes().translate(_FLAG)
        index = flags.find(_NEEDS_CHECKSUM)
        while index >= 0:
            _, _, _, _, start, offset = _VNET.unpack_from(self.memory, index * self._slot)
            _complete_checksum(frames[index], start, offset)
            index = flags.find(_NEEDS_CHECKSUM, index + 1)
        return frames

    def put(self, frames: Sequence[Octets]) -> None:
        """The first messages are `frames`, each behind a virtio_net_hdr of zeros."""
        lengths = copied(frames, self.memory, self.places[: len(frames)])
        self._iov[1 : 2 * len(lengths) : 2] = _added(lengths, _VNET.size)


class PacketDevice:
    """Interface `name` by AF_PACKET, which takes CAP_NET_RAW. The stack uses the interface's own MAC."""

    def __init__(self, name: str, mark: Mark | None = None) -> None:
        """With `mark`, there are two queues; see `Mark`."""
        index = interface_index(name)
        self.name = name
        programs = [b""] if mark is None else [filters.frames(mark, waiting=waiting) for waiting in (False, True)]
        self._sockets: list[socket.socket] = []
        self._readable: Readable | None = None
        try:
            for program in programs:
                self._open(program)
            # Groups of neighbour discovery come to MACs that the interface does not listen to by itself.
            membership = struct.pack("iHH8x", index, _PACKET_MR_ALLMULTI, 0)
            self._sockets[0].setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, membership)
            self.mac = interface_mac(name)
            self.mtu = interface_mtu(name)
        except OSError as error:
            self.close()
            raise DeviceError(f"AF_PACKET on {name}: {error.strerror}; try as root, or with CAP_NET_RAW") from error
        self._readable = Readable(self._sockets)
        self._turns = list(self._sockets)
        self._in = _Vector(_RECEIVE_SLOT)
        self._out = _Vector(_VNET.size + _ETHERNET + self.mtu)

    def receive(self, limit: int = BATCH) -> Frames:
        """See `NetworkDevice.receive`."""
        count = 0
        for each in self._turns:
            count = self._call("recvmmsg", each, self._in, min(limit, BATCH), None)
            if count:
                break
        self._turns.reverse()  # each queue has every other turn, if it needs it
        return self._in.received(count)

    def transmit(self, frames: Sequence[Octets]) -> int:
        """See `NetworkDevice.transmit`."""
        sent = 0
        while sent < len(frames):
            batch = frames[sent : sent + BATCH] if len(frames) > BATCH else frames
            self._out.put(batch)
            count = self._call("sendmmsg", self._sockets[0], self._out, len(batch))
            sent += count
            if count < len(batch):
                break
        return sent

    def fileno(self) -> int | None:
        """See `NetworkDevice.fileno`."""
        return None if self._readable is None else self._readable.fileno()

    def close(self) -> None:
        """See `NetworkDevice.close`."""
        if self._readable is not None:
            self._readable.close()
            self._readable = None
        while self._sockets:
            self._sockets.pop().close()

    def _open(self, program: bytes) -> None:
        """Another socket, for the frames that `program` takes; all if it is empty. OSError."""
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        self._sockets.append(opened)
        opened.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
        opened.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        if program:
            option, kept = filters.option(program)
            opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, option)
            del kept
        opened.bind((self.name, _ETH_P_ALL))

    def _call(self, name: str, link: socket.socket, vector: _Vector, count: int, *rest: None) -> int:
        try:
            return libc.call(name, link.fileno(), vector.address, count, socket.MSG_DONTWAIT, *rest)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            raise DeviceError(f"AF_PACKET on {self.name}: {error.strerror}") from error


def _added(words: Words, number: int) -> "array[int]":
    """`words` with `number` added to each, which leaves each of them from 0 to 2**64 - 1.

    All together are one large number, so one addition does it without an object for each: nothing is carried over.
    """
    total = int.from_bytes(memoryview(words).tobytes(), sys.byteorder) + number * _ones(len(words))
    return array("Q", total.to_bytes(8 * len(words), sys.byteorder))


@functools.lru_cache(BATCH + 1)
def _ones(count: int) -> int:
    """So many words of 1, as one number."""
    return int.from_bytes((array("Q", [1]) * count).tobytes(), sys.byteorder)


def _complete_checksum(frame: memoryview, start: int, offset: int) -> None:
    """Finish the checksum of a frame whose sender left that to hardware: from `start`, to be put at `offset` there.

    The field holds the sum of the pseudo-header already. 65536 is 1 modulo 65535, so one division sums all words.
    """
    covered = frame[start:]
    total = int.from_bytes(covered) << (8 if len(covered) & 1 else 0)
    covered[offset : offset + 2] = ((65535 - total % 65535) or 0xFFFF).to_bytes(2)
