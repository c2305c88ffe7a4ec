"""Replies over streams that come later: others overtake them, and nobody is kept waiting for nothing."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator

from dns_server.answer.engine import Kind
from dns_server.client import Client
from dns_server.listeners.answering import Aborted
from dns_server.listeners.streams import LATER_LIMIT, StreamLimits
from tests.dns_server.listeners.streams import (
    echo,
    frame,
    read_message,
    run,
    serving,
    until,
)


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
