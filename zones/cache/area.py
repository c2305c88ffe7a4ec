"""A place on a disk for one payload, written so that a power cut at any moment leaves the old one or the new one.

The first sector is a label. Two slots share the rest; a payload goes to the slot that does not hold the newest, its
header last. A header tells sequence number, length and SHA-256 of the payload, and has a checksum of its own.
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

from dns_platform.protocols import BlockDevice
from zones.slices import Sliced

BLANK: Final = 1 << 20
"""Octets at the start of a disk that must be zero before it is taken for a new one."""

_LABEL: Final = b"unizone cache, version 1\n"
_MAGIC: Final = b"unizone slot, 1\n"
_HEADER: Final = struct.Struct(">16sQQ32s")
_DIGEST: Final = 32  # octets of SHA-256
_PIECE: Final = 1 << 16  # octets that are written between two looks at the clock
_SMALLEST: Final = 64  # sectors


class NoArea(Exception):
    """The disk holds something else, or is too small; says what to do."""


@dataclass(frozen=True, slots=True)
class _Slot:
    start: int
    """Its first sector, which holds the header."""
    capacity: int
    """Octets of payload."""


@dataclass(frozen=True, slots=True)
class _Header:
    sequence: int
    length: int
    digest: bytes


class Area:
    """The cache on one disk. Nothing else writes to it."""

    def __init__(self, disk: BlockDevice) -> None:
        """Open the area of `disk`; a blank disk becomes one. NoArea; DeviceError when the disk can't be read."""
        self._disk = disk
        size = disk.sector_size
        if disk.sectors < _SMALLEST:
            raise NoArea(f"it has {disk.sectors} sectors, {_SMALLEST} are the least")
        if disk.read(0, 1)[: len(_LABEL)] != _LABEL:
            if any(disk.read(0, min(disk.sectors, -(-BLANK // size)))):
                raise NoArea(f"it holds something else; a new one has {BLANK} zeros at its start")
            disk.write(0, _LABEL.ljust(size, b"\0"))
            disk.flush()
        sectors = (disk.sectors - 1) // 2
        self._slots = tuple(_Slot(1 + number * sectors, (sectors - 1) * size) for number in range(2))
        headers = [self._header(slot) for slot in self._slots]
        self._sequence = max((header.sequence for header in headers if header is not None), default=0)
        self.damaged = 0
        """Payloads that were found torn or changed by the last `read`."""

    @property
    def capacity(self) -> int:
        """Octets that a payload may have."""
        return self._slots[0].capacity

    def read(self) -> bytes | None:
        """The newest payload that is whole; None when there is none. DeviceError."""
        found = [(header, slot) for slot in self._slots if (header := self._header(slot)) is not None]
        self.damaged = 0
        for header, slot in sorted(found, key=lambda item: item[0].sequence, reverse=True):
            sectors = -(-header.length // self._disk.sector_size)
            payload = self._disk.read(slot.start + 1, sectors)[: header.length]
            if hashlib.sha256(payload).digest() == header.digest:
                self._sequence = header.sequence
                return payload
            self.damaged += 1
        return None

    def write(self, payload: bytes) -> Sliced[None]:
        """Replace the payload. ValueError when it does not fit; DeviceError."""
        if len(payload) > self.capacity:
            raise ValueError(f"{len(payload)} octets do not fit the {self.capacity} of the cache")
        size = self._disk.sector_size
        sequence = self._sequence + 1
        slot = self._slots[sequence % 2]
        self._disk.write(slot.start, bytes(size))
        self._disk.flush()
        digest = hashlib.sha256()
        for start in range(0, len(payload), _PIECE):
            piece = payload[start : start + _PIECE]
            digest.update(piece)
            self._disk.write(slot.start + 1 + start // size, piece + bytes(-len(piece) % size))
            yield
        self._disk.flush()
        header = _HEADER.pack(_MAGIC, sequence, len(payload), digest.digest())
        self._disk.write(slot.start, (header + hashlib.sha256(header).digest()).ljust(size, b"\0"))
        self._disk.flush()
        self._sequence = sequence

    def _header(self, slot: _Slot) -> _Header | None:
        sector = self._disk.read(slot.start, 1)
        header, checksum = sector[: _HEADER.size], sector[_HEADER.size : _HEADER.size + _DIGEST]
        magic, sequence, length, digest = _HEADER.unpack(header)
        if magic != _MAGIC or hashlib.sha256(header).digest() != checksum or length > slot.capacity:
            return None
        return _Header(sequence, length, digest)
