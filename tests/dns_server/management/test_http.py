"""The HTTP server by itself: its bounds, its manners, and what malformed requests get."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dns_server.management import http
from dns_server.management.http import MAX_CONNECTIONS, MAX_HEADER, MAX_PER_CLIENT, HttpServer, Response, plain

PATIENCE_S = 60.0
TOKEN = "a token of sixteen and more"
BIG = b"x" * 20_000_000


async def small() -> Response:
    return plain(HTTPStatus.OK, "hello")


async def big() -> Response:
    return Response(HTTPStatus.OK, "application/octet-stream", BIG)


Reports = list[str]


@asynccontextmanager
async def serving(
    token: str | None = None, allowed: tuple[str, ...] = ("127.0.0.0/8",)
) -> AsyncIterator[tuple[int, Reports]]:
    loop = asyncio.get_running_loop()
    reports: Reports = []
    networks = [ip_network(text) for text in allowed]
    server = HttpServer(loop, {"/": small, "/big": big}, networks, token, lambda event, **_: reports.append(event))
    async with await loop.create_server(server.protocol, "127.0.0.1", 0) as listener:
        yield listener.sockets[0].getsockname()[1], reports
        server.close()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(PATIENCE_S):
            await scenario()

    asyncio.run(bounded())


async def exchange(port: int, request: bytes) -> bytes:
    """Everything that comes back for `request`, after which nothing more is sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        writer.write(request)
        await writer.drain()
        writer.write_eof()
    received = b""
    with contextlib.suppress(ConnectionError):
        while octets := await reader.read(65536):
            received += octets
    writer.close()
    return received


def get(path: str, *fields: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: test", *fields, "", ""]).encode()


def test_pipelined_requests_are_answered_on_one_connection() -> None:
    async def scenario() -> None:
        async with serving() as (port, _):
            received = await exchange(port, get("/") * 3)
            assert received.count(b"HTTP/1.1 200") == 3
            assert received.count(b"hello") == 3

    run(scenario)


@pytest.mark.parametrize("target", ["/", "/?x=/y", "http://test/", "http://other:1/?x", "http://test"])
def test_rfc_9112_3_2_forms_of_the_target(target: str) -> None:
    async def scenario() -> None:
        async with serving() as (port, _):
            assert b"hello" in await exchange(port, get(target))

    run(scenario)


def test_head_has_the_length_and_no_body() -> None:
    async def scenario() -> None:
        async with serving() as (port, _):
            received = await exchange(port, get("/", method="HEAD"))
            assert b"content-length: 6" in received.lower()
            assert received.endswith(b"\r\n\r\n")

    run(scenario)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get("/nothing"), 404),
        (get("/../etc/passwd"), 404),
        (get("/%2e%2e/"), 404),
        (get("//"), 404),
        (get("http://test/../"), 404),
        (get("http://"), 200),
        (get("*", method="OPTIONS"), 405),
        (get("test:1", method="CONNECT"), 405),
        (get("/", "Host: another"), 400),
        (get("/", method="GET\t"), 400),
        (get("/", "X : y"), 400),
        (get("/", " folded"), 200),
        (b"GET / HTTP/2.0\r\nHost: test\r\n\r\n", 505),
        (get("/", "Transfer-Encoding: chunked", "Content-Length: 5") + b"0\r\n\r\n", 200),
        (get("/", method="POST"), 405),
        (get("/", "Content-Length: 5", method="PUT") + b"hello", 405),
        (get("/", f"Content-Length: {MAX_HEADER + 1}") + b"x" * (MAX_HEADER + 1), 413),
        (get("/", "Content-Length: 5", "Expect: 100-continue"), 417),
        (get("/", "X: " + "x" * 2 * MAX_HEADER), 431),
        (get("/", *["X: y"] * MAX_HEADER), 431),
        (get("/" + "x" * 2 * MAX_HEADER), 431),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400),
        (get("/", "Content-Length: 5", "Content-Length: 6"), 400),
        (get("/", "Content-Length: -1"), 400),
        (get("/", "Transfer-Encoding: nonsense"), 501),
        (get("/ HTTP/1.1\r\nX: y\r\n\r\nGET /"), 400),
        (get("/", "Transfer-Encoding: chunked") + b"zz\r\n", 400),
    ],
)
def test_bad_request_is_told_what_is_wrong(request_: bytes, status: int) -> None:
    async def scenario() -> None:
        async with serving() as (port, _):
            received = await exchange(port, request_)
            assert int(received.split()[1]) in (status, 200), received[:200]
            assert f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode() in received, received[:200]
            assert b"hello" in await exchange(port, get("/"))

    run(scenario)


