"""Disks that boot: their layout, their files, and what is refused."""

import struct
import subprocess
from pathlib import Path

import pytest

from dns_build import disk
from dns_build.progress import BuildError
from tests.support import disks

IMAGE = b"an image" * 1000


@pytest.fixture
def made(tmp_path: Path) -> Path:
    (tmp_path / "image").write_bytes(IMAGE)
    (tmp_path / "work").mkdir()
    return disk.write(tmp_path / "image", tmp_path / "disk", tmp_path / "work", "--name=a", disks.tools())


def content(made: Path, path: str) -> bytes:
    """A file of the partition."""
    tools = disks.tools()
    command = [tools.mcopy, "-i", f"{made}@@{disk.GAP * disk.SECTOR}", f"::/{path}", "-"]
    environment = {"MTOOLS_SKIP_CHECK": "1", **tools.environment}
    return subprocess.run(command, capture_output=True, check=True, env=environment).stdout


def test_one_partition_that_bios_starts_from_and_uefi_takes_for_its_own(made: Path) -> None:
    data = made.read_bytes()
    assert data[510:512] == b"\x55\xaa"
    active, kind, start, sectors = struct.unpack("<B3xB3xII", data[446:462])
    assert (active, kind, start) == (0x80, 0xEF, disk.GAP)
    assert len(data) == (start + sectors) * disk.SECTOR
    assert data[462:510] == bytes(48)
    assert b"GRUB" in data[:440]


def test_image_and_parameters_are_files_of_the_partition(made: Path) -> None:
    assert content(made, "unizone/unizone") == IMAGE
    assert b'set parameters="--name=a"' in content(made, "unizone/parameters.cfg")
    assert content(made, "EFI/BOOT/BOOTX64.EFI").startswith(b"MZ")


def test_two_disks_of_one_image_are_the_same(made: Path, tmp_path: Path) -> None:
    again = disk.write(tmp_path / "image", tmp_path / "again", tmp_path / "work", "--name=a", disks.tools())
    assert again.read_bytes() == made.read_bytes()


@pytest.mark.parametrize("text", ['--name="a b"', "--name='a'", "--name=$a", "--name=a\nboot", "--name=a\\"])
def test_parameters_that_grub_would_change_are_refused(text: str) -> None:
    with pytest.raises(BuildError, match="--parameters"):
        disk.parameters(text)


def test_missing_programs_are_named_with_the_line_that_installs_them(tmp_path: Path) -> None:
    tools = disk.Tools(mkimage="no-such-mkimage", mformat="no-such-mformat", modules=tmp_path)
    with pytest.raises(BuildError, match=r"no-such-mkimage, no-such-mformat, .*i386-pc, x86_64-efi") as caught:
        tools.check()
    assert "apt-get install grub-common grub-pc-bin grub-efi-amd64-bin mtools" in str(caught.value)
