"""Servers that misbehave, each a real one on a socket: one clear error, and the zones in service stay."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.support.packs import BLOB, commit_of, entry, pack
from tests.support.trees import zone_text
from zones import name as names
from zones.git.errors import GitError, Stage
from zones.git.limits import Limits
from zones.git.pktline import DELIMITER, FLUSH, encode, encode_all
from zones.git.remote import open_remote
from zones.git.url import parse_url
from zones.loader import Options
from zones.snapshot import Snapshot
from zones.sync import Sync

TIMEOUT_S = 60
COM = names.from_text("example.com.")
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

COMMIT, OBJECTS = commit_of({"example.com": zone_text(1)})
GOOD_PACK = pack([entry(kind, content) for kind, content in OBJECTS])
VERSION_2 = encode_all([b"version 2\n", b"agent=test\n", b"ls-refs\n", b"fetch=shallow\n"]) + FLUSH
REFS = encode(b"%s HEAD\n" % COMMIT.encode()) + FLUSH


def bands(data: bytes, size: int = 1000) -> bytes:
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    return encode(b"packfile\n") + b"".join(encode(b"\x01" + piece) for piece in pieces)


def plays(*answers: bytes, then: str = "close") -> Handler:
    """A git daemon that answers each request with the next of `answers`, then closes or stalls."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            if not await reader.read(1 << 16):
                return
            writer.write(answer)
        if then == "stall":
            await reader.read()  # until the client goes

    return handle


@contextlib.asynccontextmanager
async def serving(handle: Handler) -> AsyncIterator[int]:
    tasks = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await handle(reader, writer)
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def error_of(handle: Handler, limits: Limits, scheme: str = "git") -> GitError:
    async def run() -> GitError:
        async with asyncio.timeout(TIMEOUT_S), serving(handle) as port:
            remote = open_remote(parse_url(f"{scheme}://127.0.0.1:{port}/zones.git"), limits)
            with pytest.raises(GitError) as caught:
                await remote.fetch()
            return caught.value

    return asyncio.run(run())


BAD_HASH = GOOD_PACK[:-1] + bytes([GOOD_PACK[-1] ^ 1])
NO_TREE = pack([entry(kind, content) for kind, content in OBJECTS[:1]])
NO_BLOB = pack([entry(kind, content) for kind, content in OBJECTS[:2]])
NOT_A_COMMIT = pack([entry(BLOB, b"x")])


