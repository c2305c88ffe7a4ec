"""Linux's TCP and ours, in both directions."""

import asyncio
import hashlib
from collections.abc import Iterator

import pytest

from stack.loop.loop import StackLoop
from tests.stack.loop.linux import OURS, SINK, SOURCE, THEIRS, linked, program, run
from tests.support.namespaces import Namespace

pytestmark = pytest.mark.netns
Link = tuple[Namespace, StackLoop]


def pattern(length: int) -> bytes:
    block = hashlib.sha256(b"pattern").digest() * 2048
    return (block * (length // len(block) + 1))[:length]


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    with linked() as both:
        yield both


async def send_to_linux(link: Link, version: int, length: int) -> str:
    """What Linux says that it received."""
    async with program(link[0], SINK, THEIRS[version]) as sink:
        _, writer = await asyncio.open_connection(THEIRS[version], int(await sink.line()))
        data = pattern(length)
        for at in range(0, length, 1 << 16):
            writer.write(data[at : at + (1 << 16)])
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        return await sink.line()


async def receive_from_linux(link: Link, version: int, length: int) -> str:
    """What we received, in Linux's words."""
    received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.set_result(await reader.read())
        writer.close()

    server = await asyncio.start_server(take, OURS[version], 0)
    port = server.sockets[0].getsockname()[1]
    async with program(link[0], SOURCE, OURS[version], port, length) as source:
        data = await received
        assert (await source.line()).startswith("0 ")
    server.close()
    return f"{len(data)} {hashlib.sha256(data).hexdigest()}"


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("length", [0, 1, 4_000_000])
def test_octets_go_both_ways(link: Link, version: int, length: int) -> None:
    expected = f"{length} {hashlib.sha256(pattern(length)).hexdigest()}"
    assert run(link[1], send_to_linux(link, version, length)) == expected
    assert run(link[1], receive_from_linux(link, version, length)) == expected


def test_a_closed_port_of_linux_refuses(link: Link) -> None:
    async def main() -> None:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(THEIRS[4], 9)

    run(link[1], main())
