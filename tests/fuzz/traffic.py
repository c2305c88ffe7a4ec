"""A peer that speaks TCP well and badly to the servers of this project, several segments a turn, in made-up time.

Everything hangs on one seed: what the peer sends, how long things take, how small the bounds are. At the end of a run
all connections must have ended, all octets must have been given back, and nobody may have complained.
`python -m tests.fuzz.traffic FIRST LAST` runs those seeds.
"""

import argparse
import asyncio
import random
import struct
from collections.abc import AsyncGenerator
from http import HTTPStatus
from ipaddress import ip_network
from typing import Any, Final

from dns_platform.memory import link
from dns_server.answer.engine import Kind
from dns_server.client import Client
from dns_server.listeners.answering import Aborted
from dns_server.listeners.streams import StreamLimits, Streams
from dns_server.management.http import HttpServer, Response, plain
from stack.address import text
from stack.interface.settings import Settings
from stack.loop.loop import StackLoop
from stack.loop.turn import Platform
from stack.tcp import options, segment
from stack.tcp.commons import Limits
from stack.tcp.segment import ACK, FIN, PSH, RST, SYN, Segment
from stack.tcp.sequence import wrap
from stack.wire import arp, ethernet, ipv4
from stack.wire.arp import Operation
from stack.wire.checksum import pseudo_header
from stack.wire.ethernet import EtherType
from tests.stack.floods import FLOODS, Aim
from tests.stack.interface.lan import OUR_MAC, STRANGER, STRANGER_MAC, US, US_6, arp_packet, ip4
from tests.support.station import static

DNS, HTTP, ECHO = 53, 80, 7
TCP: Final = 6
LONG_S: Final = 1200.0
"""After this every timer of a connection has gone off."""
_TURNS: Final = 20_000
_REQUESTS: Final = (
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /",
    b"\r\n\r\n",
    b"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n",
    b"POST /hook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
    b"5\r\nabcde\r\n0\r\n\r\n",
    bytes(1400),
)


