"""asyncio's streams run on the loop unchanged."""

import asyncio
import os

import pytest

from stack.tcp.commons import Limits
from tests.stack.loop.alone import ADDRESS, run


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()


def test_octets_come_back_and_both_sides_close() -> None:
    async def main() -> None:
        server = await asyncio.start_server(echo, ADDRESS, 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(ADDRESS, port)
        assert writer.get_extra_info("peername") == (ADDRESS, port)
        sent = os.urandom(1_000_000)

        async def send() -> None:
            for at in range(0, len(sent), 10_007):
                writer.write(sent[at : at + 10_007])
                await writer.drain()
            writer.write_eof()

        received, _ = await asyncio.gather(reader.read(), send())
        assert received == sent
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    run(main())


def test_a_reader_that_stops_reading_stops_the_writer() -> None:
    async def main() -> None:
        connected: asyncio.Future[asyncio.StreamReader] = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(lambda reader, _: connected.set_result(reader), ADDRESS, 0)
        _, writer = await asyncio.open_connection(ADDRESS, server.sockets[0].getsockname()[1])
        reader = await connected
        written = 0

        async def write() -> None:
            nonlocal written
            while written < 10_000_000:
                writer.write(bytes(1000))
                written += 1000
                await writer.drain()

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(write(), 1)
        # Both buffers of the connection, of the transport and of the reader are full, no more.
        assert written < 400_000
        await reader.readexactly(written)
        await writer.drain()
        writer.close()
        server.close()

    run(main(), Limits(send_buffer=1 << 16, receive_buffer=1 << 16))


def test_a_connection_to_a_closed_port_is_refused() -> None:
    async def main() -> None:
        with pytest.raises(ConnectionRefusedError, match=r"192\.0\.2\.1:9"):
            await asyncio.open_connection(ADDRESS, 9)

    run(main())


def test_abort_is_a_reset_for_the_peer() -> None:
    async def main() -> None:
        async def drop(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.abort()

        server = await asyncio.start_server(drop, ADDRESS, 0)
        reader, _ = await asyncio.open_connection(ADDRESS, server.sockets[0].getsockname()[1])
        with pytest.raises(ConnectionResetError):
            await reader.read()
        server.close()

    run(main())


def test_data_sent_before_close_arrives() -> None:
    async def main() -> None:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(bytes(500_000))
            writer.close()

        server = await asyncio.start_server(answer, ADDRESS, 0)
        reader, writer = await asyncio.open_connection(ADDRESS, server.sockets[0].getsockname()[1])
        assert len(await reader.read()) == 500_000
        writer.close()
        server.close()

    run(main())


def test_what_waits_for_the_buffers_of_others_is_sent_when_they_are_gone() -> None:
    async def main() -> None:
        release = asyncio.Event()

        async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(bytes(60_000))  # the peer does not read: that is all the room there is
            await release.wait()
            writer.transport.abort()

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(bytes(50_000))
            writer.close()

        holder = await asyncio.start_server(hold, ADDRESS, 0)
        answerer = await asyncio.start_server(answer, ADDRESS, 0)
        connect = asyncio.get_running_loop().create_connection
        silent, _ = await connect(asyncio.Protocol, ADDRESS, holder.sockets[0].getsockname()[1])
        silent.pause_reading()
        await asyncio.sleep(0.2)
        reader, other = await asyncio.open_connection(ADDRESS, answerer.sockets[0].getsockname()[1])
        waiting = asyncio.ensure_future(reader.read())
        await asyncio.sleep(0.2)
        assert not waiting.done()
        release.set()
        assert len(await waiting) == 50_000
        silent.abort()
        other.close()
        for server in (holder, answerer):
            server.close()

    run(main(), Limits(buffered=60_000, reserve=0))
