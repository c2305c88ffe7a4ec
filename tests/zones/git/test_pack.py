import contextlib
import subprocess
import tracemalloc
import zlib
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.git import ENVIRONMENT, git
from tests.support.packs import (
    BLOB,
    OFFSET_DELTA,
    REFERENCE_DELTA,
    copy,
    delta,
    entry,
    object_id,
    pack,
)
from zones.git.errors import BadAnswer
from zones.git.limits import DEFAULT_LIMITS, Limits
from zones.git.pack import Deflated, Objects, unpack
from zones.slices import run_to_end

BASE = bytes(range(256)) * 4
BASE_ID = object_id(BLOB, BASE)


def read(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Objects:
    return run_to_end(unpack(data, limits))


def refuse(data: bytes, complaint: str, limits: Limits = DEFAULT_LIMITS) -> None:
    with pytest.raises(BadAnswer, match=complaint):
        read(data, limits)


def contents(objects: Objects) -> list[bytes]:
    return sorted(found.content for found in objects.values())


@given(st.lists(st.binary(max_size=2000) | st.integers(1, 300_000).map(bytes), max_size=8))
def test_objects_have_gits_ids(blobs: list[bytes]) -> None:
    objects = read(pack([entry(BLOB, blob) for blob in blobs]))
    assert objects == {object_id(BLOB, blob): (BLOB, blob) for blob in blobs}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=100, max_size=3000), min_size=1, max_size=6), st.randoms())
def test_packs_of_real_git_with_its_deltas(tmp_path: Path, seeds: list[bytes], random: Random) -> None:
    if not (tmp_path / "HEAD").exists():
        git(tmp_path, "init", "--quiet", "--bare", ".")
    blobs = {}
    for seed in seeds:
        for _ in range(4):
            start = random.randrange(len(seed))
            blob = seed[start:] + seed * 3 + bytes([random.randrange(256)])
            blobs[git(tmp_path, "hash-object", "-w", "--stdin", stdin=blob)] = blob
    command = ["git", "pack-objects", "--stdout", "--quiet", "--no-reuse-delta", "--window=50"]
    for option in ("--delta-base-offset", "--no-quiet"):  # deltas by offset, and by id
        made = subprocess.run(
            [*command, option],
            cwd=tmp_path,
            env=ENVIRONMENT,
            input="\n".join(blobs).encode(),
            capture_output=True,
            check=True,
        )
        assert {name: found.content for name, found in read(made.stdout).items()} == blobs


def test_copy_and_insert_instructions() -> None:
    made = BASE[10:20] + b"new" + BASE[1000:1024]
    instructions = copy(10, 10) + b"\x03new" + copy(1000, 24)
    for base in (bytes.fromhex(BASE_ID),):
        patch = entry(REFERENCE_DELTA, delta(len(BASE), len(made), instructions), base=base)
        assert contents(read(pack([patch, entry(BLOB, BASE)]))) == sorted([made, BASE])


def test_a_copy_of_length_zero_is_64_kilobytes() -> None:
    base = bytes(70_000)
    first = entry(BLOB, base)
    patch = delta(len(base), 0x10000, bytes([0x80]))
    assert 0x10000 in map(len, contents(read(pack([first, _offset_delta(first, patch)]))))


def _offset_delta(base_entry: bytes, patch: bytes) -> bytes:
    """A delta upon the entry right before it."""
    distance = len(base_entry)
    octets = [distance & 127]
    while distance := distance >> 7:
        distance -= 1
        octets.insert(0, distance & 127 | 128)
    return entry(OFFSET_DELTA, patch, base=bytes(octets))


def test_every_damage_of_an_octet_is_found() -> None:
    data = pack([entry(BLOB, b"content"), entry(BLOB, b"more")])
    for index in range(len(data)):
        with pytest.raises(BadAnswer):
            read(data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :])
        with pytest.raises(BadAnswer):
            read(data[:index])


@given(st.binary(max_size=200), st.integers(0, 5))
def test_garbage_behind_a_right_hash_is_refused_or_read(body: bytes, count: int) -> None:
    with contextlib.suppress(BadAnswer):
        read(pack([body], count=count))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "no pack"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "no pack"),
        (pack([], version=3), "version 3"),
        (pack([], count=1), "ends within"),
        (pack([entry(BLOB, b"x"), b"junk"], count=1), "behind its last object"),
        (pack([entry(BLOB, b"long content", size=3)]), "longer than the pack says"),
        (pack([entry(BLOB, b"short", size=30)]), "shorter than the pack says"),
        (pack([bytes([BLOB << 4 | 5]) + b"\x00\x00junk"]), "cannot be inflated"),
        (pack([bytes([BLOB << 4 | 5]) + zlib.compress(b"12345")[:-5]]), "ends within"),
        (pack([entry(5, b"x")]), "unknown kind 5"),
        (pack([entry(0, b"x")]), "unknown kind 0"),
        (pack([b"\xbf" + b"\xff" * 9 + b"\x7f"]), "absurd size"),
        (pack([entry(REFERENCE_DELTA, delta(1, 1, copy(0, 1)), base=bytes(20))]), "1 deltas without a base"),
        (pack([entry(OFFSET_DELTA, delta(1, 1, copy(0, 1)), base=b"\x00")]), "without a base"),
        (pack([entry(OFFSET_DELTA, delta(1, 1, copy(0, 1)), base=b"\xff\xff\xff\xff\x7f")]), "lies outside"),
    ],
)
def test_broken_packs(data: bytes, complaint: str) -> None:
    refuse(data, complaint)


