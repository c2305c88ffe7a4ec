"""Zones that are replaced go, in steps none of which frees much; those that somebody still reads stay."""

import sys

import pytest

from tests.support.served import zone_from_text
from zones import release
from zones.release import let_go, replaced
from zones.slices import drain, run_to_end
from zones.snapshot import ServedZone, Snapshot
from zones.zone import Zone


def zone(serial: int, count: int = 1) -> Zone:
    lines = "".join(f"n{number} TXT {number}\n" for number in range(count))
    return zone_from_text(f"$TTL 60\n@ SOA ns h {serial} 2 3 4 5\n@ NS ns\n{lines}", "t.test.")


def test_only_zones_that_are_not_in_the_new_version_are_let_go() -> None:
    kept, old, gone = (ServedZone(zone(serial), "", ()) for serial in (1, 2, 3))
    before = Snapshot(zones={b"kept": kept, b"old": old, b"gone": gone})
    after = Snapshot(zones={b"kept": kept, b"old": ServedZone(zone(4), "", ())})
    assert run_to_end(replaced(before, after)) == [old.zone, gone.zone]


def test_a_large_zone_goes_one_buffer_at_a_time_unless_it_is_still_read() -> None:
    large = zone(1, 12_000)
    records = list(large.rrsets())
    rdata = large.tables.rdata
    zones = [large]
    steps = sum(1 for _ in let_go(zones))
    assert steps > 8
    assert zones == []
    assert list(large.rrsets()) == records
    del large
    assert sys.getrefcount(rdata) == 2


def test_a_large_buffer_goes_in_pieces_unless_somebody_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def steps(zones: list[Zone]) -> int:
        return sum(1 for _ in let_go(zones))

    whole = steps([zone(1, 12_000)])
    monkeypatch.setattr(release, "_PIECE", 1000)
    assert steps([zone(1, 12_000)]) > whole + 30
    large = zone(1, 12_000)
    records = list(large.rrsets())
    assert steps([large]) == whole
    assert list(large.rrsets()) == records
    rdata, content = large.tables.rdata, bytes(large.tables.rdata)
    only = [large]
    del large
    assert steps(only) > whole + 30
    assert rdata == content


def test_containers_are_emptied_in_steps() -> None:
    items = list(range(5000))
    containers: list[dict[int, None] | set[int] | list[int]] = [dict.fromkeys(items), set(items), items]
    assert sum(1 for _ in drain(containers)) == 15
    assert not any(containers)
