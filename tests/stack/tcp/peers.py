"""Two engines joined in memory, with a link that can lose, repeat, reorder and damage segments; time is simulated."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stack.address import Address, Endpoint, parse
from stack.counters import Counters
from stack.tcp.commons import Limits
from stack.tcp.engine import Engine
from stack.tcp.segment import Segment
from stack.tcp.segment import parse as parse_segment
from stack.tcp.state import State
from stack.wire.checksum import pseudo_header

if TYPE_CHECKING:
    from stack.tcp.connection import Connection

CLIENT = parse("192.0.2.1")
SERVER = parse("192.0.2.2")
PORT = 7


@dataclass
class FixedNetwork:
    """The network layer that TCP asks: one address, one path MTU."""

    address: Address
    mtu: int = 1500

    def source_for(self, destination: Address) -> Address | None:
        return self.address if len(destination) == len(self.address) else None

    def mtu_for(self, destination: Address) -> int:
        return self.mtu

    def is_local(self, address: Address) -> bool:
        return address == self.address


class Host:
    """One engine, its counters, and what its connections have told their user."""

    def __init__(self, address: Address, seed: int = 1, limits: Limits | None = None, mtu: int = 1500) -> None:
        self.address = address
        self.counters = Counters()
        self.network = FixedNetwork(address, mtu)
        self.engine = Engine(self.network, random.Random(seed).randbytes(32), self.counters, limits)
        self.accepted: list[Connection] = []

    def count(self, reason: str) -> int:
        return self.counters.value("tcp", reason)

    def collect(self) -> None:
        for connection in self.engine.changed():
            if connection.listener is not None and connection.user is None:
                connection.user = self
                self.accepted.append(connection)


@dataclass
class Faults:
    """Chances from 0 to 1 for each segment, and seconds of delay."""

    loss: float = 0.0
    duplication: float = 0.0
    corruption: float = 0.0
    reordering: float = 0.0
    delay: float = 0.01


class Wire:
    """Joins two hosts; `run` moves simulated time forward until nothing is left to do or a condition holds."""

    def __init__(self, *hosts: Host, faults: Faults | None = None, seed: int = 1) -> None:
        self.hosts = {host.address: host for host in hosts}
        self.faults = faults or Faults()
        self.now = 1000.0
        self.trace: list[tuple[Address, Segment]] = []
        self.tap: Callable[[Address, Segment], bool] | None = None
        """Called with the source and segment; says whether the segment gets through."""
        self._random = random.Random(seed)
        self._flying: list[tuple[float, int, Address, Address, bytes]] = []
        self._order = itertools.count()

    def run(self, until: Callable[[], bool] | None = None, seconds: float = 600.0) -> None:
        """Run until `until` holds; AssertionError when it doesn't within so many simulated seconds of its own."""
        end = self.now + seconds
        while True:
            self._exchange()
            if until is not None and until():
                return
            times = [at for host in self.hosts.values() if (at := host.engine.poll_at()) is not None]
            if self._flying:
                times.append(self._flying[0][0])
            if not times or min(times) > end:
                self.now = end
                assert until is None, "the condition was not reached"
                return
            self.now = max(self.now, min(times))

    def _exchange(self) -> None:
        while self._flying and self._flying[0][0] <= self.now:
            _, _, source, destination, data = heapq.heappop(self._flying)
            host = self.hosts.get(destination)
            if host is not None:
                host.engine.receive(source, destination, data, self.now)
                host.collect()
        for host in self.hosts.values():
            for source, destination, segments in host.engine.transmit(self.now):
                for data in segments:
                    self.send(source, destination, data)
            host.collect()

    def send(self, source: Address, destination: Address, data: bytes) -> None:
        segment = parse_segment(data, pseudo_header(source, destination, 6, len(data)))
        self.trace.append((source, segment))
        if self.tap is not None and not self.tap(source, segment):
            return
        faults, chance = self.faults, self._random.random
        for _ in range(2 if chance() < faults.duplication else 1):
            if chance() < faults.loss:
                continue
            octets = bytearray(data)
            if chance() < faults.corruption:
                octets[self._random.randrange(len(octets))] ^= 1 << self._random.randrange(8)
            late = faults.delay * (1 + 3 * chance()) if chance() < faults.reordering else faults.delay
            heapq.heappush(self._flying, (self.now + late, next(self._order), source, destination, bytes(octets)))


@dataclass
class Transfer:
    """A client connects, sends `data`, closes; the server reads to the end and closes."""

    wire: Wire
    client: Host
    server: Host
    data: bytes
    received: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.server.engine.listen(Endpoint(self.server.address, PORT))
        remote = Endpoint(self.server.address, PORT)
        self.connection: Connection = self.client.engine.connect(
            Endpoint(self.client.address, 0), remote, self.wire.now
        )
        self._sent = 0

    def step(self) -> bool:
        """Let both users do what they can; is all done?"""
        connection = self.connection
        if connection.state is State.ESTABLISHED:
            self._sent += connection.send(self.data[self._sent : self._sent + (1 << 18)])
            if self._sent == len(self.data):
                connection.close()
        if not self.server.accepted:
            return False
        accepted = self.server.accepted[0]
        while data := accepted.receive(1 << 16):
            self.received += data
        if accepted.finished:
            accepted.close()
        return accepted.state is State.CLOSED and connection.state in (State.TIME_WAIT, State.CLOSED)
