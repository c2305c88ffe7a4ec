"""A file or block special file as a disk."""

import os
from pathlib import Path

from dns_platform.protocols import DeviceError, Octets

SECTOR = 512


class FileBlockDevice:
    """`path`, in sectors of 512 octets; a part of a sector at its end is not used."""

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise DeviceError(f"{path}: can't be opened as a disk: {error.strerror}") from error
        self.sectors = os.lseek(self._descriptor, 0, os.SEEK_END) // SECTOR
        self.sector_size = SECTOR

    def read(self, sector: int, count: int) -> bytes:
        """See `BlockDevice.read`."""
        self._check(sector, count)
        data = os.pread(self._descriptor, count * SECTOR, sector * SECTOR)
        if len(data) != count * SECTOR:
            raise DeviceError(f"read of {count} sectors from {sector} on came back short")
        return data

    def write(self, sector: int, data: Octets) -> None:
        """See `BlockDevice.write`."""
        if len(data) % SECTOR:
            raise ValueError(f"{len(data)} octets are not whole sectors of {SECTOR}")
        self._check(sector, len(data) // SECTOR)
        if os.pwrite(self._descriptor, data, sector * SECTOR) != len(data):
            raise DeviceError(f"write of {len(data)} octets to sector {sector} came back short")

    def flush(self) -> None:
        """See `BlockDevice.flush`."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _check(self, sector: int, count: int) -> None:
        if sector < 0 or count < 0 or sector + count > self.sectors:
            raise ValueError(f"sectors {sector} to {sector + count} are not on a device of {self.sectors}")
