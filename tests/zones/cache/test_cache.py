"""A sync with a cache: a program that starts without its source serves what the one before served."""

import asyncio

from tests.support.trees import zone_text
from tests.zones.cache.disks import Disk
from zones.cache.area import Area
from zones.cache.cache import Cache
from zones.loader import Options, load
from zones.packed import PackedTree
from zones.slices import run_to_end
from zones.snapshot import Snapshot

NOW = 1_700_000_000.0
GOOD, OTHER = zone_text(1, "www A 192.0.2.1"), zone_text(1, "www A 192.0.2.2")


def loaded(tree: PackedTree, before: Snapshot, options: Options = Options()) -> Snapshot:  # noqa: B008  it is frozen
    return run_to_end(load(tree, before, options, NOW))


def kept(disk: Disk, *versions: dict[str, bytes]) -> Snapshot:
    """What is served after a run that saw these versions, each of them kept."""
    cache, snapshot = Cache(Area(disk)), Snapshot()
    for number, files in enumerate(versions):
        tree = PackedTree(files, revision=f"{number:040}")
        snapshot = loaded(tree, snapshot)
        asyncio.run(cache.keep(tree, snapshot))
    return snapshot


def started(disk: Disk) -> Snapshot:
    """What a new program serves before it has reached its source."""
    cache = Cache(Area(disk))
    source = cache.source()
    assert source is not None
    tree = asyncio.run(source.fetch()).tree
    assert isinstance(tree, PackedTree)
    return loaded(tree, Snapshot(), Options(serials=cache.serials))


def served(snapshot: Snapshot) -> dict[bytes, list[tuple[bytes, int, tuple[bytes, ...]]]]:
    """Every RRset of every zone."""
    return {
        origin: [(rrset.owner, rrset.rdtype, rrset.rdatas) for rrset in item.zone.rrsets()]
        for origin, item in snapshot.zones.items()
    }


def test_an_empty_disk_gives_no_source() -> None:
    assert Cache(Area(Disk())).source() is None


def test_zones_keys_and_commit_come_back() -> None:
    disk = Disk()
    key = b"a._update.example.org. 0 DNSKEY 0 3 163 AAAA\n"
    before = kept(disk, {"example.org": GOOD, "example.net": OTHER, "_keys": key, "README.md": b"text"})
    after = started(disk)
    assert served(after) == served(before)
    assert after.key_files["_keys"].keys == before.key_files["_keys"].keys != ()
    assert after.revision == before.revision != ""


def test_the_last_good_version_of_a_broken_zone_comes_back() -> None:
    disk = Disk()
    broken = {"example.org": b"@ SOA nonsense\n", "example.net": zone_text(2, "www A 192.0.2.9")}
    before = kept(disk, {"example.org": GOOD, "example.net": OTHER}, broken, {**broken, "example.net": OTHER})
    assert served(started(disk)) == served(before)
    assert len(served(before)) == 2


def test_a_zone_whose_removal_is_held_back_comes_back() -> None:
    disk = Disk()
    files = {f"{name}.example": GOOD for name in "abcd"}
    before = kept(disk, files, {"a.example": GOOD})
    assert served(started(disk)) == served(before)
    assert len(served(before)) == 4


def test_a_serial_that_was_raised_does_not_go_back() -> None:
    disk = Disk()
    before = kept(disk, {"example.org": GOOD}, {"example.org": OTHER})
    (zone,) = before.zones.values()
    assert zone.zone.serial == 2
    assert served(started(disk)) == served(before)


def test_a_disk_that_is_full_or_fails_costs_nothing_but_the_cache() -> None:
    small, dead = Disk(sectors=64), Disk()
    before = kept(small, {"example.org": GOOD})
    files = {"example.org": zone_text(2, *(f"h{number} A 192.0.2.{number % 250}" for number in range(20_000)))}
    assert kept(small, {"example.org": GOOD}, files).revision.endswith("1")
    assert served(started(small)) == served(before)
    cache = Cache(Area(dead))
    dead.power = 0
    tree = PackedTree({"example.org": GOOD})
    asyncio.run(cache.keep(tree, loaded(tree, Snapshot())))
