"""A sync that follows a repository into which real git pushes."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.support.git import Origin, daemon, git, web
from tests.support.trees import zone_text
from zones import name as names
from zones.git.remote import open_remote
from zones.git.url import parse_url
from zones.loader import Options
from zones.snapshot import Snapshot
from zones.sync import Sync

TIMEOUT_S = 120
COM = names.from_text("example.com.")
ORG = names.from_text("example.org.")


class Applied:
    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []

    async def __call__(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)


@contextlib.asynccontextmanager
async def following(url: str, poll_s: float = 0.0) -> AsyncIterator[tuple[Sync, Applied]]:
    applied = Applied()
    sync = Sync(open_remote(parse_url(url)), applied, options=Options(), poll_s=poll_s)
    task = asyncio.create_task(sync.run())
    try:
        async with asyncio.timeout(TIMEOUT_S):
            yield sync, applied
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path)


def test_the_life_of_a_repository(origin: Origin) -> None:
    async def life(url: str) -> None:
        async with following(url) as (sync, applied):
            outcome = await sync.trigger()
            assert "no commit" in outcome.error  # empty
            first = origin.push({"example.com": zone_text(1), "README.md": b"zones"})
            outcome = await sync.trigger()
            assert (outcome.error, outcome.snapshot.revision) == ("", first)
            origin.push({"example.com": zone_text(2), "example.org": b"broken"})
            snapshot = (await sync.trigger()).snapshot
            assert snapshot.zones[COM].zone.serial == 2
            assert snapshot.broken.keys() == {ORG}
            git(origin.work, "reset", "--quiet", "--hard", "HEAD~1")
            forced = origin.push({"example.com": zone_text(1, "a A 192.0.2.1"), "example.org": zone_text(9)})
            snapshot = (await sync.trigger()).snapshot
            assert snapshot.revision == forced
            assert [snapshot.zones[zone].zone.serial for zone in (COM, ORG)] == [3, 9]
            git(origin.bare, "update-ref", "-d", "refs/heads/main")
            outcome = await sync.trigger()
            assert "no commit" in outcome.error
            assert outcome.snapshot.zones.keys() == {COM, ORG}
            origin.push({"example.com": zone_text(20), "example.org": zone_text(9)})
            assert (await sync.trigger()).snapshot.zones[COM].zone.serial == 20
            held = origin.push({})
            snapshot = (await sync.trigger()).snapshot
            assert snapshot.revision == held
            assert snapshot.zones.keys() == {COM, ORG}
            assert snapshot.held_back
            origin.push({}, "clear\n\nUnizone-Allow: removal\n")
            assert not (await sync.trigger()).snapshot.zones
            assert len(applied.snapshots) == 6

    with daemon(origin.folder) as base:
        asyncio.run(life(f"{base}/zones.git"))


@contextlib.contextmanager
def on_disk(folder: Path) -> Iterator[str]:
    yield str(folder)


@pytest.mark.parametrize("serve", [daemon, web, on_disk])
def test_pushes_while_it_syncs_are_followed_and_the_last_is_served(
    serve: Callable[[Path], contextlib.AbstractContextManager[str]], origin: Origin
) -> None:
    pushes = 15
    origin.push({"example.com": zone_text(1)})

    def push_all() -> None:
        for serial in range(2, pushes + 2):
            origin.push({"example.com": zone_text(serial), "other": b"x" * 1000 * serial})

    async def run(url: str) -> None:
        async with following(url, poll_s=0.01) as (sync, applied):
            await sync.trigger()
            pusher = threading.Thread(target=push_all)
            pusher.start()
            while pusher.is_alive():
                outcome = await sync.trigger()
                assert not outcome.error
            last = git(origin.bare, "rev-parse", "main")
            outcome = await sync.trigger()
            assert (outcome.error, outcome.snapshot.revision) == ("", last)
            assert outcome.snapshot.zones[COM].zone.serial == pushes + 1
            serials = [snapshot.zones[COM].zone.serial for snapshot in applied.snapshots]
            assert serials == sorted(serials)

    with serve(origin.folder) as base:
        asyncio.run(run(f"{base}/zones.git"))


def test_the_server_goes_and_comes_back(origin: Origin) -> None:
    origin.push({"example.com": zone_text(1)})
    moved = origin.bare.with_name("gone.git")

    async def run(url: str) -> None:
        async with following(url) as (sync, _):
            assert not (await sync.trigger()).error
            origin.bare.rename(moved)
            outcome = await sync.trigger()
            assert outcome.error
            assert outcome.snapshot.zones.keys() == {COM}
            assert sync.status.failures
            moved.rename(origin.bare)
            origin.push({"example.com": zone_text(2)})
            assert (await sync.trigger()).snapshot.zones[COM].zone.serial == 2

    with daemon(origin.folder) as base:
        asyncio.run(run(f"{base}/zones.git"))
    origin.push({"example.com": zone_text(1)})
    asyncio.run(run(str(origin.bare)))
