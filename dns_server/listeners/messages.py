"""Several datagrams in one system call: recvmmsg and sendmmsg on buffers that are laid out once.

Read first: recvmmsg(2), sendmmsg(2), ip(7) on IP_PKTINFO. At the speed of C where this module is compiled (Cython, with
messages.pxd), all but the calls themselves.
"""

import ctypes
import errno
import os
import socket
import struct
import sys
from array import array
from typing import Any, Final

import cython

from dns_server.answer.batch import PEER_STRIDE, REPLY_STRIDE, Batch

Peer = tuple[Any, ...]
"""An address as the socket module has it."""
Message = tuple[int, int, bytes]
"""A control message: level, type and data."""

BATCH: Final = 64
"""Datagrams of one system call."""

# struct mmsghdr of a 64-bit Linux, in words of 8 octets: msghdr has seven of them, then comes the length.
_WORDS: Final = 8
_NAME: Final = 0
_NAME_LENGTH: Final = 1
_VECTOR: Final = 2
_VECTORS: Final = 3
_CONTROL: Final = 4
_CONTROL_LENGTH: Final = 5
_FLAGS: Final = 6
_LENGTH: Final = 7
_CONTROL_SIZE: Final = 64  # room for one cmsghdr with in6_pktinfo
_CONTROL_WORDS: Final = _CONTROL_SIZE // 4
_CONTROL_HEADER: Final = struct.Struct("=QII")  # of cmsghdr: length with the header, level, type
_INTERFACE_WORD: Final = 4  # of in_pktinfo: ipi_ifindex, ipi_spec_dst, ipi_addr
_LOCAL_WORD: Final = 5
_DESTINATION_WORD: Final = 6
_PORT: Final = 2  # of sockaddr_in and sockaddr_in6
_ADDRESS_WORD: Final = 4  # of in6_pktinfo
_IPV6_MULTICAST: Final = 0xFF  # RFC 4291 2.7: the first octet
_CUT: Final = socket.MSG_TRUNC
_DONT_WAIT: Final = getattr(socket, "MSG_DONTWAIT", 0)  # not everywhere; see `is_available`
_NOTHING: Final = (errno.EAGAIN, errno.EWOULDBLOCK)


def is_available() -> bool:
    """Whether this system has the calls, and headers of the layout used here."""
    return sys.platform == "linux" and ctypes.sizeof(ctypes.c_void_p) == _WORDS


