"""What disks that boot are made with: GRUB and mtools of Debian, unpacked into the cache."""

import pytest

from dns_build.disk import Tools
from tests.support import debian


def tools() -> Tools:
    """The programs; the calling test is skipped where they can't be had."""
    try:
        grub, mtools = debian.programs("grub-common", "grub-pc-bin", "grub-efi-amd64-bin"), debian.programs("mtools")
    except debian.Unavailable as error:
        pytest.skip(str(error))
    return Tools(
        mkimage=str(grub.path("grub-mkimage")),
        mformat=str(mtools.path("mformat")),
        mcopy=str(mtools.path("mcopy")),
        mmd=str(mtools.path("mmd")),
        modules=grub.root / "usr" / "lib" / "grub",
        environment=grub.environment,
    )
