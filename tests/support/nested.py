"""A small Linux, for beds in which a hypervisor runs under emulation: a kernel, an archive of files, a script.

Everything comes from Debian packages that are unpacked in the cache (see `debian`); nothing is installed.
"""

import lzma
import re
import stat
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.support import debian

_SETUP_SECTORS, _PAYLOAD = 0x1F1, 0x248
_LZ4 = bytes.fromhex("02214c18")
_LOADER = Path("/lib64/ld-linux-x86-64.so.2")
_LIBRARIES = Path("/lib/x86_64-linux-gnu")

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin LD_LIBRARY_PATH=/lib
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
"""
"""How every script of a bed begins: busybox's commands, and the kernel's file systems."""


KERNEL = "linux-image-amd64"
"""Package of the kernel."""


def kernel(package: str = KERNEL) -> debian.Tree:
    """A kernel of Debian's and its modules, and busybox."""
    return debian.programs(package, "busybox-static")


def vmlinux(package: str = KERNEL) -> Path:
    """The kernel itself: starts seconds earlier under emulation than the packed one, which unpacks itself."""
    path = kernel(package).root.with_suffix(".vmlinux")
    if not path.exists():
        (packed,) = (kernel(package).root / "boot").glob("vmlinuz-*")
        data = packed.read_bytes()
        offset, size = struct.unpack_from("<II", data, _PAYLOAD)
        start = (data[_SETUP_SECTORS] + 1) * 512 + offset
        # The last four octets are the unpacked size.
        unpacked = _unpacked(data[start : start + size - 4])
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(unpacked)
        Path(file.name).rename(path)
    return path


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(_LZ4):
        return lzma.decompress(data, format=lzma.FORMAT_XZ)
    tree = debian.programs("lz4")
    command = [str(tree.path("lz4")), "-d", "-c"]
    return subprocess.run(command, input=data, env=tree.environment, stdout=subprocess.PIPE, check=True).stdout


def modules(*names: str, package: str = KERNEL) -> dict[str, bytes]:
    """Kernel modules and those that they need: `lib/modules/NN-NAME.ko`, in the order in which to load them."""
    folder = kernel(package).root / "lib" / "modules"
    found = {path.stem.replace("-", "_"): path for path in folder.rglob("*.ko")}
    order: dict[str, bytes] = {}

    def add(name: str) -> None:
        if name in order or name not in found:  # what is no file is part of the kernel
            return
        data = found[name].read_bytes()
        depends = re.search(rb"\0depends=([^\0]*)\0", data)
        for other in depends[1].decode().split(",") if depends else ():
            add(other.replace("-", "_"))
        order[name] = data

    for name in names:
        add(name.replace("-", "_"))
    return {f"lib/modules/{number:02}-{name}.ko": data for number, (name, data) in enumerate(order.items())}


def programs(tree: debian.Tree, *paths: Path, also: Iterable[str] = ()) -> dict[str, bytes]:
    """Dynamically linked programs as `bin/NAME`, with their libraries in `lib` and the loader in its own place.

    `also` are libraries that they load by name while they run.
    """
    files = {f"bin/{path.name}": path.read_bytes() for path in paths}
    files[str(_LOADER).lstrip("/")] = _LOADER.read_bytes()
    files |= {f"lib/{name}": _library(tree, name).read_bytes() for name in also}
    waiting = list(paths)
    while waiting:
        headers = subprocess.run(["readelf", "-dW", waiting.pop()], capture_output=True, text=True, check=True).stdout
        for name in re.findall(r"\(NEEDED\).*\[(.*)\]", headers):
            if f"lib/{name}" not in files:
                library = _library(tree, name)
                files[f"lib/{name}"] = library.read_bytes()
                waiting.append(library)
    return files


def _library(tree: debian.Tree, name: str) -> Path:
    for folder in (*(tree.root / folder for folder in debian.LIBRARY_FOLDERS), _LIBRARIES):
        if (folder / name).exists():
            return folder / name
    raise debian.Unavailable(f"{name} is neither in {tree.root} nor in {_LIBRARIES}")


def archive(files: Mapping[str, bytes], script: str) -> bytes:
    """An initramfs (cpio, format `newc`) with files by path, busybox, and `script` as what runs first."""
    busybox = (kernel().root / "bin" / "busybox").read_bytes()
    return packed({"init": script.encode(), "bin/busybox": busybox, **files})


def packed(contents: Mapping[str, bytes]) -> bytes:
    """An initramfs with these files by path, all of which can be run."""
    folders = sorted(
        {str(parent) for path in contents for parent in Path(path).parents} | {"proc", "sys", "dev", "tmp"}
    )
    parts = [_entry(number, folder, stat.S_IFDIR | 0o755, b"") for number, folder in enumerate(folders, 1)]
    parts += [
        _entry(number, path, stat.S_IFREG | 0o755, data)
        for number, (path, data) in enumerate(contents.items(), len(folders) + 1)
    ]
    return b"".join([*parts, _entry(0, "TRAILER!!!", 0, b"")])


def _entry(number: int, path: str, mode: int, data: bytes) -> bytes:
    name = path.encode() + b"\0"
    fields: Iterable[int] = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
