"""What programs written for asyncio expect of a loop: TLS, datagrams, servers, signals, happy eyeballs."""

import asyncio
import os
import signal
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from stack.loop.dial import interleave, race
from stack.loop.names import AddressInfo
from stack.tcp.commons import Limits
from tests.stack.loop.alone import ADDRESS, run
from tests.stack.loop.test_streams import echo
from tests.support.git import certificate

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def listening(handler: Handler = echo, context: ssl.SSLContext | None = None) -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(handler, ADDRESS, 0, ssl=context)
    return server, server.sockets[0].getsockname()[1]


def test_tls_by_asyncios_own_ssl(tmp_path: Path) -> None:
    async def main() -> None:
        with certificate(tmp_path) as (for_server, for_client):
            server, port = await listening(context=for_server)
            reader, writer = await asyncio.open_connection(ADDRESS, port, ssl=for_client, server_hostname="localhost")
            assert writer.get_extra_info("peername") == (ADDRESS, port)
            assert writer.get_extra_info("cipher") is not None
            sent = os.urandom(300_000)
            writer.write(sent)
            assert await reader.readexactly(len(sent)) == sent
            writer.close()
            await writer.wait_closed()
            server.close()
            await server.wait_closed()

    run(main())


def test_tls_with_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        with certificate(tmp_path) as (for_server, for_client):
            asyncio.get_running_loop().set_exception_handler(lambda _, __: None)  # the server's side of it
            server, port = await listening(context=for_server)
            with pytest.raises(OSError, match="certificate verify failed"):
                await asyncio.open_connection(ADDRESS, port, ssl=for_client, server_hostname="elsewhere.example")
            server.close()

    run(main())


def test_tls_can_be_started_within_a_connection(tmp_path: Path) -> None:
    async def main() -> None:
        with certificate(tmp_path) as (for_server, for_client):

            async def upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                assert await reader.readline() == b"STARTTLS\n"
                writer.write(b"go\n")
                await writer.drain()
                await writer.start_tls(for_server)
                writer.write(await reader.readline())
                await writer.drain()
                writer.close()

            server, port = await listening(upgrade)
            reader, writer = await asyncio.open_connection(ADDRESS, port)
            writer.write(b"STARTTLS\n")
            assert await reader.readline() == b"go\n"
            await writer.start_tls(for_client, server_hostname="localhost")
            writer.write(b"secret\n")
            assert await reader.readline() == b"secret\n"
            writer.close()
            server.close()

    run(main())


class Collector(asyncio.DatagramProtocol):
    """Puts all that it is told into a queue."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Any] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.told.put_nowait((data, addr))

    def error_received(self, exc: Exception) -> None:
        self.told.put_nowait(exc)


def test_datagrams_are_sent_and_received() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        receiver, at_receiver = await loop.create_datagram_endpoint(Collector, local_addr=(ADDRESS, 0))
        sender, at_sender = await loop.create_datagram_endpoint(
            Collector, remote_addr=receiver.get_extra_info("sockname")
        )
        sender.sendto(b"question")
        data, source = await at_receiver.told.get()
        assert data == b"question"
        receiver.sendto(b"answer", source)
        assert await at_sender.told.get() == (b"answer", receiver.get_extra_info("sockname"))
        receiver.close()
        sender.sendto(b"nobody is there")
        assert isinstance(await at_sender.told.get(), ConnectionRefusedError)
        sender.close()

    run(main())


def test_a_port_is_listened_on_once_and_free_after_close() -> None:
    async def main() -> None:
        server, port = await listening()
        with pytest.raises(OSError, match="in use"):
            await asyncio.start_server(echo, ADDRESS, port)
        server.close()
        await server.wait_closed()
        again = await asyncio.start_server(echo, ADDRESS, port)
        again.close()

    run(main())


def test_an_address_that_is_not_ours_is_not_listened_on() -> None:
    async def main() -> None:
        with pytest.raises(OSError, match=r"198\.51\.100\.1"):
            await asyncio.start_server(echo, "198.51.100.1", 0)

    run(main())


def test_wait_closed_waits_for_the_last_connection() -> None:
    async def main() -> None:
        server, port = await listening()
        reader, writer = await asyncio.open_connection(ADDRESS, port)
        writer.write(b"x")
        await reader.readexactly(1)
        server.close()
        waiting = asyncio.create_task(server.wait_closed())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        writer.close()
        await waiting

    run(main())


def test_a_signal_is_handled_while_the_loop_waits() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        arrived = asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, arrived.set)
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        await arrived.wait()
        assert loop.remove_signal_handler(signal.SIGUSR1)
        assert not loop.remove_signal_handler(signal.SIGUSR1)

    run(main())


def test_another_thread_wakes_the_loop() -> None:
    async def main() -> None:
        assert await asyncio.to_thread(lambda: 42) == 42

    run(main())


def test_names_need_a_resolver_and_numbers_do_not() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        (info,) = await loop.getaddrinfo("2001:db8::1", "53", type=socket.SOCK_STREAM)
        assert info == (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 53, 0, 0))
        with pytest.raises(socket.gaierror, match=r"git\.example"):
            await loop.getaddrinfo("git.example", 443)
        with pytest.raises(socket.gaierror):
            await loop.getaddrinfo("192.0.2.1", 53, family=socket.AF_INET6)

    run(main())


def info(address: str) -> AddressInfo:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.SOCK_STREAM, 6, "", (address, 1)


def test_addresses_of_both_families_take_turns() -> None:
    """RFC 8305 4."""
    found = [info(address) for address in ("2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1")]
    assert [each[4][0] for each in interleave(found)] == ["2001:db8::1", "192.0.2.1", "2001:db8::2", "2001:db8::3"]
    assert [each[4][0] for each in interleave(found, 2)][:3] == ["2001:db8::1", "2001:db8::2", "192.0.2.1"]


def test_the_first_address_to_answer_wins_and_latecomers_are_discarded() -> None:
    """RFC 8305 5."""

    async def main() -> None:
        tried: list[str] = []
        discarded: list[str] = []

        async def attempt(candidate: AddressInfo) -> str:
            address = candidate[4][0]
            tried.append(address)
            if address == "192.0.2.1":
                await asyncio.sleep(3600)
            if address == "192.0.2.2":
                raise ConnectionRefusedError(111, "no")
            return address

        candidates = [info(f"192.0.2.{last}") for last in (1, 2, 3, 4)]
        assert await race(candidates, attempt, 0.01, discarded.append) == "192.0.2.3"
        assert tried == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
        with pytest.raises(ConnectionRefusedError):
            await race(candidates[1:2], attempt, 0.01, discarded.append)

    run(main())


def test_a_thousand_idle_connections_are_small() -> None:
    """The goal is 8 kB for each, protocols apart; a test of memory on a busy machine leaves some room."""
    import tracemalloc

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, ADDRESS, 0)
        port = server.sockets[0].getsockname()[1]
        warm = [await loop.create_connection(asyncio.Protocol, ADDRESS, port) for _ in range(5)]
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        open_ = [await loop.create_connection(asyncio.Protocol, ADDRESS, port) for _ in range(500)]
        used = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        # Both ends are here: a thousand connections.
        assert used / 1000 < 8000
        for transport, _ in warm + open_:
            transport.abort()
        server.close()

    run(main(), Limits(connections=2000))
