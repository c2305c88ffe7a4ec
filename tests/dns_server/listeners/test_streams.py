"""DNS over streams: framing, pipelining, limits. Real sockets and loops; the answers are made up here."""

import asyncio
import socket

from hypothesis import given, settings
from hypothesis import strategies as st

from dns_server.listeners.streams import UNSENT_LIMIT, StreamLimits, Streams
from tests.dns_server.listeners.streams import (
    PATIENCE_S,
    WIDE,
    assert_closed,
    echo,
    frame,
    messages,
    read_message,
    run,
    serving,
    until,
)
from tests.support.handlers import nothing


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
