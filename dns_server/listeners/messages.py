"""Several datagrams in one system call: recvmmsg and sendmmsg on buffers that are laid out once.

Read first: recvmmsg(2), sendmmsg(2), ip(7) on IP_PKTINFO. Python works on whole columns of the headers, by slices of
arrays, so that a turn costs little more with 64 datagrams than with one.
"""

import ctypes
import errno
import os
import socket
import struct
import sys
from array import array
from typing import Any, Final

from dns_server.answer.batch import PEER_STRIDE, REPLY_STRIDE, Batch

BATCH: Final = 64
"""Datagrams of one system call."""

# struct mmsghdr of a 64-bit Linux, in words of 8 octets: msghdr has seven of them, then comes the length.
_WORDS: Final = 8
_NAME, _NAME_LENGTH, _VECTOR, _VECTORS, _CONTROL, _CONTROL_LENGTH, _FLAGS, _LENGTH = range(_WORDS)
_CONTROL_SIZE: Final = 64  # room for one cmsghdr with in6_pktinfo
_CONTROL_WORDS: Final = _CONTROL_SIZE // 4
_CONTROL_HEADER: Final = struct.Struct("=QII")  # of cmsghdr: length with the header, level, type
_INTERFACE_WORD: Final = 4  # of in_pktinfo: ipi_ifindex, ipi_spec_dst, ipi_addr
_LOCAL_WORD: Final = 5
_DESTINATION_WORD: Final = 6
_PORT: Final = 2  # of sockaddr_in and sockaddr_in6
_IPV6_MULTICAST: Final = 0xFF  # RFC 4291 2.7: the first octet


def is_available() -> bool:
    """Whether this system has the calls, and headers of the layout used here."""
    return sys.platform == "linux" and ctypes.sizeof(ctypes.c_void_p) == _WORDS


