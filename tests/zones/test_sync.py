import asyncio
import contextlib
import random
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.support.trees import MemoryTree, zone_text
from zones import name as names
from zones.folder import FolderSource
from zones.loader import Options
from zones.snapshot import Snapshot
from zones.source import SourceError, Version
from zones.sync import MAX_RETRY_S, Outcome, Sync

COM = names.from_text("example.com.")
TIMEOUT_S = 30


class MemorySource:
    """A source whose versions the test sets; its gate holds a fetch up, and it can be down."""

    name = "memory"

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.number = 1
        self.down = False
        self.fetches = 0
        self.fetching = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    def push(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.number += 1

    async def state(self) -> str:
        if self.down:
            raise SourceError("memory: gone; bring it back")
        return f"commit{self.number}"

    async def fetch(self) -> Version:
        version = Version(await self.state(), MemoryTree(self.files, f"commit{self.number}"))
        self.fetches += 1
        self.fetching.set()
        await self.gate.wait()
        return version


class Applied:
    """What the sync put into service."""

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []
        self._more = asyncio.Condition()

    async def __call__(self, snapshot: Snapshot) -> None:
        async with self._more:
            self.snapshots.append(snapshot)
            self._more.notify_all()

    async def wait_for(self, count: int) -> None:
        async with self._more:
            await self._more.wait_for(lambda: len(self.snapshots) >= count)


@contextlib.asynccontextmanager
async def running(sync: Sync) -> AsyncIterator[None]:
    task = asyncio.create_task(sync.run())
    try:
        async with asyncio.timeout(TIMEOUT_S):
            yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def make(source: MemorySource | FolderSource, applied: Applied, poll_s: float = 0.0) -> Sync:
    return Sync(source, applied, options=Options(), poll_s=poll_s, jitter=random.Random(1))


def test_a_trigger_gets_the_outcome_of_a_sync_that_began_after_it() -> None:
    async def scenario() -> None:
        source, applied = MemorySource({"example.com": zone_text(1)}), Applied()
        source.gate.clear()
        sync = make(source, applied)
        async with running(sync):
            await source.fetching.wait()
            source.push({"example.com": zone_text(2)})
            first, second = sync.trigger(), sync.trigger()
            source.gate.set()
            outcomes = [await first, await second]
        assert [outcome.snapshot.zones[COM].zone.serial for outcome in outcomes] == [2, 2]
        assert source.fetches == 2  # the one in progress, and one more for both triggers
        assert [snapshot.revision for snapshot in applied.snapshots] == ["commit1", "commit2"]
        assert sync.status.commit == "commit2"

    asyncio.run(scenario())


def test_an_unchanged_source_is_not_fetched() -> None:
    async def scenario() -> None:
        source, applied = MemorySource({"example.com": zone_text(1)}), Applied()
        sync = make(source, applied)
        async with running(sync):
            outcomes = [await sync.trigger(), await sync.trigger(), await sync.trigger()]
        assert [outcome.changed for outcome in outcomes] == [True, False, False]
        assert source.fetches == 1

    asyncio.run(scenario())


def test_polling_finds_a_change() -> None:
    async def scenario() -> None:
        source, applied = MemorySource({"example.com": zone_text(1)}), Applied()
        async with running(make(source, applied, poll_s=0.01)):
            await applied.wait_for(1)
            source.push({"example.com": zone_text(2)})
            await applied.wait_for(2)
        assert applied.snapshots[1].zones[COM].zone.serial == 2

    asyncio.run(scenario())


def test_a_source_that_is_down_leaves_the_zones_and_is_tried_again() -> None:
    async def scenario() -> None:
        source, applied = MemorySource({"example.com": zone_text(1)}), Applied()
        sync = make(source, applied)
        async with running(sync):
            await sync.trigger()
            source.down = True
            outcome = await sync.trigger()
            assert "gone; bring it back" in outcome.error
            assert not outcome.changed
            assert outcome.snapshot.zones.keys() == {COM}
            assert sync.status.last_error == outcome.error
            assert sync.status.failures == 1
            source.down = False
            source.push({"example.com": zone_text(2)})
            await applied.wait_for(2)  # by the back-off alone
            await sync.trigger()
        assert sync.status.last_error == ""

    asyncio.run(scenario())


def test_it_starts_with_the_source_down_and_serves_baked_zones() -> None:
    async def scenario() -> None:
        source, applied = MemorySource({"example.com": zone_text(2)}), Applied()
        source.down = True
        baked = MemorySource({"example.com": zone_text(1)})
        sync = Sync(source, applied, options=Options(), poll_s=0.0, baked=baked, jitter=random.Random(1))
        async with running(sync):
            outcome = await sync.trigger()
            assert outcome.error
            assert outcome.snapshot.zones[COM].zone.serial == 1
            source.down = False
            outcome = await sync.trigger()
        assert outcome.snapshot.zones[COM].zone.serial == 2

    asyncio.run(scenario())


def test_the_source_is_asked_when_the_network_is_settled_and_baked_zones_do_not_wait_for_it() -> None:
    async def scenario() -> None:
        source, applied, up = MemorySource({"example.com": zone_text(2)}), Applied(), asyncio.Event()
        source.down = True
        baked = MemorySource({"example.com": zone_text(1)})

        async def settled() -> None:
            await up.wait()
            source.down = False

        sync = Sync(source, applied, options=Options(), poll_s=0.0, baked=baked, settled=settled)
        async with running(sync):
            await applied.wait_for(1)
            up.set()
            await applied.wait_for(2)
        assert (sync.attempts, sync.failed) == (1, 0)

    asyncio.run(scenario())


def test_what_is_at_hand_is_loaded_to_begin_with_and_not_asked_again_for_that() -> None:
    async def scenario() -> None:
        source, applied = MemorySource({"example.com": zone_text(1)}), Applied()
        sync = Sync(source, applied, options=Options(), poll_s=0.0, is_at_hand=True)
        await sync.begin()
        assert sync.snapshot.zones[COM].zone.serial == 1
        async with running(sync):
            await asyncio.sleep(0.05)
            assert (sync.attempts, source.fetches) == (1, 1)
            source.push({"example.com": zone_text(2)})
            outcome = await sync.trigger()
        assert outcome.snapshot.zones[COM].zone.serial == 2

    asyncio.run(scenario())


def test_a_trigger_before_what_is_at_hand_is_loaded_gets_its_outcome() -> None:
    async def scenario() -> None:
        source, applied = MemorySource({"example.com": zone_text(1)}), Applied()
        sync = Sync(source, applied, options=Options(), poll_s=0.0, is_at_hand=True)
        waiting = sync.trigger()
        await sync.begin()
        async with running(sync):
            outcome = await waiting
        assert outcome.snapshot.zones[COM].zone.serial == 1

    asyncio.run(scenario())


def test_what_is_at_hand_and_cannot_be_read_is_tried_again() -> None:
    async def scenario() -> None:
        source, applied = MemorySource({"example.com": zone_text(1)}), Applied()
        source.down = True
        sync = Sync(source, applied, options=Options(), poll_s=0.0, is_at_hand=True, jitter=random.Random(1))
        await sync.begin()
        assert sync.status.failures == 1
        source.down = False
        async with running(sync):
            await applied.wait_for(1)  # by the back-off alone
        assert sync.attempts == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("is_at_hand", [True, False])
def test_with_baked_zones_the_source_is_not_waited_for_to_begin_with(is_at_hand: bool) -> None:
    async def scenario() -> None:
        source, applied = MemorySource({"example.com": zone_text(2)}), Applied()
        baked = MemorySource({"example.com": zone_text(1)})
        sync = Sync(source, applied, options=Options(), poll_s=0.0, baked=baked, is_at_hand=is_at_hand)
        await sync.begin()
        assert (source.fetches, baked.fetches) == (0, 1)
        async with running(sync):
            await applied.wait_for(2)
        assert (source.fetches, baked.fetches) == (1, 1)

    asyncio.run(scenario())


def test_back_off_grows_to_a_bound() -> None:
    async def scenario() -> None:
        source, applied = MemorySource({}), Applied()
        source.down = True
        sync = make(source, applied)
        delays = []
        async with running(sync):
            for _ in range(20):
                await sync.trigger()
                delay = sync._delay()
                assert delay is not None
                delays.append(delay)
        assert delays[0] <= 1
        assert 0.5 * MAX_RETRY_S <= delays[-1] <= MAX_RETRY_S

    asyncio.run(scenario())


def test_a_fault_in_apply_is_an_outcome_and_is_tried_again() -> None:
    async def scenario() -> None:
        calls = []

        async def apply(snapshot: Snapshot) -> None:
            calls.append(snapshot)
            if len(calls) == 1:
                raise RuntimeError("fault")

        sync = Sync(MemorySource({"example.com": zone_text(1)}), apply, options=Options(), poll_s=0.0)
        async with running(sync):
            outcome = await sync.trigger()
            assert "fault" in outcome.error
            assert not outcome.snapshot.zones
            assert (await sync.trigger()).changed

    asyncio.run(scenario())


def test_triggers_that_wait_are_cancelled_with_the_sync() -> None:
    async def scenario() -> asyncio.Future[Outcome]:
        source = MemorySource({})
        source.gate.clear()
        sync = make(source, Applied())
        async with running(sync):
            await source.fetching.wait()
            return sync.trigger()

    assert asyncio.run(scenario()).cancelled()


def test_a_folder_is_followed(tmp_path: Path) -> None:
    async def scenario() -> None:
        file = tmp_path / "example.com"
        file.write_bytes(zone_text(1))
        sync = make(FolderSource(tmp_path), Applied())
        async with running(sync):
            assert (await sync.trigger()).snapshot.zones[COM].zone.serial == 1
            file.write_bytes(zone_text(2))
            assert (await sync.trigger()).snapshot.zones[COM].zone.serial == 2
            shutil.rmtree(tmp_path)
            outcome = await sync.trigger()
            assert str(tmp_path) in outcome.error
            assert outcome.snapshot.zones.keys() == {COM}

    asyncio.run(scenario())


def test_what_is_offered_is_loaded_without_the_source_where_it_follows_what_is_loaded() -> None:
    async def scenario() -> None:
        source, applied = MemorySource({"example.com": zone_text(1)}), Applied()
        sync = make(source, applied)
        async with running(sync):
            await sync.trigger()
            source.down = True
            files = {"example.com": zone_text(2)}
            outcome = await sync.offer("commit1", Version("commit2", MemoryTree(files, "commit2")))
            assert outcome.changed
            assert outcome.snapshot.revision == sync.status.commit == "commit2"
            source.down = False
            source.push(files)
            assert not (await sync.trigger()).changed  # it is what the source has
            assert source.fetches == 1

    asyncio.run(scenario())


def test_what_is_offered_on_top_of_another_version_is_fetched_instead() -> None:
    async def scenario() -> None:
        source, applied = MemorySource({"example.com": zone_text(1)}), Applied()
        sync = make(source, applied)
        async with running(sync):
            await sync.trigger()
            source.push({"example.com": zone_text(2)})
            source.push({"example.com": zone_text(3)})
            await sync.trigger()
            late = Version("commit2", MemoryTree({"example.com": zone_text(2)}, "commit2"))
            outcome = await sync.offer("commit1", late)
            assert outcome.snapshot.revision == "commit3"

    asyncio.run(scenario())


def test_a_version_that_was_replaced_is_held_by_nobody() -> None:
    async def scenario() -> None:
        source, applied = MemorySource({"example.com": zone_text(1)}), Applied()
        sync = make(source, applied)
        async with running(sync):
            await applied.wait_for(1)
            await sync.trigger()
            rdata = applied.snapshots.pop().zones[COM].zone.tables.rdata
            source.push({"example.com": zone_text(2)})
            await sync.trigger()
            assert sys.getrefcount(rdata) == 2

    asyncio.run(scenario())
