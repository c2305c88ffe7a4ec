"""Load of a zone of 1,000,000 records."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.harness.figure import Figure
from tests.bench.harness.machine import cpu_seconds, resident_mb
from tests.bench.harness.questions import ORIGIN, zone_text
from tests.support.debian import Unavailable
from tests.support.server import serve
from tests.support.servers import running

TIMES = 30
GOAL_S = 6.0
_CPU = "CPU from start to ready"
_MEMORY = "memory when loaded"


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures. Memory is that of all processes of a server, shared pages counted once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "zones" / ORIGIN.rstrip(".")
        file.parent.mkdir()
        file.write_text(zone_text(1 if quick else TIMES))
        rivals = {}
        for rival in ("NSD", "Knot"):
            own = folder / rival
            own.mkdir()
            try:
                with running(rival, own, {ORIGIN: file}) as server:
                    rivals[rival] = cpu_seconds(server.pid), resident_mb(server.pid)
            except Unavailable:
                continue
        with serve(f"--zones={file.parent}", "--poll=1d", patience_s=600) as ours:
            ready = ours.wait_for("ready")
            cpu, memory = cpu_seconds(ours.process.pid), resident_mb(ours.process.pid)
    yield Figure("unizone", cpu, "s", panel=_CPU)
    yield from (Figure(rival, values[0], "s", panel=_CPU) for rival, values in rivals.items())
    yield Figure("unizone", memory, "MB", panel=_MEMORY)
    yield from (Figure(rival, values[1], "MB", panel=_MEMORY) for rival, values in rivals.items())
    yield Figure("CPU to load a zone of 1,000,000 records", cpu, "s", GOAL_S, note=f"{ready['records']:,} records")
    if "NSD" in rivals:
        nsd = rivals["NSD"][1]
        yield Figure("memory with that zone, of NSD's", memory / nsd, "", 1.0, note=f"{nsd:.0f} MB")