class World:
    """Clock, entropy, poller and link of a loop; it acts whenever the loop waits, for a number of turns."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = 1000.0
        self.device, self._far = link()
        self._turns_left = self.chance.randrange(30, 150)
        self._idle = 0
        self._connections: dict[tuple[int, int], list[int]] = {}
        """What the peer would send and acknowledge next, by its port and ours."""
        aim = Aim(OUR_MAC, US, US_6, STRANGER, 4321)
        self._floods = [flood(aim, self.chance) for flood in FLOODS.values()]

    @property
    def is_quiet(self) -> bool:
        """Has the peer said all it had to say?"""
        return not self._turns_left

    # dns_platform.protocols: Clock, Entropy, Poller

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1.8e9 + self.now

    def random(self, count: int) -> bytes:
        return self.chance.randbytes(count)

    def gather(self) -> None:
        """No time passes here between frames."""

    def wake(self) -> None:
        """Nothing else runs here that could."""

    def close(self) -> None:
        """Nothing to give up."""

    def poll(self, deadline: float | None) -> bool:
        self._hear()
        if self._turns_left:
            self._turns_left -= 1
            self._act(deadline)
        elif deadline is None or deadline <= self.now:
            self._idle += 1
            assert self._idle < _TURNS, "turns without end"
        else:
            self._idle = 0
            self.now = deadline
        return True

    # The peer

    def _act(self, deadline: float | None) -> None:
        chance = self.chance
        match chance.randrange(10):
            case 0 | 1 | 2 | 3 | 4:
                self._far.transmit([self._segment() for _ in range(chance.randrange(1, 6))])
            case 5:
                self._far.transmit([next(chance.choice(self._floods)) for _ in range(chance.randrange(1, 10))])
            case 6:
                self._far.transmit([arp_packet(Operation.REQUEST, STRANGER_MAC, STRANGER, US)])
            case 7 | 8:
                self.now += chance.choice([0.001, 0.01, 0.1, 0.3])
            case _:
                self.now = max(self.now, min(deadline or 0.0, self.now + 30))

    def _hear(self) -> None:
        for raw in self._far.receive(10_000):
            frame = ethernet.parse(memoryview(raw))
            if frame.ether_type == EtherType.ARP:
                asked = arp.parse(memoryview(frame.payload))
                if asked.operation is Operation.REQUEST and asked.target == STRANGER:
                    self._far.transmit([arp_packet(Operation.REPLY, STRANGER_MAC, STRANGER, US, OUR_MAC)])
            elif frame.ether_type == EtherType.IPV4:
                packet = ipv4.parse(memoryview(frame.payload))
                if packet.protocol == TCP and packet.destination == STRANGER:
                    self._heard(bytes(packet.payload))

    def _heard(self, data: bytes) -> None:
        heard = segment.parse(data, pseudo_header(US, STRANGER, TCP, len(data)))
        key = heard.destination_port, heard.source_port
        numbers = self._connections.setdefault(key, [self.chance.getrandbits(32), 0])
        numbers[1] = wrap(heard.sequence + heard.length)
        if heard.flags & SYN and heard.flags & ACK:
            numbers[0] = heard.acknowledgment

    def _segment(self) -> bytes:
        """A frame with the next segment of a connection, mostly; or one that is a little or quite wrong."""
        chance = self.chance
        if self._connections and chance.random() < 0.85:
            key = chance.choice(list(self._connections))
        else:
            key = chance.randrange(1, 20), chance.choice([DNS, DNS, HTTP, ECHO])
        numbers = self._connections.setdefault(key, [chance.getrandbits(32), 0])
        usual = chance.choice([SYN, SYN, ACK, ACK, ACK, ACK | PSH, ACK, FIN | ACK, RST, SYN | ACK])
        flags = usual if chance.random() < 0.95 else chance.getrandbits(6)
        payload = self._octets(key[1]) if chance.random() < 0.6 and not flags & SYN else b""
        skew = 0 if chance.random() < 0.85 else chance.choice([-1, 1, -100, 100, 1000, 70_000])
        carried = options.Options(1460, chance.choice([None, 7])) if flags & SYN else options.NONE
        window = chance.choice([0, 100, 65535, 65535])
        made = Segment(*key, wrap(numbers[0] + skew), numbers[1], flags, window, carried, payload)
        if not skew:
            numbers[0] = wrap(numbers[0] + made.length)
        return ip4(TCP, segment.emit(made, pseudo_header(STRANGER, US, TCP, 0)))

    def _octets(self, port: int) -> bytes:
        chance = self.chance
        if port == HTTP:
            return chance.choice(_REQUESTS)
        if port == ECHO or chance.random() < 0.3:
            return chance.randbytes(chance.choice([1, 2, 100, 1400]))
        query = bytes((chance.choice([0, 0, 0, 1, 2]),)) + chance.randbytes(chance.choice([11, 30]))
        return ((struct.pack("!H", len(query)) + query) * chance.choice([1, 1, 3, 20]))[:1400]


class Servers:
    """DNS, HTTP and an echo on one loop; what they answer, and when, is a matter of chance."""

    def __init__(self, world: World, loop: StackLoop) -> None:
        self._world = world
        self._loop = loop
        self._chance = chance = world.chance
        self.complaints: list[Any] = []
        limits = StreamLimits(chance.choice([2, 100]), chance.choice([2, 100]), chance.choice([0.5, 10.0]))
        self._streams = Streams(loop, self._answer, self._handle, limits, _ignore, self._complain)
        everyone = [ip_network("0.0.0.0/0")]
        posts = {"/hook": self._post}
        self._http = HttpServer(loop, {"/": self._page}, everyone, None, _ignore, posts)

    async def run(self) -> None:
        """Serve until the peer is quiet and all timers have gone off; then look whether anything is left."""
        listening = [
            await self._loop.create_server(self._streams.plain, text(US), DNS),
            await self._loop.create_server(self._http.protocol, text(US), HTTP),
            await asyncio.start_server(self._echo, text(US), ECHO),
        ]
        while not self._world.is_quiet:
            await self._call()
        await asyncio.sleep(LONG_S)
        self._streams.close()
        self._http.close()
        for server in listening:
            server.close()
            await server.wait_closed()
        await asyncio.sleep(LONG_S)
        commons = self._loop.tcp.commons
        assert not commons.connections
        assert not commons.buffered
        assert not len(self._streams.clients)

    def _complain(self, event: str, **fields: object) -> None:
        self.complaints.append((event, fields))

    async def _pause(self, *seconds: float) -> None:
        if self._chance.random() < 0.3:
            await asyncio.sleep(self._chance.choice(seconds))

    def _answer(self, query: bytes, _source: bytes) -> bytes | Kind | None:
        match query[:1]:
            case b"\1":
                return self._chance.choice(list(Kind))
            case b"\2":
                return None
        return bytes(self._chance.choice([12, 500, 4000]))

    async def _handle(self, _kind: Kind, _query: bytes, _client: Client) -> AsyncGenerator[bytes, None]:
        for _ in range(self._chance.randrange(20)):
            await self._pause(0, 0.01, 1, 20)
            if self._chance.random() < 0.02:
                raise Aborted("by chance")
            yield bytes(self._chance.choice([20, 1000, 16_000]))

    async def _page(self) -> Response:
        await self._pause(0.1, 3)
        return plain(HTTPStatus.OK, "x" * self._chance.choice([10, 100_000]))

    async def _post(self, _fields: object, _body: bytes, _address: str) -> Response:
        return await self._page()

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await asyncio.wait_for(reader.read(1 << 16), 30):
                writer.write(data * self._chance.choice([1, 10]))
                await self._pause(0.01, 1)
                await asyncio.wait_for(writer.drain(), 10)
            writer.write_eof()
            await self._pause(1)
        except (OSError, TimeoutError):
            pass
        finally:
            self._leave(writer)

    async def _call(self) -> None:
        """A connection of ours to the peer."""
        await asyncio.sleep(self._chance.choice([0.1, 1]))
        try:
            port = self._chance.randrange(1, 20)
            reader, writer = await asyncio.wait_for(asyncio.open_connection(text(STRANGER), port), 3)
            try:
                writer.write(b"hello")
                await asyncio.wait_for(reader.read(100), 1)
            finally:
                self._leave(writer)
        except (OSError, TimeoutError):
            pass

    def _leave(self, writer: asyncio.StreamWriter) -> None:
        if self._chance.random() < 0.5:
            writer.close()
        else:
            writer.transport.abort()


def _ignore(event: str, **fields: object) -> None:
    """What a peer can cause at will is no complaint."""


def run(seed: int) -> None:
    """One run. AssertionError says what was left."""
    world = World(seed)
    chance = world.chance
    limits = Limits(
        send_buffer=chance.choice([2000, 1 << 18]),
        receive_buffer=chance.choice([3000, 1 << 18]),
        buffered=chance.choice([20_000, 1 << 24]),
        reserve=chance.choice([0, 2048]),
        half_open=chance.choice([0, 3, 256]),
    )
    settings = Settings(ipv4=static(f"{text(US)}/24"), ipv6_enabled=False)
    loop = StackLoop(Platform(world, world, world, world.device), settings, limits)
    try:
        servers = Servers(world, loop)
        loop.set_exception_handler(lambda _, context: servers.complaints.append(context))
        loop.run_until_complete(servers.run())
    finally:
        loop.close()
    assert not servers.complaints, servers.complaints


def main() -> None:
    """Run the seeds that the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.traffic", description=__doc__)
    parser.add_argument("first", metavar="FIRST", type=int, help="the first seed")
    parser.add_argument("last", metavar="LAST", type=int, help="the seed before which to end")
    options = parser.parse_args()
    for seed in range(options.first, options.last):
        try:
            run(seed)
        except AssertionError as error:
            print(f"seed {seed}: {error!r}")


if __name__ == "__main__":
    main()
