"""Where the FAT volumes of a disk lie: on the whole of it, or in the partitions of an MBR or a GPT.

Read first: UEFI Specification 2.10, 5.2 (MBR) and 5.3 (GPT). Partitions inside of extended ones are not looked for. The
disk may be hostile: counts are bounded, and what a partition table says is checked by whoever reads the volume.
"""

import struct
import uuid
import zlib
from collections.abc import Iterator
from typing import Final

from dns_server.configuration.fat import BadVolume, FatVolume, Read

_SECTORS: Final = (512, 4096)
"""Octets of a sector. An image in a file does not tell which, so the places for both are tried."""
_MBR: Final = 512
_TABLE_AT: Final = 446
_PARTITION: Final = struct.Struct("<4xB3xLL")  # type, first sector, sectors
_PARTITIONS: Final = 4
_FAT_TYPES: Final = frozenset({0x01, 0x04, 0x06, 0x0B, 0x0C, 0x0E, 0xEF})
_GPT_TYPE: Final = 0xEE
_GPT: Final = struct.Struct("<8s4xLL4x8x8x8x8x16xQLLL")
"""Signature, octets and CRC of the header; first sector, number, octets and CRC of the entries."""
_GPT_SIGNATURE: Final = b"EFI PART"
_GPT_CRC_AT: Final = 16
_GPT_ENTRY: Final = struct.Struct("<16s16xQQ")  # type, first and last sector
_GPT_ENTRY_SIZES: Final = (128, 256, 512)
_MAX_GPT_ENTRIES: Final = 128
_MAX_SECTOR: Final = 1 << 48  # far beyond any disk, and no more than what a file may be asked for
_GPT_FAT_TYPES: Final = frozenset(
    uuid.UUID(text).bytes_le
    for text in (
        "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7",  # basic data
        "c12a7328-f81f-11d2-ba4b-00c04fc93ec9",  # EFI system partition
    )
)


def volumes(read: Read) -> Iterator[FatVolume]:
    """The FAT volumes of a disk, in the order of its partition table. BadVolume where there is none at all."""
    problems: list[str] = []
    try:
        yield FatVolume(read)
    except BadVolume as problem:
        problems.append(str(problem))
    else:
        return
    found = False
    for start, size in _partitions(read):
        try:
            volume = FatVolume(_within(read, start, size))
        except BadVolume as problem:
            problems.append(f"in the partition at octet {start}, {problem}")
        else:
            found = True
            yield volume
    if not found:
        raise BadVolume("; ".join(problems))


def _partitions(read: Read) -> Iterator[tuple[int, int]]:
    """First octet and size of each partition that may be FAT."""
    mbr = read(0, _MBR)
    if mbr[510:512] != b"\x55\xaa":
        return
    entries = [_PARTITION.unpack_from(mbr, _TABLE_AT + _PARTITION.size * number) for number in range(_PARTITIONS)]
    for sector in _SECTORS:
        for kind, first, sectors in entries:
            if kind == _GPT_TYPE:
                yield from _gpt_partitions(read, sector)
            elif kind in _FAT_TYPES and first and sectors:
                yield first * sector, sectors * sector


def _gpt_partitions(read: Read, sector: int) -> Iterator[tuple[int, int]]:
    header = read(sector, sector)
    if len(header) < sector or not header.startswith(_GPT_SIGNATURE):
        return
    _, size, crc, first, number, entry_size, entries_crc = _GPT.unpack_from(header)
    plausible = _GPT.size <= size <= sector and number <= _MAX_GPT_ENTRIES and entry_size in _GPT_ENTRY_SIZES
    if (
        not plausible
        or first > _MAX_SECTOR
        or zlib.crc32(header[:_GPT_CRC_AT] + bytes(4) + header[_GPT_CRC_AT + 4 : size]) != crc
    ):
        return
    entries = read(first * sector, number * entry_size)
    if zlib.crc32(entries) != entries_crc:
        return
    for start in range(0, len(entries), entry_size):
        kind, begin, last = _GPT_ENTRY.unpack_from(entries, start)
        if kind in _GPT_FAT_TYPES and begin <= last <= _MAX_SECTOR:
            yield begin * sector, (last - begin + 1) * sector


def _within(read: Read, start: int, size: int) -> Read:
    """What lies in a part of the disk."""
    return lambda first, count: read(start + first, max(0, min(count, size - first)))
