"""Differences to versions from before the start, from the history of the repository.

A version counts only where its serial stands for it alone: each older one must have an older serial.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Final

from structlog.typing import FilteringBoundLogger

from dns_server.transfer.journal import Journal, serial_of
from zones.delta import delta
from zones.findings import has_errors
from zones.git.history import MAX_DEPTH, Past
from zones.name import to_text
from zones.serial import is_newer
from zones.slices import Sliced, run_sliced
from zones.snapshot import ServedZone, Snapshot
from zones.source import SourceError
from zones.zone import Zone
from zones.zonefile import parse

PATIENCE_S: Final = 20.0
"""Seconds that who asks waits for the history."""

AskPast = Callable[[str, int], Awaitable[Past]]
"""What a file was in so many newest commits. SourceError."""


class Recovery:
    """Looks once for each zone, and again when the journal has forgotten it."""

    def __init__(
        self, past: AskPast, journal: Journal, snapshot: Callable[[], Snapshot], log: FilteringBoundLogger
    ) -> None:
        self._past = past
        self._journal = journal
        self._snapshot = snapshot
        self._log = log
        self._turn = asyncio.Lock()
        self._tried: dict[bytes, int] = {}
        """Serial of the oldest version that was known when it was looked for."""

    async def recover(self, origin: bytes) -> None:
        """Put what the history tells of the zone `origin` into the journal."""
        async with self._turn:
            served = self._snapshot().zones.get(origin)
            if served is None or not served.sources:
                return
            known = self._journal.oldest(origin)
            oldest = served.zone.serial if known is None else known
            if self._tried.get(origin) == oldest:
                return
            self._tried[origin] = oldest
            try:
                past = await asyncio.wait_for(self._past(served.sources[0].path, MAX_DEPTH), PATIENCE_S)
            except (SourceError, TimeoutError) as error:
                self._log.warning("no differences from before the start", zone=to_text(origin), reason=str(error))
                return
            versions = await run_sliced(_versions(past, served, oldest))
            if not versions or not await self._is_same(versions[0], served.zone, oldest):
                return
            steps = [await run_sliced(delta(older, newer)) for newer, older in itertools.pairwise(versions)]
            self._journal.put_before(origin, reversed(steps), oldest)
            self._tried[origin] = serial_of(steps[-1].before) if steps else oldest
            self._log.info("differences from before the start", zone=to_text(origin), versions=len(steps))

    async def _is_same(self, version: Zone, served: Zone, oldest: int) -> bool:
        """Whether `version` is what the journal knows as the version `oldest`; what was served may have been raised."""
        between = await run_sliced(delta(version, served))
        if oldest == served.serial:
            return version.soa == served.soa and not between.removed and not between.added
        known = await run_sliced(self._journal.since(served.origin, oldest, served.serial))
        return (
            known is not None
            and known.before == between.before
            and set(known.removed) == set(between.removed)
            and set(known.added) == set(between.added)
        )


def _versions(past: Past, served: ServedZone, newest: int) -> Sliced[list[Zone]]:
    """The versions from the one with serial `newest` on, the newest first, as far as their serials are their own."""
    found: list[Zone] = []
    for content in past.contents:
        if b"$INCLUDE" in content.upper():  # another file may have changed beneath the same serial
            return found[:-1]
        parsed = yield from parse(content, served.zone.origin, served.zone.file, _no_file)
        zone = parsed.zone
        if zone is None or has_errors(parsed.findings) or zone.soa is None:
            continue  # it was never served
        if found and not is_newer(found[-1].serial, than=zone.serial):
            return found[:-1]  # the last one was not served with the serial of its file
        if found or zone.serial == newest:
            found.append(zone)
    return found if past.is_whole else found[:-1]  # what came before the last may have had its serial


def _no_file(path: str) -> bytes:
    raise FileNotFoundError(path)
