"""The express way for batches, at the speed of C where this module is compiled (Cython, pure-Python mode).

`take` moves the payloads of plain UDP requests into slots, whoever serves them fills the slots of replies, and `give`
makes the frames that carry those. It takes what `Express` takes; every other frame is left for that and the
layers. Uncompiled it is slower than these, which then do without it.
"""

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cython

from dns_platform.frames import Frames, Words
from dns_platform.protocols import Octets

if TYPE_CHECKING:
    from stack.interface.express_batches import Slots

# With C types in express_core.pxd: what is not named so, or does not fit a C int, makes Python objects of all it meets.
_ETHERNET = 14
_HEAD_4 = 42  # Ethernet, IPv4 without options, UDP
_HEAD_6 = 62  # Ethernet, IPv6, UDP
_SLOT = 64  # a head, for the reply
_PEER = 32
_AF_INET = 2  # of Linux; machines are little-endian, so the family's first octet is all
_AF_INET6 = 10
_UDP = 17
_TTL = 64
_DO_NOT_FRAGMENT = 0x40
_FRAGMENT_BITS = 0xBF  # of octet 20: all but do not fragment
_KEY_4 = 6  # address and port
_KEY_6 = 18
_WORD = 0xFFFF


@cython.cfunc
@cython.inline
def _pair(view: cython.const[cython.uchar][::1], at: cython.Py_ssize_t) -> cython.int:
    """The 16-bit number at `at`."""
    return view[at] << 8 | view[at + 1]