@pytest.mark.parametrize(
    ("handle", "stage", "complaint"),
    [
        (plays(), Stage.REFS, "broke off"),
        (plays(b"\x00\xff\xfe\x80 garbage"), Stage.REFS, "no git protocol"),
        (plays(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Stage.REFS, "no git protocol"),
        (plays(b"SSH-2.0-OpenSSH_9.6\r\n"), Stage.REFS, "no git protocol"),
        (plays(b"fff1"), Stage.REFS, "no git protocol"),
        (plays(b"0003"), Stage.REFS, "no git protocol"),
        (plays(b"+0a0"), Stage.REFS, "no git protocol"),
        (plays(encode(b"ERR access denied or\x1b[31m no repository\n")), Stage.REFS, "server says: access denied or"),
        (plays(encode(b"version 3\n") + FLUSH), Stage.REFS, "version 3"),
        (plays(encode(b"hello\n") + FLUSH), Stage.REFS, "no object id"),
        (plays(VERSION_2[:-9]), Stage.REFS, "broke off"),
        (plays(VERSION_2, b""), Stage.REFS, "broke off"),
        (plays(VERSION_2, encode(b"zz HEAD\n") + FLUSH), Stage.REFS, "no object id"),
        (plays(VERSION_2, FLUSH), Stage.REFS, "no commit on its HEAD"),
        (plays(VERSION_2, encode(b"unborn HEAD symref-target:refs/heads/main\n") + FLUSH), Stage.REFS, "no commit"),
        (plays(VERSION_2, REFS, FLUSH), Stage.FETCH, "without a pack"),
        (plays(VERSION_2, REFS, encode(b"packfile\n") + FLUSH), Stage.UNPACK, "no pack"),
        (plays(VERSION_2, REFS, bands(GOOD_PACK)[:200]), Stage.FETCH, "broke off"),
        (plays(VERSION_2, REFS, bands(GOOD_PACK)), Stage.FETCH, "broke off"),
        (plays(VERSION_2, REFS, bands(GOOD_PACK) + DELIMITER), Stage.FETCH, "out of form"),
        (plays(VERSION_2, REFS, bands(BAD_HASH) + FLUSH), Stage.UNPACK, "hash is wrong"),
        (plays(VERSION_2, REFS, bands(GOOD_PACK[:90]) + FLUSH), Stage.UNPACK, "hash is wrong"),
        (plays(VERSION_2, REFS, bands(NO_TREE) + FLUSH), Stage.UNPACK, "lacks object"),
        (plays(VERSION_2, REFS, bands(NO_BLOB) + FLUSH), Stage.UNPACK, "lacks object"),
        (plays(VERSION_2, REFS, bands(NOT_A_COMMIT) + FLUSH), Stage.UNPACK, "lacks object"),
        (plays(VERSION_2, REFS, encode(b"packfile\n") + encode(b"\x03out of memory")), Stage.FETCH, "out of memory"),
        (plays(VERSION_2, REFS, encode(b"packfile\n") + encode(b"\x07x")), Stage.FETCH, "unknown band"),
        (plays(VERSION_2, REFS, encode(b"ERR upload-pack: not our ref\n")), Stage.FETCH, "not our ref"),
        (plays(VERSION_2, REFS, bands(os.urandom(150_000)) + FLUSH), Stage.FETCH, "longer than 100000 octets"),
        (plays(encode(b"%s HEAD\0\n" % COMMIT.encode()) + FLUSH), Stage.FETCH, "too old"),
        (plays(encode_all([b"%s %s\n" % (b"1" * 40, b"r" * 1000)] * 200)), Stage.REFS, "more than 100000 octets"),
        (plays(VERSION_2, encode(b"%s %s" % (b"1" * 40, b"r" * 60_000)) * 2), Stage.REFS, "more"),
    ],
)
def test_a_broken_daemon_is_one_clear_error(handle: Handler, stage: Stage, complaint: str) -> None:
    error = error_of(handle, Limits(pack=100_000, advertisement=100_000))
    assert complaint in error.reason
    assert error.stage is stage
    assert error.peer.startswith("git://127.0.0.1:")
    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("handle", "complaint"),
    [
        (plays(then="stall"), "no answer in time"),
        (plays(VERSION_2, then="stall"), "no answer in time"),
        (plays(VERSION_2, REFS, bands(GOOD_PACK)[:100], then="stall"), "no answer in time"),
    ],
)
def test_a_stall_ends_the_sync(handle: Handler, complaint: str) -> None:
    assert complaint in error_of(handle, Limits(stall_s=0.2)).reason


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An advertisement without an end, an octet at a time."""
    while True:
        for octet in encode(b"version 2\n") + encode(b"x\n") * 10_000:
            writer.write(bytes([octet]))
            await writer.drain()
            await asyncio.sleep(0.01)


async def progress(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Progress without an end in place of a pack."""
    for answer in (VERSION_2, REFS, encode(b"packfile\n")):
        await reader.read(1 << 16)
        writer.write(answer)
    while True:
        writer.write(encode(b"\x02still counting\r"))
        await writer.drain()
        await asyncio.sleep(0)


@pytest.mark.parametrize("handle", [drip, progress])
def test_a_server_that_is_never_done_is_left(handle: Handler) -> None:
    assert "took longer than" in error_of(handle, Limits(total_s=0.5)).reason


def response(status: str, *fields: str, body: bytes = b"") -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body


ADVERTISEMENT = "Content-Type: application/x-git-upload-pack-advertisement"
RESULT = "Content-Type: application/x-git-upload-pack-result"


