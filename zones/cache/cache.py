"""A cache between a sync and a disk: what it held at the start, and keeping it equal to what is served."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import structlog

from dns_platform.protocols import DeviceError
from zones.cache.area import Area
from zones.cache.content import BadContent, Content, pack, unpack
from zones.packed import PackedSource
from zones.slices import run_sliced
from zones.snapshot import Snapshot
from zones.tree import Entry, Tree


class Cache:
    """Reads the area once, at the start, and writes it after each change. It never stops the service."""

    def __init__(self, area: Area) -> None:
        """What cannot be read is logged and counts as empty."""
        self._area: Final = area
        self._log = structlog.get_logger("zones.cache")
        self._held = self._read()

    @property
    def serials(self) -> Mapping[bytes, int]:
        """Serials that were served before the start, by folded wire origin."""
        return self._held.serials if self._held is not None else {}

    def source(self) -> PackedSource | None:
        """What was served before the start; None when the cache holds nothing."""
        if self._held is None:
            return None
        return PackedSource(self._held.files, name="the cache", revision=self._held.revision)

    async def keep(self, tree: Tree, snapshot: Snapshot) -> None:
        """Write what is served after `tree` was loaded. Whatever goes wrong is logged."""
        try:
            files = self._files(tree, snapshot)
            serials = {origin: served.zone.serial for origin, served in snapshot.zones.items()}
            content = Content(snapshot.revision, files, serials)
            payload = await run_sliced(pack(content))
            await run_sliced(self._area.write(payload))
        except (DeviceError, OSError, ValueError) as error:
            self._log.error("the cache cannot be written: a restart may need the source", error=str(error))
            return
        self._held = None  # the memory is worth more than the time of a later look at the disk
        self._log.info("cached", commit=snapshot.revision or None, files=len(files), octets=len(payload))

    def _read(self) -> Content | None:
        try:
            payload = self._area.read()
            if self._area.damaged:
                self._log.warning("the cache was torn: what it held before is used", damaged=self._area.damaged)
            return None if payload is None else unpack(payload)
        except (DeviceError, BadContent) as error:
            self._log.error("the cache cannot be read: it counts as empty", error=str(error))
            return None

    def _files(self, tree: Tree, snapshot: Snapshot) -> dict[str, bytes]:
        """Contents of the files that what is served was made of.

        Where two zones are served with different versions of one included file, the newer one is kept.
        """
        now = {entry.path: entry.blob for entry in tree.entries()}
        wanted = list(_sources(snapshot))
        files = {path: tree.read(path) for path, blob in wanted if now.get(path) == blob}
        missing = {path for path, blob in wanted if blob and path not in files}
        if missing:
            # Of broken zones and of changes that are held back: the tree has another version, or none.
            before = self._held or self._read()
            files |= {path: text for path, text in (before.files.items() if before else ()) if path in missing}
        return files


def _sources(snapshot: Snapshot) -> Iterator[Entry]:
    """Files behind what a snapshot serves."""
    sources: Iterable[Iterable[Entry]] = (
        *(served.sources for served in snapshot.zones.values()),
        *(keys.sources for keys in snapshot.key_files.values()),
        () if snapshot.policy_file is None else (snapshot.policy_file.source,),
    )
    for entries in sources:
        yield from entries
