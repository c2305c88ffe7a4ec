"""A flood of queries from sources that are not there, and one client among them that is. For a network namespace alone.

Both come from one loop, so that queries of the client stand in the midst of forged ones and not between bursts.
"""

import contextlib
import ctypes
import os
import random
import signal
import socket
import time
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dns_platform.unix import libc
from stack.address import parse
from stack.wire import ethernet, ipv4, udp
from stack.wire.ethernet import EtherType, Frame
from tests.bench.harness.questions import queries

CLIENT_RATE: Final = 500
"""Queries a second of the client."""
PATIENCE_S: Final = 1.0
"""A client asks again after so long; an answer that takes longer counts as none."""
_MOST: Final = 50_000_000  # frames
_BATCH: Final = 64
_PORT: Final = 53
_UDP: Final = 17
_TC: Final = 0x02
_SOL_PACKET: Final = 263
_PACKET_QDISC_BYPASS: Final = 20
_HEADER_WORDS: Final = 8  # of a struct mmsghdr of a 64-bit Linux; its third and fourth are vectors and their number


@dataclass(frozen=True)
class Outcome:
    """Of one flood."""

    asked: int
    """Queries of the client."""
    answered: int
    """Of those, in time and with an answer."""
    sent: float
    """Frames a second to the server."""
    replies: float
    """Frames a second from it."""

    @property
    def share(self) -> float:
        """Of its queries that the client had answers to."""
        return self.answered / self.asked

    @property
    def times(self) -> float:
        """How many times what the server answered was sent."""
        return self.sent / self.replies


@dataclass(frozen=True)
class Naps:
    """Stops the process `pid` for all but `awake_s` of each `period_s`, so that it can do so much less."""

    pid: int
    awake_s: float
    period_s: float

    def at(self, seconds: float) -> None:
        """Have the process be in the state for that time."""
        os.kill(self.pid, signal.SIGCONT if seconds % self.period_s < self.awake_s else signal.SIGSTOP)

    def end(self) -> None:
        """Let it run."""
        os.kill(self.pid, signal.SIGCONT)


@dataclass(frozen=True)
class Way:
    """From an interface to a server on the other side of the link."""

    interface: str
    mac: bytes
    """Of the interface."""
    server_mac: bytes
    server: str
    client: str
    """An address of this machine's."""

    def frame(self, source: bytes, port: int, wire: bytes) -> bytes:
        """A query in a frame."""
        target = parse(self.server)
        packet = ipv4.Packet(source, target, _UDP, udp.emit(udp.Datagram(port, _PORT, wire), source, target))
        return ethernet.emit(Frame(self.server_mac, self.mac, EtherType.IPV4, ipv4.emit(packet)))


class _Volley:
    """Frames that one system call sends."""

    def __init__(self, frames: list[bytes]) -> None:
        self._octets = array("B", b"".join(frames))
        self._vectors = array("Q")
        self._headers = array("Q", bytes(8 * _HEADER_WORDS * len(frames)))
        address = self._octets.buffer_info()[0]
        for frame in frames:
            self._vectors.extend((address, len(frame)))
            address += len(frame)
        for index in range(len(frames)):
            self._headers[index * _HEADER_WORDS + 2] = self._vectors.buffer_info()[0] + 16 * index
            self._headers[index * _HEADER_WORDS + 3] = 1
        self.count = len(frames)
        self.address = ctypes.c_void_p(self._headers.buffer_info()[0])


def forged(way: Way, option: bytes) -> list[bytes]:
    """Frames with queries from addresses of 198.18.0.0/15 (RFC 2544) and an EDNS `option`, if there is one."""
    rng = random.Random(2)
    frames = []
    for wire in queries(negative=0.1, do=False):
        source = bytes((198, 18 + rng.getrandbits(1), rng.getrandbits(8), rng.getrandbits(8)))
        frames.append(way.frame(source, rng.randrange(1024, 65536), rng.randbytes(2) + with_option(wire, option)[2:]))
    return frames


def with_option(wire: bytes, option: bytes) -> bytes:
    """A query that ends with an empty OPT record, and has `option` in it then."""
    return wire[:-2] + len(option).to_bytes(2, "big") + option


def flood(way: Way, seconds: float, option: bytes, forged_option: bytes = b"", naps: Naps | None = None) -> Outcome:
    """Send for so many seconds, while the client asks with the EDNS `option`; the server takes `naps`."""
    wires = [with_option(wire, option) for wire in queries(negative=0.0, do=False)]
    frames = forged(way, forged_option)
    volleys = [_Volley(frames[at : at + _BATCH]) for at in range(0, len(frames), _BATCH)]
    with (
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as link,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        link.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
        link.bind((way.interface, 0))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        client.bind((way.client, 0))
        client.setblocking(False)
        source, port = parse(way.client), client.getsockname()[1]
        waiting: dict[int, float] = {}
        asked = answered = sent = turn = 0
        before, started = _counts(way.interface), time.monotonic()
        now, passed = started, 0.0
        after = before
        while now < started + seconds + PATIENCE_S and sent < _MOST:
            volley = volleys[turn % len(volleys)]
            turn += 1
            with contextlib.suppress(BlockingIOError):  # no room for a moment
                sent += libc.call("sendmmsg", link.fileno(), volley.address, volley.count, socket.MSG_DONTWAIT)
            now = time.monotonic()
            if naps is not None:
                naps.at(now - started)
            if now < started + seconds:
                if asked < (now - started) * CLIENT_RATE:
                    wire = asked.to_bytes(2, "big") + wires[asked % len(wires)][2:]
                    link.send(way.frame(source, port, wire))
                    waiting[asked] = now
                    asked += 1
            elif not passed:
                after, passed = _counts(way.interface), now - started
            if not turn % 8:
                answered += _answers(client, waiting)
        if naps is not None:
            naps.end()
    return Outcome(asked, answered, (after[0] - before[0]) / passed, (after[1] - before[1]) / passed)


def _answers(client: socket.socket, waiting: dict[int, float]) -> int:
    """How many answers have come in time."""
    answered = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            reply = client.recv(4096)
            asked_at = waiting.pop(int.from_bytes(reply[:2], "big"), 0.0)
            is_answer = not reply[2] & _TC and not reply[3] & 0x0F
            answered += is_answer and time.monotonic() < asked_at + PATIENCE_S
    return answered


def _counts(interface: str) -> tuple[int, int]:
    """Frames that left by an interface, and that came."""
    counts = Path("/proc/thread-self/net/dev").read_text().split(f"{interface}:")[1].split()
    return int(counts[9]), int(counts[1])
