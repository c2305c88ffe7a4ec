"""Workers that share a zone of 100,000 records: memory, and CPU of changes."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.harness.figure import Figure
from tests.bench.harness.machine import cpu_seconds, resident_mb
from tests.bench.reload_1m_records import write_zone
from tests.support.server import Server, serve

TIMES = 3  # 33,000 records each
WORKERS = 4
SETTLED_S = 1.0
_SMALL = "$TTL 60\n@ SOA ns1 h {serial} 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.1\n"


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures."""
    times = 1 if quick else TIMES
    memory, small, large = {}, {}, {}
    for workers in (1, WORKERS):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_zone(folder / "big.example", 1, times)
            (folder / "small.example").write_text(_SMALL.format(serial=1))
            with serve(f"--zones={folder}", "--poll=1d", f"--workers={workers}", patience_s=600) as server:
                time.sleep(SETTLED_S)
                memory[workers] = resident_mb(server.process.pid)
                (folder / "small.example").write_text(_SMALL.format(serial=2))
                small[workers] = _cost(server, "small.example.", 2)
                write_zone(folder / "big.example", 2, times)
                large[workers] = _cost(server, "big.example.", 2)
    for what, unit, found in (
        ("memory", "MB", memory),
        ("CPU of a change of one small zone", "ms", small),
        ("CPU of a change of the large zone", "ms", large),
    ):
        note = f"one process: {found[1]:,.0f} {unit}"
        yield Figure(f"{what}, {WORKERS} workers and the main process", found[WORKERS], unit, note=note)


def _cost(server: Server, zone: str, serial: int) -> float:
    """Milliseconds of CPU of all processes."""
    before = cpu_seconds(server.process.pid)
    server.hang_up()
    server.wait_for("zone updated", zone=zone, serial=serial)
    return (cpu_seconds(server.process.pid) - before) * 1000
