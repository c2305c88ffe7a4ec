"""What disks are made with: GRUB, mtools and mkfs.vfat of Debian, unpacked into the cache."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from dns_build.disk import Tools
from tests.support import debian


def volume_tools() -> debian.Tree:
    """The programs that make FAT volumes and partitions; the calling test is skipped where they can't be had."""
    return debian.need("dosfstools", "mtools", "fdisk")


def volume(folder: Path, bits: int, items: Sequence[Path]) -> Path:
    """A FAT volume of 12, 16 or 32 bits in `folder`, with copies of `items`."""
    tree = volume_tools()
    path = folder / "config.img"
    kib = {12: 1440, 16: 16 << 10, 32: 68 << 10}[bits]
    mkfs = [str(tree.path("mkfs.vfat")), "-F", str(bits), "-S", "512", "-C", str(path), str(kib)]
    environment = {**tree.environment, "MTOOLS_SKIP_CHECK": "1"}
    subprocess.run(mkfs, check=True, capture_output=True, env=environment)
    if items:
        copy = [str(tree.path("mcopy")), "-i", str(path), "-s", *map(str, items), "::"]
        subprocess.run(copy, check=True, capture_output=True, env=environment)
    return path


def tools() -> Tools:
    """What disks that boot are made with; the calling test is skipped where they can't be had."""
    grub, mtools = debian.need("grub-common", "grub-pc-bin", "grub-efi-amd64-bin"), debian.need("mtools")
    return Tools(
        mkimage=str(grub.path("grub-mkimage")),
        mformat=str(mtools.path("mformat")),
        mcopy=str(mtools.path("mcopy")),
        mmd=str(mtools.path("mmd")),
        modules=grub.root / "usr" / "lib" / "grub",
        environment=grub.environment,
    )
