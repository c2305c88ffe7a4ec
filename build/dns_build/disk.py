"""A disk that starts an image with BIOS or UEFI: GRUB in front of it, and its parameters in a file that people edit.

sector 0        MBR: GRUB's first stage, one partition
sectors 1 up    GRUB for BIOS, in the gap before the partition
sector 2048 up  FAT, type 0xEF so that UEFI takes it for its own:
                EFI/BOOT/BOOTX64.EFI, unizone/unizone, unizone/grub.cfg, unizone/parameters.cfg
"""

import os
import shutil
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dns_build import toolchain
from dns_build.progress import BuildError

SECTOR = 512
GAP = 2048
"""Sectors before the partition."""
_MEBIBYTE = 1 << 20
_SPARE = 2 * _MEBIBYTE
"""Octets of the partition beyond what is put in: tables of FAT, and room for an editor's copy of the parameters."""
_BOOT_CODE = 440  # octets of the MBR before the disk's signature
_SIGNATURE = 0x554E495A
_ESP = 0xEF  # UEFI 2.10, 5.2.2: the type of its partition on a disk with an MBR

_EARLY = "search --file --set=root /unizone/grub.cfg\nconfigfile /unizone/grub.cfg\n"
_MENU = "source /unizone/parameters.cfg\nmultiboot2 /unizone/unizone unizone $parameters\nboot\n"
_PARAMETERS = """# What `unizone serve` is started with; see docs/parameters.md. One line, between the double quotes.
set parameters="{}"
"""
_MODULES = ("part_msdos", "fat", "search", "search_fs_file", "normal", "configfile", "multiboot2")


@dataclass(frozen=True)
class Tools:
    """Programs of GRUB and mtools, and GRUB's own modules."""

    mkimage: str = "grub-mkimage"
    mformat: str = "mformat"
    mcopy: str = "mcopy"
    mmd: str = "mmd"
    modules: Path = Path("/usr/lib/grub")
    environment: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """BuildError names what is missing."""
        missing = [name for name in (self.mkimage, self.mformat, self.mcopy, self.mmd) if shutil.which(name) is None]
        missing += [
            name for name in ("i386-pc", "x86_64-efi") if not (self.modules / name / "multiboot2.mod").is_file()
        ]
        if missing:
            packages = "grub-common grub-pc-bin grub-efi-amd64-bin mtools"
            raise BuildError(f"--disk: missing {', '.join(missing)}", hint=f"apt-get install {packages}")


def parameters(text: str) -> str:
    """The file with the parameters. BuildError for a text that GRUB would read as more than that."""
    if any(character in text for character in "\"'$\\\n`"):
        raise BuildError(f"--parameters: GRUB would not leave quotes, $, \\, ` and new lines as they are: {text}")
    return _PARAMETERS.format(text)


def write(image: Path, target: Path, work: Path, line: str = "", tools: Tools | None = None) -> Path:
    """`target`, a raw disk with `image` that starts with the parameters in `line`. BuildError."""
    tools = tools or Tools()
    tools.check()
    files = {"unizone/grub.cfg": _MENU.encode(), "unizone/parameters.cfg": parameters(line).encode()}
    files["unizone/unizone"] = image.read_bytes()
    files["EFI/BOOT/BOOTX64.EFI"] = _core(tools, work, "x86_64-efi")
    core = _core(tools, work, "i386-pc", "biosdisk")
    if len(core) > (GAP - 1) * SECTOR:
        raise BuildError(f"GRUB for BIOS takes {len(core)} octets, the gap has {(GAP - 1) * SECTOR}")
    used = sum(len(content) for content in files.values()) + _SPARE
    sectors = -(-used // _MEBIBYTE) * _MEBIBYTE // SECTOR
    with target.open("wb") as disk:
        disk.write(_mbr((tools.modules / "i386-pc" / "boot.img").read_bytes(), sectors))
        disk.write(core)
        disk.truncate((GAP + sectors) * SECTOR)
    _fill(tools, target, work, sectors, files)
    return target


def convert(raw: Path, target: Path, work: Path) -> Path:
    """`target`, the disk as qcow2. BuildError."""
    if shutil.which("qemu-img") is None:
        raise BuildError("--disk qcow2: missing qemu-img", hint="apt-get install qemu-utils")
    command = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", str(raw), str(target)]
    toolchain.run(command, cwd=work, log=work / "log")
    return target


def _core(tools: Tools, work: Path, platform: str, *modules: str) -> bytes:
    """GRUB with the modules it needs to get to the menu."""
    early, core = work / "early.cfg", work / f"grub-{platform}"
    early.write_text(_EARLY)
    options = ["-d", str(tools.modules / platform), "-O", platform, "-o", str(core), "-p", "/unizone", "-c", str(early)]
    _run(tools, work, [tools.mkimage, *options, *modules, *_MODULES])
    return core.read_bytes()


def _mbr(code: bytes, sectors: int) -> bytes:
    """GRUB's first stage, which goes on at sector 1, and a table with one partition to start from."""
    everywhere = b"\xfe\xff\xff"  # cylinder, head and sector of what lies beyond them
    entry = struct.pack("<B3sB3sII", 0x80, everywhere, _ESP, everywhere, GAP, sectors)
    return code[:_BOOT_CODE] + struct.pack("<IH", _SIGNATURE, 0) + entry.ljust(64, b"\0") + b"\x55\xaa"


def _fill(tools: Tools, disk: Path, work: Path, sectors: int, files: Mapping[str, bytes]) -> None:
    """Format the partition and copy the files."""
    partition = f"{disk}@@{GAP * SECTOR}"
    _run(
        tools,
        work,
        [tools.mformat, "-i", partition, "-T", str(sectors), "-N", f"{_SIGNATURE:x}", "-v", "UNIZONE", "::"],
    )
    for folder in ("EFI", "EFI/BOOT", "unizone"):
        _run(tools, work, [tools.mmd, "-i", partition, f"::/{folder}"])
    for path, content in files.items():
        source = work / path.rpartition("/")[2]
        source.write_bytes(content)
        os.utime(source, (0, 0))
        _run(tools, work, [tools.mcopy, "-m", "-i", partition, str(source), f"::/{path}"])


def _run(tools: Tools, work: Path, command: list[str]) -> None:
    # Without that, mtools compares the partition with the geometry of some floppy.
    toolchain.run(command, cwd=work, log=work / "log", environment={"MTOOLS_SKIP_CHECK": "1", **tools.environment})