class MessageQueue:
    """Reads datagrams of one socket into `batch` and sends the replies in it."""

    def __init__(self, bound: socket.socket, stride: int, *, is_wildcard: bool) -> None:
        """`is_wildcard` says that the kernel tells the destination of each datagram; the reply leaves from there."""
        self.batch: Final = Batch(BATCH, stride)
        self.cut = 0
        """Datagrams of the last turn that were longer than a slot."""
        self.from_port_0 = 0
        """Datagrams of the last turn whose sender can't be answered."""
        self.to_group = 0
        """Datagrams of the last turn that came to a broadcast or multicast address."""
        self._descriptor = bound.fileno()
        self._library = ctypes.CDLL(None, use_errno=True)
        control = self._control = array("I", bytes(BATCH * _CONTROL_SIZE))
        self._is_ipv4 = bound.family == socket.AF_INET
        self._is_wildcard = is_wildcard
        self._name_lengths = array("Q", [16 if self._is_ipv4 else 28] * BATCH)
        self._control_lengths = array("Q", [_CONTROL_SIZE if is_wildcard else 0] * BATCH)
        self._incoming, self._in_vectors = _headers(self.batch.queries, stride)
        self._outgoing, self._out_vectors = _headers(self.batch.replies, REPLY_STRIDE)
        self._in_vectors[1::2] = array("Q", [stride] * BATCH)
        peers = _address(self.batch.peers)
        for headers in (self._incoming, self._outgoing):
            headers[_NAME::_WORDS] = array("Q", [peers + index * PEER_STRIDE for index in range(BATCH)])
            headers[_NAME_LENGTH::_WORDS] = self._name_lengths
            if is_wildcard:
                places = [_address(control) + index * _CONTROL_SIZE for index in range(BATCH)]
                headers[_CONTROL::_WORDS] = array("Q", places)

    def receive(self) -> int:
        """Read what has come, `BATCH` datagrams at most; how many. BlockingIOError when there is nothing, OSError.

        A datagram that is not to be answered gets the length 0 and is counted: in `cut` if it is longer than a slot, in
        `from_port_0` and `to_group`.
        """
        self.cut = self.from_port_0 = self.to_group = 0
        incoming = self._incoming
        incoming[_NAME_LENGTH::_WORDS] = self._name_lengths
        incoming[_CONTROL_LENGTH::_WORDS] = self._control_lengths
        count: int = self._library.recvmmsg(
            self._descriptor, ctypes.c_void_p(_address(incoming)), BATCH, socket.MSG_DONTWAIT, None
        )
        if count < 0:
            raise _error()
        end = count * _WORDS
        lengths = self.batch.lengths
        lengths[:count] = array("i", incoming[_LENGTH:end:_WORDS])
        if any(incoming[_FLAGS:end:_WORDS]):
            for index in range(count):
                if incoming[index * _WORDS + _FLAGS] & socket.MSG_TRUNC:
                    lengths[index] = 0
                    self.cut += 1
        self._drop_abuse(count)
        return count

    def reply_path(self, index: int) -> tuple[tuple[Any, ...], list[tuple[int, int, bytes]]]:
        """Address of the peer of datagram `index` and control messages, for `socket.sendmsg` at any later time."""
        start = index * PEER_STRIDE
        peer = self.batch.peers
        port = int.from_bytes(peer[start + 2 : start + 4], "big")
        if self._is_ipv4:
            name: tuple[Any, ...] = (socket.inet_ntop(socket.AF_INET, peer[start + 4 : start + 8]), port)
        else:
            address = socket.inet_ntop(socket.AF_INET6, peer[start + 8 : start + 24])
            flow, scope = struct.unpack_from("=I", peer, start + 4)[0], struct.unpack_from("=I", peer, start + 24)[0]
            name = (address, port, socket.ntohl(flow), scope)
        if not self._is_wildcard:
            return name, []
        control = self._control.tobytes()[index * _CONTROL_SIZE : (index + 1) * _CONTROL_SIZE]
        length, level, kind = _CONTROL_HEADER.unpack_from(control)
        return name, [(level, kind, control[_CONTROL_HEADER.size : length])]

    def _drop_abuse(self, count: int) -> None:
        """Leave out what only helps who forges its source."""
        peers, lengths = self.batch.peers, self.batch.lengths
        if 0 in peers[_PORT + 1 : count * PEER_STRIDE : PEER_STRIDE]:  # a quick look at the low octets first
            for index in range(count):
                port = index * PEER_STRIDE + _PORT
                if not peers[port] | peers[port + 1]:
                    lengths[index] = 0
                    self.from_port_0 += 1
        if not self._is_wildcard:
            return
        end = count * _CONTROL_WORDS
        if self._is_ipv4:
            local = self._control[_LOCAL_WORD:end:_CONTROL_WORDS]
            destination = self._control[_DESTINATION_WORD:end:_CONTROL_WORDS]
            groups = [] if local == destination else [local[index] != destination[index] for index in range(count)]
        else:
            first = (
                memoryview(self._control)
                .cast("B")[_CONTROL_HEADER.size : count * _CONTROL_SIZE : _CONTROL_SIZE]
                .tobytes()
            )
            groups = [octet == _IPV6_MULTICAST for octet in first] if _IPV6_MULTICAST in first else []
        for index, is_group in enumerate(groups):
            if is_group:
                lengths[index] = 0
                self.to_group += 1

    def send(self, count: int) -> tuple[int, OSError | None]:
        """Send the replies to the first `count` datagrams; how many went out, and why one did not."""
        outgoing, lengths = self._outgoing, self.batch.reply_lengths
        self._out_vectors[1 : 2 * count : 2] = array("Q", lengths[:count])
        if self._is_wildcard:
            outgoing[_CONTROL_LENGTH : count * _WORDS : _WORDS] = self._incoming[
                _CONTROL_LENGTH : count * _WORDS : _WORDS
            ]
            if self._is_ipv4:  # the reply takes the route of its destination, not the interface of the query
                self._control[_INTERFACE_WORD::_CONTROL_WORDS] = array("I", bytes(4 * BATCH))
        if lengths[:count].count(0) == 0:
            return self._send(0, count)
        sent, failure = 0, None
        for index in range(count):  # somebody sends what gets no reply
            if lengths[index]:
                one, error = self._send(index, index + 1)
                sent, failure = sent + one, error or failure
        return sent, failure

    def _send(self, begin: int, end: int) -> tuple[int, OSError | None]:
        """Send the replies from `begin` to `end`, all of which are there."""
        sent, failure = 0, None
        base = _address(self._outgoing)
        while begin < end:
            place = ctypes.c_void_p(base + begin * _WORDS * 8)
            count: int = self._library.sendmmsg(self._descriptor, place, end - begin, socket.MSG_DONTWAIT)
            if count < 0:
                failure = _error()
                count = 1  # the first one failed: go on with the next
            else:
                sent += count
            begin += count
        return sent, failure


def _headers(buffer: bytearray, stride: int) -> "tuple[array[int], array[int]]":
    """Message headers and their vectors, one vector for each slot of `buffer`; the vectors' lengths are still 0."""
    vectors = array("Q", bytes(16 * BATCH))
    vectors[::2] = array("Q", [_address(buffer) + index * stride for index in range(BATCH)])
    headers = array("Q", bytes(_WORDS * 8 * BATCH))
    headers[_VECTOR::_WORDS] = array("Q", [_address(vectors) + index * 16 for index in range(BATCH)])
    headers[_VECTORS::_WORDS] = array("Q", [1] * BATCH)
    return headers, vectors


def _address(buffer: "bytearray | array[int]") -> int:
    """Where `buffer` is; it must keep its size while somebody has the address."""
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))


def _error() -> OSError:
    """The error of the call just made."""
    number = ctypes.get_errno()
    kind = BlockingIOError if number in (errno.EAGAIN, errno.EWOULDBLOCK) else OSError
    return kind(number, os.strerror(number))
