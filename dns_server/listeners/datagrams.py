"""UDP sockets of the host that are read whenever they have something: one datagram a call, or several."""

import asyncio
import functools
import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import Final

from dns_platform.protocols import GATHERING_S
from dns_server.answer.engine import Kind
from dns_server.answer.protocol import Transport
from dns_server.client import Client
from dns_server.listeners.answering import Answer, BatchAnswer
from dns_server.listeners.binding import IP_PKTINFO
from dns_server.listeners.later import Later
from dns_server.listeners.messages import BATCH, Message, MessageQueue, Peer
from dns_server.listeners.udp_counters import UdpCounters
from dns_server.reasons import reason
from stack.address import parse

DATAGRAMS_A_TURN: Final = 32
"""Datagrams of one socket that are answered before others get their turn, where each is read by itself."""
BATCHED_A_TURN: Final = 4 * BATCH
"""And where they are read in batches."""
ROUNDS_A_TURN: Final = 8
"""Batches of one socket, small ones too, before others get their turn."""
MAX_QUERY: Final = 4096
"""Octets; a longer datagram is dropped: nothing that asks a server needs them."""
_SPREAD: Final = 64  # slots a power of two apart would share the same few lines of the cache
_IPV6_MULTICAST: Final = 0xFF  # RFC 4291 2.7: the first octet
_IN_PKTINFO: Final = struct.Struct("=I4s4s")  # interface, address to answer from, destination of the query


class UdpSocket:
    """One bound socket. How it is read is its subclasses' business."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        bound: socket.socket,
        later: Later,
        counters: UdpCounters,
        report: Callable[..., None],
    ) -> None:
        self._loop = loop
        self._socket = bound
        self._later = later
        self._counters = counters
        self._report = report
        loop.add_reader(bound, self._readable)

    def pause(self) -> None:
        """Read no more; what is being answered can still be sent."""
        self._loop.remove_reader(self._socket)

    def close(self) -> None:
        """Stop answering."""
        self.pause()
        self._socket.close()

    def _readable(self) -> None:
        try:
            self._answer_some()
        except BlockingIOError:
            return
        except OSError as error:  # an error queued on the socket is reported by the next read; the socket lives on
            self._report("reading from a UDP socket failed", reason=reason(error))

    def _answer_some(self) -> None:
        """Answer what has come, up to a bound. OSError."""
        raise NotImplementedError

    def _answer_later(self, kind: Kind, query: bytes, peer: Peer, context: Sequence[Message]) -> None:
        """Have others answer `query`, which came with the control messages `context`."""
        control = [_answer_from(message) for message in context]
        send = functools.partial(self._send, control=control, peer=peer)
        self._later.start(kind, query, Client(peer[0], peer[1], Transport.UDP), send)

    def _send(self, reply: bytes, control: Sequence[Message], peer: Peer) -> None:
        """Send a reply; what goes wrong is counted and told."""
        try:
            self._socket.sendmsg((reply,), control, 0, peer)
        except OSError as error:
            self._counters.unsent += 1
            self._report("an answer was not sent", peer=str(peer[0]), reason=reason(error))
        else:
            self._counters.sent += 1


class PlainUdpSocket(UdpSocket):
    """A socket bound to one address, read one datagram a call."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        bound: socket.socket,
        answer: Answer,
        later: Later,
        counters: UdpCounters,
        report: Callable[..., None],
    ) -> None:
        self._answer = answer
        super().__init__(loop, bound, later, counters, report)

    def _answer_some(self) -> None:
        counters = self._counters
        for _ in range(DATAGRAMS_A_TURN):
            data, context, peer = self._receive()
            counters.received += 1
            if len(data) > MAX_QUERY:
                counters.oversized += 1
                continue
            if not peer[1]:
                counters.from_port_0 += 1
                continue
            if any(_is_to_group(message) for message in context):
                counters.to_group += 1
                continue
            reply = self._answer(data, parse(peer[0].partition("%")[0]))
            if isinstance(reply, Kind):
                self._answer_later(reply, data, peer, context)
            elif reply is not None:
                self._send(reply, [_answer_from(message) for message in context], peer)

    def _receive(self) -> tuple[bytes, Sequence[Message], Peer]:
        data, peer = self._socket.recvfrom(MAX_QUERY + 1)
        return data, (), peer


class WildcardUdpSocket(PlainUdpSocket):
    """A socket bound to all addresses; the answer leaves from the one that was asked.

    The kernel tells the destination of each datagram and takes the source of each answer as control messages, so
    addresses that come and go need no rebinding.
    """

    def _receive(self) -> tuple[bytes, Sequence[Message], Peer]:
        data, control, _flags, peer = self._socket.recvmsg(MAX_QUERY + 1, 64)
        return data, control, peer


class BatchUdpSocket(UdpSocket):
    """A socket that is read, answered and written several datagrams at a time."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        bound: socket.socket,
        answer: BatchAnswer,
        later: Later,
        counters: UdpCounters,
        report: Callable[..., None],
        *,
        is_wildcard: bool,
    ) -> None:
        self._answer = answer
        self._queue = MessageQueue(bound, MAX_QUERY + _SPREAD, is_wildcard=is_wildcard)
        super().__init__(loop, bound, later, counters, report)

    def _answer_some(self) -> None:
        counters, queue = self._counters, self._queue
        batch, left = queue.batch, BATCHED_A_TURN
        for _ in range(ROUNDS_A_TURN):
            count = queue.receive()
            if not count:
                return
            counters.received += count
            if queue.dropped:
                counters.oversized += queue.cut
                counters.from_port_0 += queue.from_port_0
                counters.to_group += queue.to_group
            for index, kind in self._answer(batch, count):
                self._answer_later(kind, batch.query(index), *queue.reply_path(index))
            counters.sent += queue.send(count)
            if queue.unsent:
                counters.unsent += queue.unsent
                self._report("an answer was not sent", reason=queue.failure)
            left -= count
            # Where several came, more come while they are answered and soon after, and a pause costs less than a turn
            # of the loop for each few. After a single one that is unlikely.
            if count == 1 or left <= 0:
                return
            if count < BATCH:
                time.sleep(GATHERING_S)


def _answer_from(message: Message) -> Message:
    """The control message for an answer, from that of its query."""
    level, kind, data = message
    if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
        _interface, local, _destination = _IN_PKTINFO.unpack(data)
        return level, kind, _IN_PKTINFO.pack(0, local, bytes(4))
    return message  # in6_pktinfo means the same in both directions


def _is_to_group(message: Message) -> bool:
    """Whether the query with that control message came to a broadcast or multicast address."""
    level, kind, data = message
    if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
        _interface, local, destination = _IN_PKTINFO.unpack(data)
        return bool(local != destination)
    return data[0] == _IPV6_MULTICAST
