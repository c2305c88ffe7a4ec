"""The area on a disk: what is written is read back, and a torn write leaves what was there before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dns_platform.protocols import DeviceError
from tests.zones.cache.disks import SECTOR, Disk
from zones.cache.area import Area, NoArea
from zones.slices import run_to_end

PAYLOADS = st.binary(max_size=3 * SECTOR) | st.integers(0, 60000).map(lambda size: b"\xa5" * size)


def test_a_blank_disk_becomes_an_area_without_a_payload() -> None:
    disk = Disk()
    assert Area(disk).read() is None
    assert Area(disk).read() is None


@given(st.lists(PAYLOADS, max_size=5))
def test_the_last_payload_is_read_back(payloads: list[bytes]) -> None:
    disk = Disk()
    for payload in payloads:
        run_to_end(Area(disk).write(payload))
    assert Area(disk).read() == (payloads[-1] if payloads else None)


@given(PAYLOADS, PAYLOADS, st.integers(0, 130))
def test_a_power_cut_leaves_the_old_payload_or_the_new_one(old: bytes, new: bytes, power: int) -> None:
    disk = Disk()
    run_to_end(Area(disk).write(b"oldest"))
    run_to_end(Area(disk).write(old))
    disk.power = power
    try:
        run_to_end(Area(disk).write(new))
        written = True
    except DeviceError:
        written = False
    disk.power = None
    area = Area(disk)
    found = area.read()
    assert found == new if written else found in (old, new)
    run_to_end(area.write(b"after"))
    assert Area(disk).read() == b"after"


@given(st.integers(SECTOR, 256 * SECTOR - 1), st.integers(1, 255))
def test_a_changed_octet_never_gives_a_payload_that_was_not_written(position: int, difference: int) -> None:
    disk = Disk()
    for payload in (b"old" * 5000, b"new" * 5000):
        run_to_end(Area(disk).write(payload))
    disk.content[position] ^= difference
    assert Area(disk).read() in (b"old" * 5000, b"new" * 5000)


def test_a_damaged_payload_is_counted_and_the_one_before_is_read() -> None:
    disk = Disk()
    for payload in (b"first", b"second"):
        run_to_end(Area(disk).write(payload))
    disk.content[disk.content.index(b"second")] ^= 1
    area = Area(disk)
    assert (area.read(), area.damaged) == (b"first", 1)


def test_a_payload_that_does_not_fit_leaves_the_old_one() -> None:
    disk = Disk()
    area = Area(disk)
    run_to_end(area.write(b"old"))
    run_to_end(area.write(bytes(area.capacity)))
    with pytest.raises(ValueError, match="do not fit"):
        run_to_end(area.write(bytes(area.capacity + 1)))
    assert Area(disk).read() == bytes(area.capacity)


def test_a_disk_with_something_else_is_left_alone() -> None:
    disk = Disk(sectors=4096)
    disk.content[1 << 19] = 1
    before = bytes(disk.content)
    with pytest.raises(NoArea, match="something else"):
        Area(disk)
    assert disk.content == before


def test_a_disk_that_is_too_small_is_named() -> None:
    with pytest.raises(NoArea, match="63 sectors, 64 are the least"):
        Area(Disk(sectors=63))
