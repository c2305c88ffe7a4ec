"""Changes in service before their push, in a real repository: none is out of service at any time until it is undone."""

import asyncio
from pathlib import Path

from tests.support.git import Origin
from tests.support.trees import zone_text
from tests.zones.test_sync import Applied, running
from tests.zones.writeback.test_writer import ORIGIN, AddText, strings, zone_in_git
from zones.git.remote import open_remote
from zones.git.url import parse_url
from zones.loader import Options
from zones.snapshot import Snapshot
from zones.sync import Sync
from zones.writeback.ahead import Ahead
from zones.writeback.place import GitChain, GitPlace
from zones.writeback.writer import Writer


class GatedPlace(GitPlace):
    """A place whose versions are handed out when the gate is open."""

    def __init__(self, url: str) -> None:
        super().__init__(open_remote(parse_url(url)))
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def begin(self) -> GitChain:
        chain = await super().begin()
        self.begun.set()
        await self.gate.wait()
        return chain


def served(snapshot: Snapshot) -> set[bytes]:
    return strings(snapshot.zones[ORIGIN].zone, "u")


def test_a_change_that_lands_while_a_version_without_it_is_read_stays_in_service(tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    origin.push({"example.com": zone_text(7)})

    async def run() -> list[set[bytes]]:
        url = str(origin.bare)
        read, written = GatedPlace(url), GatedPlace(url)
        ahead, writer, applied = Ahead(open_remote(parse_url(url)), read), Writer(written), Applied()
        sync = Sync(ahead, applied, options=Options(), poll_s=0)
        async with running(sync):
            await applied.wait_for(1)
            written.gate.clear()
            await ahead.write(sync, writer, ORIGIN, AddText("u", b"one"))
            await ahead.write(sync, writer, ORIGIN, AddText("u", b"two"))
            await written.begun.wait()
            origin.push({"example.com": zone_text(8)})
            read.gate.clear()
            read.begun.clear()
            outcome = sync.trigger()
            await read.begun.wait()  # what it goes on with has none of the changes
            written.gate.set()
            while ahead.pending:  # noqa: ASYNC110 -- there is no event: nobody but a gauge looks at it
                await asyncio.sleep(0.01)
            read.gate.set()
            await outcome
            while (await sync.trigger()).changed:
                pass
            await writer.close()
        return [served(snapshot) for snapshot in applied.snapshots]

    found = asyncio.run(run())
    assert found[0] == set()
    assert found[1] == {b"one"}
    assert all(strings == {b"one", b"two"} for strings in found[2:]), found
    assert strings(zone_in_git(origin), "u") == {b"one", b"two"}
