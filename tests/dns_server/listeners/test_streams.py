"""DNS over streams: framing, pipelining, limits. Real sockets and loops; the answers are made up here."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dns_server.answer.engine import Kind
from dns_server.client import Client
from dns_server.listeners.answering import Aborted, Answer, Handle
from dns_server.listeners.clients import Clients, client_of
from dns_server.listeners.streams import LATER_LIMIT, UNSENT_LIMIT, StreamLimits, Streams
from tests.support.handlers import nothing

PATIENCE_S = 60.0
WIDE = StreamLimits(connections=100, per_client=100, idle_s=PATIENCE_S)

Reports = list[tuple[str, dict[str, object]]]


def echo(query: bytes, _source: bytes) -> bytes | None:
    """The query back; nothing for what is shorter than a header."""
    return query if len(query) >= 12 else None


class Service:
    """Streams on a port of this machine."""

    def __init__(self, streams: Streams, port: int, reports: Reports) -> None:
        self.streams = streams
        self.port = port
        self.reports = reports

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


@asynccontextmanager
async def serving(
    limits: StreamLimits = WIDE, answer: Answer = echo, handle: Handle = nothing
) -> AsyncIterator[Service]:
    loop = asyncio.get_running_loop()
    reports: Reports = []

    def report(event: str, **fields: object) -> None:
        reports.append((event, fields))

    streams = Streams(loop, answer, handle, limits, report, report)
    async with await loop.create_server(streams.plain, "127.0.0.1", 0) as server:
        yield Service(streams, server.sockets[0].getsockname()[1], reports)
        streams.close()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await scenario()

    asyncio.run(bounded())


def frame(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


async def read_message(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))


async def assert_closed(reader: asyncio.StreamReader) -> None:
    """The server closed or reset the connection, without an answer."""
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  what it waits for is polled on purpose: it has no event
        await asyncio.sleep(0.01)


def messages(count: int, size: int = 40) -> list[bytes]:
    return [number.to_bytes(4, "big") * (size // 4) for number in range(count)]


@given(cuts=st.lists(st.integers(0, 2000), max_size=12), sizes=st.lists(st.integers(12, 700), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_messages_may_be_cut_anywhere(cuts: list[int], sizes: list[int]) -> None:
    sent = [bytes([number]) * size for number, size in enumerate(sizes)]
    octets = b"".join(map(frame, sent))

    async def scenario() -> None:
        async with serving() as service:
            reader, writer = await service.connect()
            start = 0
            for cut in [*sorted(cut for cut in cuts if cut < len(octets)), len(octets)]:
                writer.write(octets[start:cut])
                await writer.drain()
                await asyncio.sleep(0)
                start = cut
            assert [await read_message(reader) for _ in sent] == sent
            writer.close()

    run(scenario)


def test_pipelined_queries_are_all_answered_in_order() -> None:
    async def scenario() -> None:
        async with serving() as service:
            reader, writer = await service.connect()
            sent = messages(1000)
            writer.write(b"".join(map(frame, sent)))
            assert [await read_message(reader) for _ in sent] == sent
            assert service.streams.counters.queries == 1000
            writer.close()

    run(scenario)


def test_length_and_body_leave_in_one_write() -> None:
    """RFC 7766 8."""

    class Recorder(asyncio.Transport):
        def __init__(self) -> None:
            super().__init__({"peername": ("192.0.2.1", 5)})
            self.written: list[bytes] = []

        def write(self, data: object) -> None:
            assert isinstance(data, bytes)
            self.written.append(data)

        def is_closing(self) -> bool:
            return False

        def is_reading(self) -> bool:
            return True

        def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
            assert high == UNSENT_LIMIT

    async def scenario() -> None:
        streams = Streams(asyncio.get_running_loop(), echo, nothing, WIDE, lambda *_: None, lambda *_: None)
        connection, transport = streams.plain(), Recorder()
        connection.connection_made(transport)
        connection.data_received(frame(b"x" * 12))
        connection.data_received(frame(b"y" * 12) + frame(b"z" * 12))
        assert transport.written == [frame(b"x" * 12), frame(b"y" * 12) + frame(b"z" * 12)]

    run(scenario)


def test_half_closed_client_gets_its_answers() -> None:
    async def scenario() -> None:
        async with serving() as service:
            reader, writer = await service.connect()
            sent = messages(200)
            writer.write(b"".join(map(frame, sent)))
            writer.write_eof()
            assert await reader.read() == b"".join(map(frame, sent))
            writer.close()

    run(scenario)


def test_garbage_closes_the_connection_after_the_answers_before_it() -> None:
    async def scenario() -> None:
        async with serving() as service:
            reader, writer = await service.connect()
            writer.write(frame(b"x" * 12) + frame(b"short") + frame(b"y" * 12))
            assert await reader.read() == frame(b"x" * 12)
            writer.close()

    run(scenario)


def test_slow_reader_is_not_read_from_and_holds_little() -> None:
    async def scenario() -> None:
        big = b"b" * 60_000
        answered = 0

        def answer(_query: bytes, _source: bytes) -> bytes:
            nonlocal answered
            answered += 1
            return big

        async with serving(answer=answer) as service:
            with socket.create_connection(("127.0.0.1", service.port)) as client:
                client.setblocking(False)
                loop = asyncio.get_running_loop()
                queries = frame(b"q" * 12) * 5000
                sending = asyncio.create_task(loop.sock_sendall(client, queries))
                before = -1
                while answered != before:  # until it goes no further
                    before = answered
                    await asyncio.sleep(0.2)
                assert answered < 1000  # what the kernel's buffers take, and no more
                (connection,) = service.streams.clients.all()
                assert connection._transport is not None
                assert connection._transport.get_write_buffer_size() <= UNSENT_LIMIT + len(big) + 2
                # The well-behaved are served meanwhile.
                reader, writer = await service.connect()
                writer.write(frame(b"q" * 12))
                assert await read_message(reader) == big
                writer.close()
                # When the slow one reads, it gets everything.
                received = 0
                while received < 5000 * (len(big) + 2):
                    received += len(await loop.sock_recv(client, 1 << 20))
                await sending

    run(scenario)


def test_reader_that_never_reads_is_closed() -> None:
    async def scenario() -> None:
        limits = StreamLimits(connections=10, per_client=10, idle_s=0.3)
        async with serving(limits, lambda *_: b"b" * 60_000) as service:
            with socket.create_connection(("127.0.0.1", service.port)) as client:
                client.setblocking(False)
                await asyncio.get_running_loop().sock_sendall(client, frame(b"q" * 12) * 1000)
                await until(lambda: service.streams.counters.timed_out == 1)
                await until(lambda: len(service.streams.clients) == 0)

    run(scenario)


def test_idle_connection_is_closed_and_trickle_does_not_help() -> None:
    async def scenario() -> None:
        async with serving(StreamLimits(connections=10, per_client=10, idle_s=0.4)) as service:
            quiet, quiet_writer = await service.connect()
            trickle, trickle_writer = await service.connect()

            async def feed() -> None:
                for octet in frame(b"x" * 4000):
                    trickle_writer.write(bytes((octet,)))
                    await asyncio.sleep(0.02)

            feeding = asyncio.create_task(feed())
            assert await quiet.read() == b""
            await assert_closed(trickle)
            feeding.cancel()
            assert service.streams.counters.timed_out == 2
            quiet_writer.close()
            trickle_writer.close()

    run(scenario)


def test_client_over_its_limit_is_refused_and_others_are_not() -> None:
    async def scenario() -> None:
        async with serving(StreamLimits(connections=100, per_client=2, idle_s=PATIENCE_S)) as service:
            kept = [await service.connect() for _ in range(2)]
            for reader, writer in kept:
                writer.write(frame(b"x" * 12))
                await read_message(reader)
            reader, writer = await service.connect()
            await assert_closed(reader)
            assert service.reports == [
                ("connection refused: its client has too many", {"client": "127.0.0.1", "limit": 2})
            ]
            kept[0][1].close()
            await until(lambda: len(service.streams.clients) == 1)
            again, again_writer = await service.connect()
            again_writer.write(frame(b"y" * 12))
            assert await read_message(again) == b"y" * 12
            for other in (writer, again_writer, kept[1][1]):
                other.close()

    run(scenario)


def test_longest_idle_connection_makes_room() -> None:
    async def scenario() -> None:
        async with serving(StreamLimits(connections=3, per_client=100, idle_s=PATIENCE_S)) as service:
            held = []
            for number in range(3):
                reader, writer = await service.connect()
                writer.write(frame(bytes([number]) * 12))
                await read_message(reader)
                held.append((reader, writer))
            held[0][1].write(frame(b"again" * 3))
            await read_message(held[0][0])
            reader, writer = await service.connect()
            writer.write(frame(b"new" * 4))
            assert await read_message(reader) == b"new" * 4
            await assert_closed(held[1][0])
            held[0][1].write(frame(b"still" * 3))
            assert await read_message(held[0][0]) == b"still" * 3
            assert service.streams.counters.evicted == 1
            for _, other in (*held, (reader, writer)):
                other.close()

    run(scenario)


@given(st.binary(max_size=3000))
@settings(max_examples=60, deadline=None)
def test_any_octets_are_survived(octets: bytes) -> None:
    async def scenario() -> None:
        async with serving() as service:
            reader, writer = await service.connect()
            writer.write(octets)
            writer.write_eof()
            await reader.read()
            writer.close()
            reader, writer = await service.connect()
            writer.write(frame(b"x" * 12))
            assert await read_message(reader) == b"x" * 12
            writer.close()

    run(scenario)


@pytest.mark.parametrize(
    ("one", "another", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1", True),
    ],
)
def test_client_is_an_ipv4_address_or_an_ipv6_64(one: str, another: str, same: bool) -> None:
    assert (client_of(one) == client_of(another)) is same


@given(st.lists(st.tuples(st.sampled_from("atr"), st.integers(0, 5))))
def test_clients_know_the_longest_idle(operations: list[tuple[str, int]]) -> None:
    clients: Clients[int] = Clients(per_client=2)
    last: dict[int, float] = {}
    for now, (operation, connection) in enumerate(operations):
        address = f"192.0.2.{connection % 3}"
        if operation == "a" and connection not in last and clients.may_come(address):
            clients.add(connection, address, now)
            last[connection] = now
        elif operation == "t" and connection in last:
            clients.touch(connection, now)
            last[connection] = now
        elif operation == "r":
            clients.remove(connection)
            last.pop(connection, None)
        assert len(clients) == len(last)
        assert clients.longest_idle() == min(last.items(), key=lambda item: item[1], default=None)
        for address in {f"192.0.2.{number}" for number in range(3)}:
            count = sum(1 for known in last if f"192.0.2.{known % 3}" == address)
            assert clients.may_come(address) is (count < 2)


def split(query: bytes, source: bytes) -> bytes | Kind | None:
    """As `echo`; what begins with `later` is for the handler."""
    return Kind.TRANSFER if query.startswith(b"later") else echo(query, source)


class TestLater:
    """Requests whose replies take their time, or have many messages."""

    def test_others_overtake_them(self) -> None:
        async def scenario() -> None:
            go_on = asyncio.Event()

            async def handle(_kind: Kind, wire: bytes, client: Client) -> AsyncGenerator[bytes, None]:
                assert client.address == "127.0.0.1"
                await go_on.wait()
                yield wire + b" 1"
                yield wire + b" 2"

            async with serving(answer=split, handle=handle) as service:
                reader, writer = await service.connect()
                writer.write(frame(b"later and later") + frame(b"x" * 12))
                assert await read_message(reader) == b"x" * 12
                writer.write(frame(b"y" * 12))
                assert await read_message(reader) == b"y" * 12
                go_on.set()
                assert await read_message(reader) == b"later and later 1"
                assert await read_message(reader) == b"later and later 2"
                writer.close()

        run(scenario)

    def test_a_connection_whose_peer_has_asked_all_stays_until_they_are_done(self) -> None:
        async def scenario() -> None:
            go_on = asyncio.Event()

            async def handle(_kind: Kind, wire: bytes, _client: Client) -> AsyncGenerator[bytes, None]:
                await go_on.wait()
                yield wire

            async with serving(answer=split, handle=handle) as service:
                reader, writer = await service.connect()
                writer.write(frame(b"later and later"))
                writer.write_eof()
                await until(lambda: service.streams.counters.queries == 1)
                go_on.set()
                assert await reader.read() == frame(b"later and later")
                writer.close()

        run(scenario)

    def test_the_next_message_is_made_when_the_one_before_is_taken(self) -> None:
        async def scenario() -> None:
            made = 0

            async def handle(_kind: Kind, _wire: bytes, _client: Client) -> AsyncGenerator[bytes, None]:
                nonlocal made
                for _ in range(2000):
                    made += 1
                    yield b"m" * 50_000

            async with serving(answer=split, handle=handle) as service:
                with socket.create_connection(("127.0.0.1", service.port)) as client:
                    client.setblocking(False)
                    loop = asyncio.get_running_loop()
                    await loop.sock_sendall(client, frame(b"later and later"))
                    before = -1
                    while made != before:
                        before = made
                        await asyncio.sleep(0.2)
                    assert made < 1000  # what the kernel's buffers take, and no more
                    reader, writer = await service.connect()
                    writer.write(frame(b"z" * 12))
                    assert await read_message(reader) == b"z" * 12
                    writer.close()
                    received = 0
                    while received < 2000 * 50_002:
                        received += len(await loop.sock_recv(client, 1 << 20))
                    assert made == 2000

        run(scenario)

    def test_a_peer_that_never_reads_is_closed_and_its_handler_ends(self) -> None:
        async def scenario() -> None:
            ended = asyncio.Event()

            async def handle(_kind: Kind, _wire: bytes, _client: Client) -> AsyncGenerator[bytes, None]:
                try:
                    while True:
                        yield b"m" * 50_000
                finally:
                    ended.set()

            limits = StreamLimits(connections=10, per_client=10, idle_s=0.3)
            async with serving(limits, split, handle) as service:
                with socket.create_connection(("127.0.0.1", service.port)) as client:
                    client.sendall(frame(b"later and later"))
                    await ended.wait()
                    await until(lambda: len(service.streams.clients) == 0)

        run(scenario)

    def test_a_peer_that_waits_for_us_is_not_idle(self) -> None:
        async def scenario() -> None:
            async def handle(_kind: Kind, wire: bytes, _client: Client) -> AsyncGenerator[bytes, None]:
                await asyncio.sleep(1.0)
                yield wire

            limits = StreamLimits(connections=10, per_client=10, idle_s=0.2)
            async with serving(limits, split, handle) as service:
                reader, writer = await service.connect()
                writer.write(frame(b"later and later"))
                assert await read_message(reader) == b"later and later"
                writer.close()

        run(scenario)

    def test_one_connection_has_only_so_many_and_loses_none(self) -> None:
        async def scenario() -> None:
            running = most = 0

            async def handle(_kind: Kind, wire: bytes, _client: Client) -> AsyncGenerator[bytes, None]:
                nonlocal running, most
                running += 1
                most = max(most, running)
                await asyncio.sleep(0.01)
                running -= 1
                yield wire

            async with serving(answer=split, handle=handle) as service:
                reader, writer = await service.connect()
                asked = [b"later and later %d" % number for number in range(100)]
                writer.write(b"".join(map(frame, asked)))
                assert sorted([await read_message(reader) for _ in asked]) == sorted(asked)
                assert most == LATER_LIMIT
                writer.close()

        run(scenario)

    def test_a_reply_that_is_cut_off_ends_the_connection_and_a_defect_too(self) -> None:
        async def scenario() -> None:
            async def handle(_kind: Kind, wire: bytes, _client: Client) -> AsyncGenerator[bytes, None]:
                yield wire
                if b"defect" in wire:
                    raise ZeroDivisionError
                raise Aborted("too slow")

            async with serving(answer=split, handle=handle) as service:
                for query, event in (
                    (b"later and later", "a reply was cut off"),
                    (b"later defect", "internal error, a request was dropped"),
                ):
                    reader, writer = await service.connect()
                    writer.write(frame(query))
                    with contextlib.suppress(ConnectionResetError):
                        while await reader.read(100):
                            pass
                    assert service.reports[-1][0] == event
                    writer.close()

        run(scenario)