@pytest.mark.parametrize(
    ("patch", "complaint"),
    [
        (delta(len(BASE) + 1, 1, copy(0, 1)), "another base"),
        (delta(len(BASE), 9, copy(len(BASE) - 5, 9)), "beyond its base"),
        (delta(len(BASE), 5, b"\x00"), "unknown instruction"),
        (delta(len(BASE), 5, b"\x05ab"), "ends within|another size"),
        (delta(len(BASE), 5, b"\xff\x00"), "ends within"),
        (delta(len(BASE), 5, copy(0, 4)), "another size"),
        (delta(len(BASE), 5, copy(0, 6)), "another size"),
        (b"\x80" * 12, "absurd size|ends within"),
        (b"", "ends within"),
    ],
)
def test_broken_deltas(patch: bytes, complaint: str) -> None:
    first = entry(BLOB, BASE)
    refuse(pack([first, _offset_delta(first, patch)]), complaint)


def test_limits() -> None:
    refuse(pack([], count=1001), "1001 objects", Limits(objects=1000))
    refuse(pack([entry(BLOB, bytes(2000))]), "2000 octets", Limits(object_size=1999))
    refuse(pack([entry(BLOB, bytes([number]) * 500) for number in range(5)]), "more than 2000", Limits(inflated=2000))


def test_a_bomb_is_not_inflated() -> None:
    bomb = pack([entry(BLOB, bytes(100_000_000), size=100)])
    huge = pack([entry(BLOB, bytes(100_000_000))])
    tracemalloc.start()
    try:
        refuse(bomb, "longer than the pack says")
        refuse(huge, "the limit is")
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_a_bomb_of_deltas_is_not_made() -> None:
    """Each delta doubles its base: thirty of them would make a gigabyte of a kilobyte."""
    entries, size = [entry(BLOB, BASE)], len(BASE)
    for _ in range(30):
        patch = delta(size, 2 * size, copy(0, size) * 2 if size < 1 << 24 else b"")
        entries.append(_offset_delta(entries[-1], patch))
        size *= 2
    refuse(pack(entries), "more than 20000000 octets", Limits(inflated=20_000_000))


def test_the_depth_of_deltas_is_bounded() -> None:
    entries = [entry(BLOB, BASE)]
    for number in range(20):
        patch = delta(len(BASE), len(BASE), copy(0, len(BASE) - 1) + bytes([1, number]))
        entries.append(_offset_delta(entries[-1], patch))
    assert len(read(pack(entries))) == 21
    refuse(pack(entries), "more than 10 deltas", Limits(delta_depth=10))


def test_a_large_object_is_read_in_many_slices() -> None:
    data = pack([entry(BLOB, bytes(10_000_000))])
    slices = sum(1 for _ in unpack(data, DEFAULT_LIMITS))
    assert slices > 150


def test_a_large_file_is_inflated_piece_by_piece_when_it_is_read() -> None:
    content = Random(1).randbytes(3_000_000) + bytes(3_000_000)
    objects = read(pack([entry(BLOB, b"small"), entry(BLOB, content)]))
    stored = objects[object_id(BLOB, content)].stored
    assert isinstance(stored, Deflated)
    for _ in range(2):
        pieces = list(stored.pieces())
        assert b"".join(pieces) == content
        assert max(map(len, pieces)) <= 1 << 16
    assert objects[object_id(BLOB, content)].content == content
    assert objects[object_id(BLOB, b"small")].stored == b"small"


def test_a_large_file_is_the_base_of_deltas() -> None:
    base = Random(2).randbytes(1_500_000)
    made = base[1000:2000] + b"new"
    patch = entry(REFERENCE_DELTA, delta(len(base), len(made), copy(1000, 1000) + b"\x03new"), base=base_id(base))
    assert contents(read(pack([patch, entry(BLOB, base)]))) == sorted([made, base])


def base_id(content: bytes) -> bytes:
    return bytes.fromhex(object_id(BLOB, content))


@pytest.mark.parametrize(
    ("size", "complaint"), [(1_999_999, "longer than the pack says"), (2_000_001, "shorter than the pack says")]
)
def test_a_large_file_has_the_size_that_the_pack_says(size: int, complaint: str) -> None:
    data = entry(BLOB, bytes(2_000_000))
    head = entry(BLOB, bytes(size))[: len(entry(BLOB, bytes(size))) - len(zlib.compress(bytes(size)))]
    refuse(pack([head + data[-len(zlib.compress(bytes(2_000_000))) :]]), complaint)


def test_a_large_file_whose_stream_is_damaged_is_refused() -> None:
    data = bytearray(entry(BLOB, Random(3).randbytes(2_000_000)))
    data[1_000_000] ^= 0xFF
    refuse(pack([bytes(data)]), "cannot be inflated")


def test_an_empty_object_whose_stream_is_long_is_read_in_many_slices() -> None:
    blocks = b"\x00\x00\x00\xff\xff" * 100_000  # stored blocks of no octets (RFC 1951 3.2.4)
    stream = b"\x78\x9c" + blocks + b"\x01\x00\x00\xff\xff" + zlib.adler32(b"").to_bytes(4)
    data = pack([b"\x30" + stream])
    assert contents(read(data)) == [b""]
    assert sum(1 for _ in unpack(data, DEFAULT_LIMITS)) > 1000
