"""Reads files of a FAT volume: 12, 16 and 32 bits, long names, folders; nothing is ever written.

Read first: Microsoft Extensible Firmware Initiative FAT32 File System Specification 1.03 (2000), which has FAT12 and
FAT16 too.

Own code, for the packages that read FAT (pyfatfs and its like) write as well and stand on a file system layer many
times as large as what a folder of small files needs. The volume may be hostile: every offset is checked, chains end.
"""

import codecs
import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

Read = Callable[[int, int], bytes]
"""As many octets as the second number says, from the first on; fewer at the end."""

MAX_FILE: Final = 1 << 20
"""Octets; longer files are left out: a volume may hold more than a configuration, such as what boots from it."""
MAX_FILES: Final = 4 << 20
"""Octets of all files together."""
MAX_ENTRIES: Final = 1000
"""Entries of one folder, and files of a volume."""
_MAX_DEPTH: Final = 4
_SECTOR: Final = 512
_BOOT: Final = struct.Struct("<11xHBHBHHxHHHLLL4xL")
_ENTRY: Final = struct.Struct("<11sBB7xH4xHL")
_ENTRY_SIZE: Final = 32
_MAX_FAT12: Final = 4085  # clusters; fewer are FAT12, and
_MAX_FAT16: Final = 65525  # fewer are FAT16
_READ_ONLY_VOLUME_LABEL: Final = 0x08
_FOLDER: Final = 0x10
_LONG_NAME: Final = 0x0F
_FREE: Final = 0xE5
_LAST_LONG: Final = 0x40
_LOWER_BASE: Final = 0x08  # a short name in lower case is marked so by Windows and Linux
_LOWER_EXTENSION: Final = 0x10


class BadVolume(ValueError):
    """The volume can't be read; says why."""


class _Entry(NamedTuple):
    name: str
    is_folder: bool
    cluster: int
    size: int