class MessageQueue:
    """Reads datagrams of one socket into `batch` and sends the replies in it."""

    def __init__(self, bound: socket.socket, stride: int, *, is_wildcard: bool) -> None:
        """`is_wildcard` says that the kernel tells the destination of each datagram; the reply leaves from there."""
        self.batch = Batch(BATCH, stride)
        self.dropped = 0
        """Datagrams that came last and are not to be answered, for one of three reasons."""
        self.cut = 0
        """They were longer than a slot."""
        self.from_port_0 = 0
        """Their sender can't be answered."""
        self.to_group = 0
        """They came to a broadcast or multicast address."""
        self.unsent = 0
        """Replies that the kernel did not take, of the last batch."""
        self.failure = ""
        """Why it did not take one."""
        self._descriptor = bound.fileno()
        library = ctypes.CDLL(None, use_errno=True)
        self._recvmmsg: Any = library.recvmmsg
        self._sendmmsg: Any = library.sendmmsg
        self._recvmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
        self._sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
        self._is_ipv4 = bound.family == socket.AF_INET
        self._is_wildcard = is_wildcard
        control = array("I", bytes(BATCH * _CONTROL_SIZE))
        incoming, in_vectors = _headers(self.batch.queries, stride)
        outgoing, out_vectors = _headers(self.batch.replies, REPLY_STRIDE)
        in_vectors[1::2] = array("Q", [stride] * BATCH)
        peers = _address(self.batch.peers)
        for headers in (incoming, outgoing):
            headers[_NAME::_WORDS] = array("Q", [peers + index * PEER_STRIDE for index in range(BATCH)])
            headers[_NAME_LENGTH::_WORDS] = array("Q", [16 if self._is_ipv4 else 28] * BATCH)
            if is_wildcard:
                places = [_address(control) + index * _CONTROL_SIZE for index in range(BATCH)]
                headers[_CONTROL::_WORDS] = array("Q", places)
        self._in_address = _address(incoming)
        self._out_address = _address(outgoing)
        self._control: Any = control
        self._in_headers: Any = incoming
        self._in_vectors: Any = in_vectors  # held, for the headers only point there
        self._out_headers: Any = outgoing
        self._out_vectors: Any = out_vectors

    def receive(self) -> cython.int:
        """Read what has come, `BATCH` datagrams at most; how many, 0 when there is nothing. OSError.

        A datagram that is not to be answered gets the length 0, and is counted.
        """
        index: cython.Py_ssize_t
        at: cython.Py_ssize_t
        self.dropped = self.cut = self.from_port_0 = self.to_group = 0
        if self._is_wildcard:  # the kernel says there how much it wrote; a name always has the same length
            for index in range(BATCH):
                self._in_headers[index * _WORDS + _CONTROL_LENGTH] = _CONTROL_SIZE
        count: cython.int = self._recvmmsg(self._descriptor, self._in_address, BATCH, _DONT_WAIT, None)
        if count < 0:
            if ctypes.get_errno() in _NOTHING:
                return 0
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        for index in range(count):
            at = index * _WORDS
            self.batch.length_view[index] = self._in_headers[at + _LENGTH]
            at += _FLAGS
            if self._in_headers[at] & _CUT:
                self.cut += 1
            elif self._is_from_port_0(index):
                self.from_port_0 += 1
            elif self._is_wildcard and self._is_to_group(index):
                self.to_group += 1
            else:
                continue
            self.batch.length_view[index] = 0
            self.dropped += 1
        return count

    def reply_path(self, index: int) -> "tuple[Peer, list[Message]]":
        """Address of the peer of datagram `index` and control messages, for `socket.sendmsg` at any later time."""
        start = index * PEER_STRIDE
        peer = self.batch.peers
        port = int.from_bytes(peer[start + 2 : start + 4], "big")
        name: Any = (socket.inet_ntop(socket.AF_INET, peer[start + 4 : start + 8]), port)
        if not self._is_ipv4:
            address = socket.inet_ntop(socket.AF_INET6, peer[start + 8 : start + 24])
            flow, scope = struct.unpack_from("=I", peer, start + 4)[0], struct.unpack_from("=I", peer, start + 24)[0]
            name = (address, port, socket.ntohl(flow), scope)
        if not self._is_wildcard:
            return name, []
        control = bytes(memoryview(self._control).cast("B"))[index * _CONTROL_SIZE : (index + 1) * _CONTROL_SIZE]
        length, level, kind = _CONTROL_HEADER.unpack_from(control)
        return name, [(level, kind, control[_CONTROL_HEADER.size : length])]

    def _is_from_port_0(self, index: cython.Py_ssize_t) -> cython.bint:
        at: cython.Py_ssize_t = index * PEER_STRIDE + _PORT
        return not (self.batch.peer_view[at] | self.batch.peer_view[at + 1])

    def _is_to_group(self, index: cython.Py_ssize_t) -> cython.bint:
        """Whether datagram `index` came to a broadcast or multicast address."""
        at: cython.Py_ssize_t = index * _CONTROL_WORDS
        if self._is_ipv4:
            return self._control[at + _LOCAL_WORD] != self._control[at + _DESTINATION_WORD]
        return self._control[at + _ADDRESS_WORD] & 0xFF == _IPV6_MULTICAST  # machines are little-endian

    def send(self, count: cython.int) -> cython.int:
        """Send the replies to the first `count` datagrams; how many went out. Sets `unsent` and `failure`."""
        index: cython.Py_ssize_t
        at: cython.Py_ssize_t
        begin: cython.Py_ssize_t = 0
        sent: cython.int = 0
        self.unsent = 0
        for index in range(count):
            self._out_vectors[2 * index + 1] = self.batch.reply_length_view[index]
            if self._is_wildcard:
                at = index * _WORDS + _CONTROL_LENGTH
                self._out_headers[at] = self._in_headers[at]
                if self._is_ipv4:  # the reply takes the route of its destination, not the interface of the query
                    self._control[index * _CONTROL_WORDS + _INTERFACE_WORD] = 0
        for index in range(count):
            if not self.batch.reply_length_view[index]:  # somebody sends what gets no reply
                sent += self._send(begin, index)
                begin = index + 1
        return sent + self._send(begin, count)

    def _send(self, begin: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
        """Send the replies from `begin` to `end`, all of which are there; how many went out."""
        sent: cython.int = 0
        count: cython.int
        while begin < end:
            count = self._sendmmsg(self._descriptor, self._out_address + begin * _WORDS * 8, end - begin, _DONT_WAIT)
            if count < 0:
                self.failure = os.strerror(ctypes.get_errno())
                self.unsent += 1
                count = 1  # the first one failed: go on with the next
            else:
                sent += count
            begin += count
        return sent


def _headers(buffer: bytearray, stride: int) -> tuple[Any, Any]:
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
