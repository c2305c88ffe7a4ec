"""Disks in memory that lose power, fail, or hold something else."""

from dataclasses import dataclass, field

from dns_platform.protocols import DeviceError, Octets

SECTOR = 512


@dataclass
class Disk:
    """A `BlockDevice` whose power can be cut after a number of sectors."""

    sectors: int = 256
    sector_size: int = SECTOR
    power: int | None = None
    """Sectors that are written before it goes off; None for ever."""
    content: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.content = self.content or bytearray(self.sectors * SECTOR)

    def read(self, sector: int, count: int) -> bytes:
        self._check(sector, count)
        return bytes(self.content[sector * SECTOR : (sector + count) * SECTOR])

    def write(self, sector: int, data: Octets) -> None:
        self._check(sector, len(data) // SECTOR)
        if len(data) % SECTOR:
            raise ValueError("no whole sectors")
        for start in range(0, len(data), SECTOR):
            if self.power is not None:
                if not self.power:
                    raise DeviceError("the power is off")
                self.power -= 1
            offset = sector * SECTOR + start
            self.content[offset : offset + SECTOR] = data[start : start + SECTOR]

    def flush(self) -> None:
        if self.power == 0:
            raise DeviceError("the power is off")

    def _check(self, sector: int, count: int) -> None:
        if sector < 0 or sector + count > self.sectors:
            raise ValueError("outside the disk")