class FatVolume:
    """A volume, opened; BadVolume where it is none."""

    def __init__(self, read: Read) -> None:
        self._read = read
        boot = read(0, _SECTOR)
        if len(boot) < _SECTOR or boot[510:512] != b"\x55\xaa":
            raise BadVolume("it has no boot sector of a FAT volume")
        fields = _BOOT.unpack_from(boot)
        sector, per_cluster, reserved, tables, root_entries, total_16, table_16, _, _, _, total_32, table_32, root = (
            fields
        )
        if sector not in (512, 1024, 2048, 4096) or per_cluster not in (1, 2, 4, 8, 16, 32, 64, 128):
            raise BadVolume("its sizes are none of FAT")
        table_sectors, total = table_16 or table_32, total_16 or total_32
        root_sectors = -(-root_entries * _ENTRY_SIZE // sector)
        first_data = reserved + tables * table_sectors + root_sectors
        if not (reserved and tables and table_sectors) or first_data >= total:
            raise BadVolume("its tables don't fit in it")
        self._cluster_size = sector * per_cluster
        self._clusters = (total - first_data) // per_cluster
        self._data = first_data * sector
        self._table = reserved * sector
        self._table_size = table_sectors * sector
        self._bits = 12 if self._clusters < _MAX_FAT12 else 16 if self._clusters < _MAX_FAT16 else 32
        self._root_cluster = root if self._bits == 32 else 0
        self._root = (first_data - root_sectors) * sector, root_entries * _ENTRY_SIZE

    def files(self) -> dict[str, bytes]:
        """Contents of the files by path, in the letter case that they were written in. BadVolume."""
        found: dict[str, bytes] = {}
        self._walk("", self._root_octets(), 0, found)
        return found

    def _root_octets(self) -> bytes:
        if self._bits == 32:
            return self._chain(self._root_cluster, MAX_ENTRIES * _ENTRY_SIZE)
        start, size = self._root
        return self._exactly(start, min(size, MAX_ENTRIES * _ENTRY_SIZE))

    def _walk(self, prefix: str, folder: bytes, depth: int, found: dict[str, bytes]) -> None:
        for entry in _entries(folder):
            path = prefix + entry.name
            if entry.is_folder:
                if entry.name not in (".", "..") and depth < _MAX_DEPTH:
                    inner = self._chain(entry.cluster, MAX_ENTRIES * _ENTRY_SIZE)
                    self._walk(f"{path}/", inner, depth + 1, found)
                continue
            if entry.size > MAX_FILE:
                continue
            if len(found) >= MAX_ENTRIES or sum(map(len, found.values())) > MAX_FILES:
                raise BadVolume(f"it has more than {MAX_ENTRIES} files, or more than {MAX_FILES} octets in them")
            content = self._chain(entry.cluster, entry.size) if entry.size else b""
            if len(content) < entry.size:
                raise BadVolume(f"{path} is shorter than its entry says")
            found[path] = content[: entry.size]

    def _chain(self, cluster: int, limit: int) -> bytes:
        """Octets of the clusters from `cluster` on, up to about `limit`."""
        octets = b""
        while 2 <= cluster < self._clusters + 2 and len(octets) < limit:
            octets += self._exactly(self._data + (cluster - 2) * self._cluster_size, self._cluster_size)
            cluster = self._next(cluster)
        return octets

    def _next(self, cluster: int) -> int:
        """The cluster after `cluster`; one that is not in the volume at the end."""
        at = cluster * self._bits // 8
        width = 4 if self._bits == 32 else 2
        if at + width > self._table_size:
            raise BadVolume("a chain of clusters leaves its table")
        number = int.from_bytes(self._exactly(self._table + at, width), "little")
        if self._bits == 12:
            return number >> 4 if cluster & 1 else number & 0xFFF
        return number & 0x0FFFFFFF

    def _exactly(self, start: int, size: int) -> bytes:
        octets = self._read(start, size)
        if len(octets) < size:
            raise BadVolume("it ends too early")
        return octets


def _entries(folder: bytes) -> Iterator[_Entry]:
    long_name: dict[int, bytes] = {}
    checksum = -1
    for start in range(0, len(folder) - _ENTRY_SIZE + 1, _ENTRY_SIZE):
        octets = folder[start : start + _ENTRY_SIZE]
        first = octets[0]
        if first == 0:
            return
        short, attributes, case, high, low, size = _ENTRY.unpack(octets)
        if first == _FREE:
            long_name.clear()
        elif attributes & 0x3F == _LONG_NAME:
            if first & _LAST_LONG:
                long_name.clear()
                checksum = octets[13]
            long_name[first & 0x1F] = octets[1:11] + octets[14:26] + octets[28:32]
        elif attributes & _READ_ONLY_VOLUME_LABEL:
            long_name.clear()
        else:
            name = _long(long_name) if long_name and checksum == _checksum(short) else _short(short, case)
            long_name.clear()
            yield _Entry(name, bool(attributes & _FOLDER), high << 16 | low, size)


def _long(parts: dict[int, bytes]) -> str:
    octets = b"".join(parts[number] for number in sorted(parts))
    text, _ = codecs.utf_16_le_decode(octets, "replace")  # needs no codec by name, which images lack
    return text.partition("\0")[0]


def _short(octets: bytes, case: int) -> str:
    if octets[0] == 0x05:  # stands for 0xE5, which would say that the entry is free
        octets = b"\xe5" + octets[1:]
    # Which code page it is nobody says; names of the configuration are ASCII, and others have a long name, too
    base, extension = (part.decode("ascii", "replace").rstrip(" ") for part in (octets[:8], octets[8:]))
    base = base.lower() if case & _LOWER_BASE else base
    extension = extension.lower() if case & _LOWER_EXTENSION else extension
    return f"{base}.{extension}" if extension else base


def _checksum(short: bytes) -> int:
    total = 0
    for octet in short:
        total = ((total >> 1) + ((total & 1) << 7) + octet) & 0xFF
    return total
