"""The collector is off while the service runs: loads must leave nothing that only it could free."""

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from dns_server.answer.table import build
from dns_server.collector import Collector
from zones.folder import scan
from zones.loader import Options, load
from zones.slices import run_to_end
from zones.snapshot import Snapshot

ZONE = "$TTL 60\n@ SOA ns1 h {serial} 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.1\n*.w TXT a\nc CNAME ns1\nd NS ns1\n"


@pytest.fixture
def automatic_collector_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def load_once(folder: Path, serial: int, previous: Snapshot) -> Snapshot:
    for number in range(10):
        (folder / f"zone-{number}.example").write_text(ZONE.format(serial=serial))
    (folder / "broken.example").write_text(f"@ SOA {serial}\n")
    snapshot = run_to_end(load(run_to_end(scan(folder)), previous, Options(), 0.0))
    for served in snapshot.zones.values():
        run_to_end(build(served.zone))
    assert len(snapshot.zones) == 10
    return snapshot


@pytest.mark.usefixtures("automatic_collector_off")
def test_loads_leave_no_zones_in_cycles(tmp_path: Path) -> None:
    snapshot = load_once(tmp_path, 1, Snapshot())
    gc.collect()
    for serial in range(2, 7):
        snapshot = load_once(tmp_path, serial, snapshot)
    assert gc.collect() < 100  # less than one object a zone; loads once left 17 of each


def test_automatic_collector_is_off_while_ours_runs() -> None:
    async def scenario() -> None:
        collector = Collector(asyncio.get_running_loop())
        collector.start()
        assert not gc.isenabled()
        assert gc.get_freeze_count()
        collector.stop()
        assert gc.isenabled()

    asyncio.run(scenario())
    gc.unfreeze()