@pytest.mark.parametrize(
    ("handle", "complaint"),
    [
        (plays(), "broke off|no HTTP"),
        (plays(b"\x00\xff garbage\r\n\r\n"), "no HTTP"),
        (plays(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000), "no HTTP"),
        (plays(response("200 OK", "Content-Type: text/html", body=b"<html>")), "the answer is text/html"),
        (plays(response("200 OK", body=b"x")), "of no type"),
        (plays(response("404 Not Found")), "404 Not Found"),
        (plays(response("500 Oops")), "500 Oops"),
        (plays(response("403 Forbidden")), "403"),
        (plays(response("302 Found", "Location: https://evil.example/zones.git/info/refs")), "no git repository"),
        (plays(response("302 Found", "Location: ftp://127.0.0.1/z/info/refs?service=git-upload-pack")), "ftp"),
        (plays(response("200 OK", ADVERTISEMENT, body=b"<html>")), "no git protocol"),
        (plays(response("200 OK", ADVERTISEMENT, "Content-Encoding: br", body=b"x")), "content encoding br"),
        (plays(response("200 OK", ADVERTISEMENT, "Content-Encoding: gzip", body=b"no gzip")), "no gzip"),
        (plays(response("200 OK", ADVERTISEMENT, "Content-Encoding: gzip", body=b"")), "broke off"),
        (plays(response("200 OK", ADVERTISEMENT, body=VERSION_2)[:-5]), "broke off|no HTTP"),
        (plays(response("200 OK", ADVERTISEMENT, body=VERSION_2), response("503 Busy")), "503 Busy"),
        (plays(response("200 OK", ADVERTISEMENT, body=VERSION_2), response("200 OK", RESULT, body=b"00")), "broke off"),
    ],
)
def test_a_broken_web_server_is_one_clear_error(handle: Handler, complaint: str) -> None:
    error = error_of(handle, Limits(stall_s=5), "http")
    assert any(part in error.reason for part in complaint.split("|")), error.reason
    assert str(error).isprintable()


def test_tls_to_a_server_that_speaks_none() -> None:
    error = error_of(plays(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Limits(), "https")
    assert error.stage is Stage.CONNECT


def test_a_branch_that_is_forced_between_listing_and_fetch_is_fetched_again() -> None:
    conversations = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal conversations
        conversations += 1
        if conversations == 1:
            old = encode(b"%s HEAD\n" % (b"1" * 40)) + FLUSH
            await plays(VERSION_2, old, encode(b"ERR upload-pack: not our ref 1111\n"))(reader, writer)
        else:
            await plays(VERSION_2, REFS, bands(GOOD_PACK) + FLUSH)(reader, writer)

    async def run() -> None:
        async with asyncio.timeout(TIMEOUT_S), serving(handle) as port:
            version = await open_remote(parse_url(f"git://127.0.0.1:{port}/z")).fetch()
        assert version.state == COMMIT
        assert version.tree.read("example.com") == zone_text(1)

    asyncio.run(run())


class Applied:
    def __init__(self) -> None:
        self.count = 0

    async def __call__(self, snapshot: Snapshot) -> None:
        self.count += 1


def test_whatever_the_server_does_the_zones_stay_and_it_recovers() -> None:
    other, objects = commit_of({"example.com": zone_text(2)})
    refs = encode(b"%s HEAD\n" % other.encode()) + FLUSH
    good = pack([entry(kind, content) for kind, content in objects])
    bad = [
        plays(),
        plays(b"garbage"),
        plays(VERSION_2, refs, bands(BAD_HASH) + FLUSH),
        plays(VERSION_2, refs, bands(good)[:150]),
        plays(encode(b"ERR no\n")),
        plays(VERSION_2, FLUSH),
    ]
    current = plays(VERSION_2, REFS, bands(GOOD_PACK) + FLUSH)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await current(reader, writer)

    async def run() -> None:
        nonlocal current
        applied = Applied()
        async with asyncio.timeout(TIMEOUT_S), serving(handle) as port:
            source = open_remote(parse_url(f"git://127.0.0.1:{port}/z"), Limits(stall_s=5))
            sync = Sync(source, applied, options=Options(), poll_s=0)
            task = asyncio.create_task(sync.run())
            assert (await sync.trigger()).error == ""
            for behaviour in bad:
                current = behaviour
                outcome = await sync.trigger()
                assert outcome.error
                assert outcome.snapshot.zones[COM].zone.serial == 1
            assert applied.count == 1
            current = plays(VERSION_2, refs, bands(good) + FLUSH)
            outcome = await sync.trigger()
            assert (outcome.error, outcome.snapshot.zones[COM].zone.serial) == ("", 2)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