@cython.cfunc
@cython.inline
@cython.boundscheck(False)
def _sum(view: cython.const[cython.uchar][::1], start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.ulong:
    """Sum of the 16-bit words from `start` to `end`; an odd last octet is the high half of one.

    Here and below bounds are looked at once a call, not once an octet, which lets the C compiler take many at a time.
    """
    if start < 0 or end > view.shape[0]:
        raise IndexError("sum past the end of a frame")
    total: cython.ulong = 0
    at: cython.Py_ssize_t = start
    while at + 1 < end:
        total += view[at] << 8 | view[at + 1]
        at += 2
    if at < end:
        total += view[at] << 8
    return total


@cython.cfunc
@cython.inline
def _fold(total: cython.ulong) -> cython.ulong:
    """`total` with its carries added back in, twice: enough for the words of a frame."""
    total = (total & _WORD) + (total >> 16)
    return (total & _WORD) + (total >> 16)


@cython.cfunc
@cython.exceptval(-1, check=False)
@cython.inline
@cython.boundscheck(False)
def _copy(
    target: cython.uchar[::1],
    at: cython.Py_ssize_t,
    source: cython.const[cython.uchar][::1],
    start: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
) -> cython.int:
    """Copy `count` octets."""
    if at < 0 or start < 0 or at + count > target.shape[0] or start + count > source.shape[0]:
        raise IndexError("copy past the end of a slot")
    index: cython.Py_ssize_t
    for index in range(count):
        target[at + index] = source[start + index]
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
@cython.inline
def _put(target: cython.uchar[::1], at: cython.Py_ssize_t, number: cython.ulong) -> cython.int:
    """Write the 16-bit `number`."""
    target[at] = (number >> 8) & 0xFF
    target[at + 1] = number & 0xFF
    return 0


@cython.cfunc
@cython.exceptval(-1, check=False)
@cython.inline
@cython.boundscheck(False)
def _equal(
    one: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    other: cython.const[cython.uchar][::1],
    start: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
) -> cython.bint:
    """Are `count` octets the same?"""
    if at < 0 or start < 0 or at + count > one.shape[0] or start + count > other.shape[0]:
        raise IndexError("comparison past the end of a frame")
    index: cython.Py_ssize_t
    for index in range(count):  # noqa: SIM110 - `all` would make Python objects
        if one[at + index] != other[start + index]:
            return False
    return True


class Replies(Frames):
    """Frames that are copied at the speed of C."""

    __slots__ = ()

    def copy(self, target: memoryview, places: Words) -> None:
        """See `Frames.copy`."""
        _copy_all(self.memory, self.starts, self.lengths, target, places)


@cython.cfunc
@cython.exceptval(-1, check=False)
def _copy_all(
    source: cython.const[cython.uchar][::1],
    starts: cython.const[cython.ulonglong][:],
    lengths: cython.const[cython.ulonglong][:],
    target: cython.uchar[::1],
    places: cython.const[cython.ulonglong][:],
) -> cython.int:
    index: cython.Py_ssize_t
    for index in range(min(places.shape[0], starts.shape[0], lengths.shape[0])):
        _copy(target, places[index], source, starts[index], lengths[index])
    return 0


class ExpressCore:
    """The express way of the interface with address `mac`, between frames and slots.

    Request `i` is at `i * stride` of `queries`, `lengths[i]` octets; so are replies, where a length of 0 is no reply.
    Its source goes to `i * 32` of `peers`, as `Slots` has it.
    """

    def __init__(self, mac: bytes, slots: "Slots") -> None:
        self.count = 0
        self._mac = bytearray(mac)
        self._queries = slots.queries
        self._peers = slots.peers
        self._lengths = slots.lengths
        self._replies = slots.replies
        self._reply_lengths = slots.reply_lengths
        self._size = size = slots.size
        self._stride = len(slots.queries) // size
        self._reply_stride = len(slots.replies) // size
        self._frame_stride = self._reply_stride + _SLOT
        self._heads = bytearray(_SLOT * size)
        frames = bytearray(self._frame_stride * size)
        self._frames = frames
        self._frames_out = memoryview(frames)
        self._starts = starts = array("Q", bytes(8 * size))
        self._starts_out = memoryview(starts)
        self._sizes = sizes = array("Q", bytes(8 * size))
        self._sizes_out = memoryview(sizes)
        self.serve([], [], [], [])

    def serve(self, served_4: list[bytes], served_6: list[bytes], own_4: list[bytes], own_6: list[bytes]) -> None:
        """What is served: address and port each; and whose packets come from no other host: ours, and broadcasts."""
        self._count_4, self._count_6 = len(served_4), len(served_6)
        self._own_count_4, self._own_count_6 = len(own_4), len(own_6)
        self._served_4 = bytearray(b"".join(served_4) or b"\0")
        self._served_6 = bytearray(b"".join(served_6) or b"\0")
        self._own_4 = bytearray(b"".join(own_4) or b"\0")
        self._own_6 = bytearray(b"".join(own_6) or b"\0")

    def take(self, frames: Sequence[Octets]) -> list[Octets]:
        """Put the requests in `frames` into slots, `count` of them; the frames that are none, in their order."""
        view: cython.const[cython.uchar][::1]
        left: list[Octets] = []
        self.count = 0
        if isinstance(frames, Frames):
            self._take_batch(frames.memory, frames.starts, frames.lengths, frames, left)
            return left
        for frame in frames:
            if len(frame) >= _HEAD_4:
                view = frame
                if self._is_taken(view, 0, len(view)):
                    continue
            left.append(frame)
        return left

    def _take_batch(
        self, view: Octets, starts: Words, lengths: Words, frames: Sequence[Octets], left: list[Octets]
    ) -> cython.int:
        """Take frames that lie in one memory; views are made of those that are left alone."""
        for index in range(len(starts)):
            start = starts[index]
            length = lengths[index]
            if start < 0 or length < 0 or start > len(view) or length > len(view) - start:
                raise IndexError("a frame past the end of its memory")
            if not self._is_taken(view, start, length):
                left.append(frames[index])
        return 0

    def _is_taken(self, view: Octets, at: cython.Py_ssize_t, size: cython.Py_ssize_t) -> cython.bint:
        """Was the frame of `size` octets at `at` a request, and is it in a slot now?"""
        if self.count >= self._size or size < _HEAD_4:
            return False
        if view[at + 12] == 0x08 and view[at + 13] == 0x00:
            return self._take_4(view, at, size)
        if view[at + 12] == 0x86 and view[at + 13] == 0xDD and size >= _HEAD_6:
            return self._take_6(view, at, size)
        return False

    def _take_4(self, view: Octets, at: cython.Py_ssize_t, size: cython.Py_ssize_t) -> cython.bint:
        total: cython.Py_ssize_t = _pair(view, at + 16)
        length: cython.Py_ssize_t = _pair(view, at + 38)
        first: cython.int = view[at + 26]
        if (
            view[at + 14] != 0x45
            or view[at + 23] != _UDP
            or view[at + 20] & _FRAGMENT_BITS
            or view[at + 21]
            or total != length + 20
            or length < 8
            or _ETHERNET + total > size
            or length - 8 > self._stride
            or not (view[at + 34] | view[at + 35])
            or first == 0
            or first == 127
            or first >= 224
            or not self._is_usual(view, at)
        ):
            return False
        for index in range(self._count_4):
            if _equal(self._served_4, index * _KEY_4, view, at + 30, 4) and _equal(
                self._served_4, index * _KEY_4 + 4, view, at + 36, 2
            ):
                break
        else:
            return False
        for index in range(self._own_count_4):
            if _equal(self._own_4, index * 4, view, at + 26, 4):
                return False
        if _fold(_sum(view, at + 14, at + 34)) != _WORD:
            return False
        # Addresses and datagram lie side by side: their sum is that of the datagram and most of its pseudo-header
        if (view[at + 40] | view[at + 41]) and _fold(
            _sum(view, at + 26, at + _ETHERNET + total) + _UDP + length
        ) != _WORD:
            return False
        self._keep(view, at, _HEAD_4, length - 8)
        return True

    def _take_6(self, view: Octets, at: cython.Py_ssize_t, size: cython.Py_ssize_t) -> cython.bint:
        length: cython.Py_ssize_t = _pair(view, at + 18)
        if (
            view[at + 14] >> 4 != 6
            or view[at + 20] != _UDP
            or length != _pair(view, at + 58)
            or length < 8
            or _HEAD_6 - 8 + length > size
            or length - 8 > self._stride
            or not (view[at + 54] | view[at + 55])
            or not (view[at + 60] | view[at + 61])
            or view[at + 22] == 0xFF
            or not self._is_usual(view, at)
        ):
            return False
        for index in range(self._count_6):
            if _equal(self._served_6, index * _KEY_6, view, at + 38, 16) and _equal(
                self._served_6, index * _KEY_6 + 16, view, at + 56, 2
            ):
                break
        else:
            return False
        for index in range(self._own_count_6):
            if _equal(self._own_6, index * 16, view, at + 22, 16):
                return False
        if _fold(_sum(view, at + 22, at + _HEAD_6 - 8 + length) + _UDP + length) != _WORD:
            return False
        self._keep(view, at, _HEAD_6, length - 8)
        return True

    def _is_usual(self, view: Octets, at: cython.Py_ssize_t) -> cython.bint:
        """Is the frame at `at` from one host to us alone?"""
        return _equal(self._mac, 0, view, at, 6) and not view[at + 6] & 1 and not _equal(self._mac, 0, view, at + 6, 6)

    def _keep(
        self, view: Octets, at: cython.Py_ssize_t, head: cython.Py_ssize_t, length: cython.Py_ssize_t
    ) -> cython.int:
        """Put the `length` octets behind the `head` octets at `at` into the next slot; those, and the peer, aside."""
        peer: cython.Py_ssize_t = self.count * _PEER
        _copy(self._peers, peer + 2, view, at + head - 8, 2)
        if head == _HEAD_4:
            self._peers[peer] = _AF_INET
            _copy(self._peers, peer + 4, view, at + 26, 4)
        else:
            self._peers[peer] = _AF_INET6
            _copy(self._peers, peer + 8, view, at + 22, 16)
        _copy(self._heads, self.count * _SLOT, view, at, head)
        _copy(self._queries, self.count * self._stride, view, at + head, length)
        self._lengths[self.count] = length
        self.count += 1
        return 0

    def destination(self, index: cython.int) -> tuple[bytes, int]:
        """Address and port that request `index` is to."""
        at: cython.Py_ssize_t = index * _SLOT
        if self._heads[at + 12] == 0x08:
            return bytes(self._heads[at + 30 : at + 34]), _pair(self._heads, at + 36)
        return bytes(self._heads[at + 38 : at + 54]), _pair(self._heads, at + 56)

    def give(self, hop_limit: cython.int) -> Frames:
        """The frames with the replies, valid until the next call; IPv6 packets carry `hop_limit`."""
        made: cython.Py_ssize_t = 0
        for index in range(self.count):
            length = self._reply_lengths[index]
            if length > 0:
                at = index * self._frame_stride
                if self._heads[index * _SLOT + 12] == 0x08:
                    end = self._give_4(index, at, length)
                else:
                    end = self._give_6(index, at, length, hop_limit)
                self._starts[made] = at
                self._sizes[made] = end - at
                made += 1
        self.count = 0
        return Replies(self._frames_out, self._starts_out[:made], self._sizes_out[:made])

    def _give_4(self, index: cython.int, at: cython.Py_ssize_t, length: cython.Py_ssize_t) -> cython.Py_ssize_t:
        frame: cython.uchar[::1] = self._frames
        heads: cython.uchar[::1] = self._heads
        head: cython.Py_ssize_t = index * _SLOT
        self._ethernet(head, at)
        frame[at + 14] = 0x45
        frame[at + 15] = 0
        _put(frame, at + 16, length + 28)
        _put(frame, at + 18, 0)
        # RFC 9715 3.1: do not fragment; RFC 6864 4.1: so there is no need of an identification
        frame[at + 20] = _DO_NOT_FRAGMENT
        frame[at + 21] = 0
        frame[at + 22] = _TTL
        frame[at + 23] = _UDP
        _put(frame, at + 24, 0)
        _copy(frame, at + 26, heads, head + 30, 4)
        _copy(frame, at + 30, heads, head + 26, 4)
        _put(frame, at + 24, _WORD - _fold(_sum(frame, at + 14, at + 34)))
        _copy(frame, at + 34, heads, head + 36, 2)
        _copy(frame, at + 36, heads, head + 34, 2)
        return self._datagram(index, at + 26, at + 34, length)

    def _give_6(
        self, index: cython.int, at: cython.Py_ssize_t, length: cython.Py_ssize_t, hop_limit: cython.int
    ) -> cython.Py_ssize_t:
        frame: cython.uchar[::1] = self._frames
        heads: cython.uchar[::1] = self._heads
        head: cython.Py_ssize_t = index * _SLOT
        self._ethernet(head, at)
        frame[at + 14] = 0x60
        frame[at + 15] = 0
        _put(frame, at + 16, 0)
        _put(frame, at + 18, length + 8)
        frame[at + 20] = _UDP
        frame[at + 21] = hop_limit
        _copy(frame, at + 22, heads, head + 38, 16)
        _copy(frame, at + 38, heads, head + 22, 16)
        _copy(frame, at + 54, heads, head + 56, 2)
        _copy(frame, at + 56, heads, head + 54, 2)
        return self._datagram(index, at + 22, at + 54, length)

    def _ethernet(self, head: cython.Py_ssize_t, at: cython.Py_ssize_t) -> cython.int:
        """The reply goes to the MAC that the request came from."""
        _copy(self._frames, at, self._heads, head + 6, 6)
        _copy(self._frames, at + 6, self._mac, 0, 6)
        _copy(self._frames, at + 12, self._heads, head + 12, 2)
        return 0

    def _datagram(
        self, index: cython.int, addresses: cython.Py_ssize_t, at: cython.Py_ssize_t, length: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """Write the rest of the UDP header at `at`, and the payload; the end of the frame."""
        frame: cython.uchar[::1] = self._frames
        end: cython.Py_ssize_t = at + 8 + length
        _put(frame, at + 4, length + 8)
        _put(frame, at + 6, 0)
        _copy(frame, at + 8, self._replies, index * self._reply_stride, length)
        made = _WORD - _fold(_sum(frame, addresses, end) + _UDP + length + 8)
        _put(frame, at + 6, made or _WORD)  # RFC 768: a computed zero is sent as all ones
        return end