@given(st.binary(max_size=600))
@settings(max_examples=50, deadline=None)
def test_any_octets_are_survived(octets: bytes) -> None:
    async def scenario() -> None:
        async with serving() as (port, _):
            await exchange(port, octets)
            await exchange(port, get("/")[:20] + octets)
            assert b"hello" in await exchange(port, get("/"))

    run(scenario)


def test_address_outside_the_allowed_networks_gets_nothing() -> None:
    async def scenario() -> None:
        async with serving(allowed=("192.0.2.0/24", "::1/128")) as (port, reports):
            assert await exchange(port, get("/")) == b""
            assert reports == ["HTTP connection refused: the address is not in --http-allow"]

    run(scenario)


def basic(password: str) -> str:
    return "Authorization: Basic " + base64.b64encode(f"me:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("field", "status"),
    [
        (f"Authorization: Bearer {TOKEN}", 200),
        (basic(TOKEN), 200),
        ("X: y", 401),
        ("Authorization: Bearer wrong", 401),
        ("Authorization: Bearer", 401),
        (f"Authorization: {TOKEN}", 401),
        (basic("wrong"), 401),
        ("Authorization: Basic !!!", 401),
        (f"Authorization: Digest {TOKEN}", 401),
    ],
)
def test_token_is_needed_where_there_is_one(field: str, status: int) -> None:
    async def scenario() -> None:
        async with serving(TOKEN) as (port, _):
            assert (await exchange(port, get("/", field))).startswith(f"HTTP/1.1 {status} ".encode())
            assert (await exchange(port, get("/nothing"))).startswith(b"HTTP/1.1 401 ")

    run(scenario)


def test_slow_request_and_slow_reader_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PATIENCE_S", 0.3)

    async def scenario() -> None:
        async with serving() as (port, _):
            slow, slow_writer = await asyncio.open_connection("127.0.0.1", port)
            slow_writer.write(b"GET / HT")
            taker, taker_writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            taker_writer.write(get("/big"))
            with contextlib.suppress(ConnectionError):
                assert await slow.read() == b""
            received = 0
            with contextlib.suppress(ConnectionError):
                await asyncio.sleep(1)  # it does not read for longer than it may
                while octets := await taker.read(65536):
                    received += len(octets)
            assert received < len(BIG)
            slow_writer.close()
            taker_writer.close()

    run(scenario)


def test_connections_are_bounded() -> None:
    async def scenario() -> None:
        async with serving() as (port, reports), contextlib.AsyncExitStack() as held:

            async def connect(source: str) -> asyncio.StreamReader:
                reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
                held.callback(writer.close)
                writer.write(get("/"))
                return reader

            for _ in range(MAX_PER_CLIENT):
                assert b"200" in await (await connect("127.0.0.1")).readline()
            assert await closed(await connect("127.0.0.1"))
            for number in range(MAX_CONNECTIONS - MAX_PER_CLIENT):
                assert b"200" in await (await connect(f"127.0.1.{1 + number // 4}")).readline()
            assert await closed(await connect("127.0.2.1"))
            assert reports == ["HTTP connection refused: there are too many"] * 2

    run(scenario)


async def closed(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.readline() == b""
    except ConnectionError:
        return True
