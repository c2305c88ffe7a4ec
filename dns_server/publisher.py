"""From a snapshot of the zones to what the engine answers: tables for what changed, then one swap."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from dns_server.answer.engine import Engine
from dns_server.answer.table import ZoneTable, build
from dns_server.collector import Collector
from dns_server.reports import Difference, difference, report
from zones.slices import Sliced, drain, run_sliced
from zones.snapshot import ServedZone, Snapshot
from zones.zone import Zone

Producer = Callable[[Snapshot], Awaitable[ServedZone | None]]
"""Makes a zone of its own of what is to be served."""
Follower = Callable[[Snapshot, Snapshot, Difference], Awaitable[None]]
"""Gets the version before, the version that is in service now, and how they differ."""


class Publisher:
    """Owns what is in service. One snapshot at a time; the engine answers from the one before meanwhile."""

    def __init__(
        self, engine: Engine, collector: Collector, log: FilteringBoundLogger, clock: Callable[[], float]
    ) -> None:
        """`clock` gives seconds since 1970."""
        self._engine = engine
        self._collector = collector
        self._log = log
        self.snapshot = Snapshot()
        """What is in service."""
        self.records = 0
        """Records in service."""
        self.loads = 0
        """Snapshots put into service."""
        self.last_load = 0.0
        """When the last of them was, in seconds since 1970."""
        self._clock = clock
        self._since: dict[bytes, float] = {}
        self.producers: list[Producer] = []
        """What they make is served with the zones of the repository."""
        self.elsewhere: Follower | None = None
        """Puts a version into service in other processes, too, before it is told that it is."""
        self.followers: list[Follower] = []
        """Called in their order when a version has gone into service."""

    def since(self, zone: Zone) -> float:
        """When the version of `zone` that is in service went there, in seconds since 1970."""
        return self._since.get(zone.origin, self.last_load)

    async def apply(self, snapshot: Snapshot) -> None:
        """Put `snapshot` into service. Gives the loop its turns; what it costs is the zones that changed."""
        before = self.snapshot
        for producer in self.producers:
            made = await producer(snapshot)
            if made is not None:
                snapshot = replace(snapshot, zones={**snapshot.zones, made.zone.origin: made})
        change, tables = await run_sliced(_prepare(before, snapshot))
        tables_before = self._engine.catalogue.zones
        gone = [table for origin in (*tables, *change.removed) if (table := tables_before.get(origin)) is not None]
        del tables_before
        self._engine.catalogue = self._engine.catalogue.updated(
            tables, frozenset(change.removed), snapshot.revision, broken=snapshot.broken.keys() - snapshot.zones.keys()
        )
        self.snapshot = snapshot
        self.records = change.records
        self.loads += 1
        self.last_load = now = self._clock()
        self._since.update(dict.fromkeys(change.changed, now))
        for origin in change.removed:
            self._since.pop(origin, None)
        await run_sliced(_let_go(gone))
        self._collector.freeze()
        if self.elsewhere is not None:
            await self.elsewhere(before, snapshot, change)
        report(self._log, before, snapshot, change)
        for follower in self.followers:
            await follower(before, snapshot, change)


def _prepare(before: Snapshot, after: Snapshot) -> Sliced[tuple[Difference, dict[bytes, ZoneTable]]]:
    change = yield from difference(before, after)
    tables = {}
    for origin in change.changed:
        tables[origin] = yield from build(after.zones[origin].zone)
        yield
    return change, tables


def _let_go(tables: list[ZoneTable]) -> Sliced[None]:
    """Empty the list of tables from which nobody answers any more."""
    while tables:
        table = tables.pop()
        yield from drain(table.parts)
        if table.index is not None:
            yield from table.index.release()
        del table
        yield
