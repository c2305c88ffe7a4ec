"""Datagrams in batches over real sockets: what comes goes back where it came from."""

import asyncio
import socket
from collections.abc import AsyncGenerator

import pytest

from dns_server.answer.batch import Batch
from dns_server.answer.engine import Kind
from dns_server.client import Client
from dns_server.endpoint import Endpoint
from dns_server.listeners.datagrams import MAX_QUERY
from dns_server.listeners.host import HostListeners
from dns_server.listeners.later import Later
from dns_server.listeners.messages import BATCH, is_available

pytestmark = pytest.mark.skipif(not is_available(), reason="this system has no recvmmsg of the layout used")


def echo(batch: Batch, count: int) -> list[tuple[int, Kind]]:
    """Send each datagram back reversed; those that begin with `-` get no reply, those with `later` one that waits."""
    elsewhere = []
    for index in range(count):
        query = batch.query(index)
        batch.reply_lengths[index] = 0
        if query.startswith(b"later"):
            elsewhere.append((index, Kind.NOTIFY))
        elif query and not query.startswith(b"-"):
            batch.put_reply(index, query[::-1] if query != b"who?" else batch.source(index))
    return elsewhere


async def later(_kind: Kind, wire: bytes, client: Client) -> AsyncGenerator[bytes, None]:
    """The datagram reversed, and the address that it is from, some turns later."""
    for _ in range(10):
        await asyncio.sleep(0)
    yield wire[::-1] + client.address.encode()


@pytest.fixture(params=["127.0.0.1", "::1", "0.0.0.0", "::"])
def address(request: pytest.FixtureRequest) -> str:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((request.param, 0))
    except OSError:
        pytest.skip(f"this machine has no {request.param}")
    address: str = request.param
    return address


def exchange(address: str, datagrams: list[bytes], replies: int) -> tuple[list[bytes], HostListeners]:
    """What comes back for `datagrams`, and from the very address that they were sent to."""

    async def run() -> tuple[list[bytes], HostListeners]:
        loop = asyncio.get_running_loop()
        later_ones = Later(loop, later, lambda *_, **__: None, lambda *_, **__: None)
        listeners = HostListeners(loop, lambda *_, **__: None, later_ones, echo)
        bound = await listeners.open(Endpoint(address, 0), lambda *_: None, asyncio.Protocol)  # type: ignore[arg-type]
        target = {"0.0.0.0": "127.0.0.2", "::": "::1"}.get(address, address)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as client:
            client.connect((target, bound.port))  # a reply from another address would not arrive
            client.setblocking(False)
            for datagram in datagrams:
                client.send(datagram)
            received = [await asyncio.wait_for(loop.sock_recv(client, 65535), 30) for _ in range(replies)]
        listeners.close()
        return received, listeners

    return asyncio.run(run())


@pytest.mark.parametrize("count", [1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH])
def test_every_datagram_is_answered(address: str, count: int) -> None:
    datagrams = [f"datagram {index}".encode() for index in range(count)]
    received, listeners = exchange(address, datagrams, count)
    assert sorted(received) == sorted(datagram[::-1] for datagram in datagrams)
    assert listeners.udp_counters.received == listeners.udp_counters.sent == count


def test_those_without_a_reply_leave_the_others_alone(address: str) -> None:
    received, _ = exchange(address, [b"-", b"one", b"-no", b"", b"two", b"-"], 2)
    assert sorted(received) == [b"eno", b"owt"]


def test_who_asks_is_known(address: str) -> None:
    received, _ = exchange(address, [b"who?"], 1)
    assert received == [bytes((127, 0, 0, 1)) if "." in address else bytes(15) + b"\x01"]


def test_replies_that_take_their_time_go_back_the_same_way(address: str) -> None:
    datagrams = [b"later one", b"at once", b"later two"]
    received, listeners = exchange(address, datagrams, 3)
    client = b"127.0.0.1" if "." in address else b"::1"
    assert sorted(received) == sorted([b"eno retal" + client, b"ecno ta", b"owt retal" + client])
    assert listeners.udp_counters.sent == 3


def test_what_is_too_long_is_dropped_and_counted(address: str) -> None:
    received, listeners = exchange(address, [b"x" * (MAX_QUERY + 100), b"short"], 1)
    assert received == [b"trohs"]
    assert listeners.udp_counters.oversized == 1
