"""The rings that an AF_XDP socket shares with the kernel.

Each ring has one producer and one consumer, which write one counter each. x86 keeps the order of stores; elsewhere the
system call that follows each batch does.

Read first: Documentation/networking/af_xdp.rst of Linux, linux/if_xdp.h.
"""

import mmap
import socket
import struct

from dns_platform.frames import Words

SOL_XDP = 283
_MMAP_OFFSETS = 1
_NEED_WAKEUP = 1

# setsockopt that sizes the ring, page offset that maps it, words (of 8 octets) of a descriptor, place in the offsets
_RX = (2, 0, 2, 0)
_TX = (3, 0x80000000, 2, 1)
_FILL = (5, 0x100000000, 1, 2)
_COMPLETION = (6, 0x180000000, 1, 3)


class Ring:
    """A ring of `size` (a power of two) descriptors of `words` 64-bit words."""

    def __init__(self, xdp: socket.socket, kind: tuple[int, int, int, int], size: int) -> None:
        option, page_offset, words, place = kind
        xdp.setsockopt(SOL_XDP, option, size)
        offsets = struct.unpack("16Q", xdp.getsockopt(SOL_XDP, _MMAP_OFFSETS, 128))
        producer, consumer, descriptors, flags = offsets[4 * place : 4 * place + 4]
        length = descriptors + size * words * 8
        memory = mmap.mmap(xdp.fileno(), length, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=page_offset)
        view = memoryview(memory)
        self._memory = memory
        self.size = size
        self._words = words
        self._mask = size - 1
        self._producer = view[producer : producer + 4].cast("I")
        self._consumer = view[consumer : consumer + 4].cast("I")
        self._flags = view[flags : flags + 4].cast("I")
        self._descriptors = view[descriptors:length].cast("Q")
        self._taken = memoryview(bytearray(size * words * 8)).cast("Q")
        view.release()

    def close(self) -> None:
        """Unmap the ring: as long as it is mapped, the kernel keeps the socket."""
        for view in (self._producer, self._consumer, self._flags, self._descriptors):
            view.release()
        self._memory.close()

    @property
    def needs_wakeup(self) -> bool:
        """Does the kernel want a system call before it looks at the ring again?"""
        return bool(self._flags[0] & _NEED_WAKEUP)

    @property
    def filled(self) -> int:
        """Descriptors that the producer has put and the consumer has not taken."""
        return (self._producer[0] - self._consumer[0]) & 0xFFFFFFFF

    @property
    def free(self) -> int:
        """Descriptors that the producer may put."""
        return self.size - self.filled

    def take(self, limit: int) -> memoryview:
        """Words of up to `limit` descriptors that the kernel has put, one after the other; valid until called again."""
        at = self._consumer[0]
        count = min(limit, (self._producer[0] - at) & 0xFFFFFFFF)
        start, end, size = self._span(at, count)
        words = self._taken[: end - start]
        if end <= size:
            words[:] = self._descriptors[start:end]
        else:
            words[: size - start] = self._descriptors[start:]
            words[size - start :] = self._descriptors[: end - size]
        self._consumer[0] = at + count & 0xFFFFFFFF
        return words

    def put(self, words: Words) -> None:
        """Put descriptors, `words` one after the other; there have to be as many `free`."""
        at = self._producer[0]
        count = len(words) // self._words
        start, end, size = self._span(at, count)
        if end <= size:
            self._descriptors[start:end] = words
        else:
            self._descriptors[start:] = words[: size - start]
            self._descriptors[: end - size] = words[size - start :]
        self._producer[0] = at + count & 0xFFFFFFFF

    def _span(self, at: int, count: int) -> tuple[int, int, int]:
        """Words where `count` descriptors from counter `at` on begin and end, if there were no end; and where it is."""
        start = (at & self._mask) * self._words
        return start, start + count * self._words, self.size * self._words


def receive_ring(xdp: socket.socket, size: int) -> Ring:
    """The kernel puts (address, length) of frames that came in."""
    return Ring(xdp, _RX, size)


def transmit_ring(xdp: socket.socket, size: int) -> Ring:
    """We put (address, length) of frames to send."""
    return Ring(xdp, _TX, size)


def fill_ring(xdp: socket.socket, size: int) -> Ring:
    """We put addresses of memory for frames to come."""
    return Ring(xdp, _FILL, size)


def completion_ring(xdp: socket.socket, size: int) -> Ring:
    """The kernel puts addresses of frames that were sent."""
    return Ring(xdp, _COMPLETION, size)
