"""Reads what a disk begins with, writes more than one request holds, and reads it back."""

from dns_platform.guest import GuestBlock, disk_count

PATTERN = bytes(range(256)) * 1024


def main() -> int:
    """Print what was found; the last sector stays as it is."""
    print("disks", disk_count())
    disk = GuestBlock()
    print("sectors", disk.sectors, "of", disk.sector_size)
    print("begins with", disk.read(0, 1)[:5].decode())
    disk.write(3, PATTERN)
    disk.flush()
    print("read back", disk.read(3, len(PATTERN) // disk.sector_size) == PATTERN)
    for sector, count in ((disk.sectors, 1), (0, disk.sectors + 1), (-1, 1)):
        try:
            disk.read(sector, count)
        except ValueError:
            print("outside", sector, count)
    return 0
