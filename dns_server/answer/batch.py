"""Datagrams that were read in one turn, and their replies: slots of one size in two buffers.

Where this module is compiled (Cython, with batch.pxd), other compiled modules look into the buffers directly.
"""

import sys
from array import array
from typing import TYPE_CHECKING, Any, Final

import cython

from dns_server.answer.protocol import UDP_PAYLOAD

if TYPE_CHECKING:
    from dns_server.answer.core.responder import Responder

REPLY_STRIDE: Final = (UDP_PAYLOAD + 63) & ~63
"""Octets of a reply's slot."""
PEER_STRIDE: Final = 32
"""Octets of a peer's slot."""
_IPV4: Final = slice(4, 8)
_IPV6: Final = slice(8, 24)
_AF_INET: Final = 2
_AF_INET6: Final = 10


class Batch:
    """Room for `size` datagrams of up to `stride` octets. Whoever reads sockets fills `queries` and `lengths`."""

    def __init__(self, size: int, stride: int) -> None:
        self.size = size
        self.stride = stride
        self.queries = bytearray(size * stride)
        """Datagram `i` begins at `i * stride`."""
        self.lengths = array("i", bytes(4 * size))
        """Octets of each datagram."""
        self.peers = bytearray(size * PEER_STRIDE)
        """Whom datagram `i` is from, at `i * PEER_STRIDE`, as Linux has it (ip(7), ipv6(7)): the family, 2 or 10, in
        the machine's order at 0; the port at 2; an IPv4 address at 4, an IPv6 address at 8."""
        self.trusted = bytearray(size)
        """Of each datagram, 1 where a valid cookie shows that the client is at its address (RFC 7873). Set by who
        answers, for who limits rates."""
        self.replies = bytearray(size * REPLY_STRIDE)
        """Reply `i` begins at `i * REPLY_STRIDE`."""
        self.reply_lengths = array("i", bytes(4 * size))
        """Octets of each reply; 0 for none."""
        self.responder: Responder | None = None
        """The core's hands on these buffers; of the engine that used the batch last."""
        # The buffers again, as compiled modules see them.
        self.query_view: Any = self.queries
        self.length_view: Any = self.lengths
        self.peer_view: Any = self.peers
        self.trusted_view: Any = self.trusted
        self.reply_view: Any = self.replies
        self.reply_length_view: Any = self.reply_lengths

    def query(self, index: int) -> bytes:
        """Datagram `index`."""
        start = index * self.stride
        return bytes(self.queries[start : start + self.lengths[index]])

    def source(self, index: int) -> bytes:
        """The address that datagram `index` is from: 4 or 16 octets."""
        peer = self.peers[index * PEER_STRIDE : (index + 1) * PEER_STRIDE]
        return bytes(peer[_IPV4 if peer[0] | peer[1] == _AF_INET else _IPV6])

    def port(self, index: int) -> int:
        """The port that datagram `index` is from."""
        return int.from_bytes(self.peers[index * PEER_STRIDE + 2 : index * PEER_STRIDE + 4], "big")

    def put_source(self, index: int, address: bytes, port: int = 1024) -> None:
        """Say that datagram `index` is from `port` of `address`, of 4 or 16 octets."""
        start = index * PEER_STRIDE
        where, family = (_IPV4, _AF_INET) if len(address) == 4 else (_IPV6, _AF_INET6)
        self.peers[start : start + 2] = family.to_bytes(2, sys.byteorder)
        self.peers[start + 2 : start + 4] = port.to_bytes(2, "big")
        self.peers[start + where.start : start + where.stop] = address

    def put_query(self, index: int, wire: bytes) -> None:
        """Put a datagram into slot `index`. ValueError if it is too long."""
        if len(wire) > self.stride:
            raise ValueError(f"a datagram of {len(wire)} octets does not fit into a slot of {self.stride}")
        start = index * self.stride
        self.queries[start : start + len(wire)] = wire
        self.lengths[index] = len(wire)

    def reply(self, index: int) -> bytes | None:
        """Reply `index`, if there is one."""
        start = index * REPLY_STRIDE
        length = self.reply_lengths[index]
        return bytes(self.replies[start : start + length]) if length else None

    def replied(self, count: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """How many of the first `count` datagrams have a reply."""
        index: cython.Py_ssize_t
        found: cython.Py_ssize_t = 0
        for index in range(count):
            found += self.reply_length_view[index] != 0
        return found

    def put_reply(self, index: int, wire: bytes) -> None:
        """Put a reply to datagram `index`."""
        start = index * REPLY_STRIDE
        self.replies[start : start + len(wire)] = wire
        self.reply_lengths[index] = len(wire)
