"""Streams on a port of this machine, and what a client of a test does there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from dns_server.listeners.answering import Answer, Handle
from dns_server.listeners.streams import StreamLimits, Streams
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
