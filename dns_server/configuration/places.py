"""Where a configuration lies: a folder, a tar or a FAT volume. The latter two are in a file or on a block device, the
volume there on its own or in a partition.
"""

import io
import os
import stat
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from dns_platform.protocols import BlockDevice
from dns_server.configuration.fat import MAX_ENTRIES, MAX_FILE, Read
from dns_server.configuration.partitions import volumes

FILE: Final = "unizone.toml"
"""What makes a place a configuration."""
_TAR_MAGIC: Final = b"ustar"
_TAR_MAGIC_AT: Final = 257
_MAX_TAR: Final = 16 << 20
_HEAD: Final = 512


class Place(Protocol):
    """Files by name."""

    def locate(self, file: str) -> str:
        """Where a file is, for messages."""
        ...

    def read(self, file: str) -> bytes:
        """Content of a file. ValueError when it can't be had."""
        ...

    def path(self, file: str) -> str:
        """A path by which this process can open the file. ValueError when there is none."""
        ...


class FolderPlace:
    """A folder of the host; paths in it are relative to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def locate(self, file: str) -> str:
        """See `Place`."""
        return str(self._folder / file)

    def read(self, file: str) -> bytes:
        """See `Place`."""
        try:
            return (self._folder / file).read_bytes()
        except OSError as error:
            raise ValueError(f"{file} can't be read: {error.strerror}") from None

    def path(self, file: str) -> str:
        """See `Place`."""
        return str(self._folder / file)


class ArchivePlace:
    """Files in memory. A file that must have a path gets one below /proc/self/fd; nothing is written to a disk."""

    def __init__(self, name: str, files: Mapping[str, bytes]) -> None:
        self._name = name
        self._files = files

    def locate(self, file: str) -> str:
        """See `Place`."""
        return f"{self._name}:{file}"

    def read(self, file: str) -> bytes:
        """See `Place`."""
        try:
            return self._files[file.removeprefix("./")]
        except KeyError:
            raise ValueError(f"there is no file {file} of at most {MAX_FILE} octets") from None

    def path(self, file: str) -> str:
        """See `Place`. The descriptor stays open: who has the path may open it at any later time."""
        content = self.read(file)
        try:
            descriptor = os.memfd_create(file)
        except (AttributeError, OSError):
            raise ValueError(
                f"{file} can't be opened by a path here: this machine keeps no more files in memory"
            ) from None
        with open(descriptor, "wb", closefd=False) as opened:
            opened.write(content)
        return f"/proc/self/fd/{descriptor}"


def open_place(path: Path) -> Place:
    """The place at `path`. ValueError says why there is none."""
    if path.is_dir():
        return FolderPlace(path)
    try:
        with path.open("rb") as opened:
            if stat.S_ISCHR(os.fstat(opened.fileno()).st_mode):
                raise ValueError(f"{path} is neither a folder nor a file")

            def read(start: int, size: int) -> bytes:
                opened.seek(start)
                return opened.read(size)

            return open_archive(str(path), read)
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None


def open_device(name: str, device: BlockDevice) -> Place:
    """The place on a block device. ValueError says why there is none."""
    size, end = device.sector_size, device.sector_size * device.sectors

    def read(start: int, count: int) -> bytes:
        stop = min(start + count, end)
        if stop <= start:
            return b""
        first, last = start // size, -(-stop // size)
        octets = device.read(first, last - first)
        return octets[start - first * size : stop - first * size]

    return open_archive(name, read)


def open_archive(name: str, read: Read) -> Place:
    """The place in a tar, or in the first FAT volume with a configuration. ValueError says why there is none."""
    head = read(0, _HEAD)
    if head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + len(_TAR_MAGIC)] == _TAR_MAGIC:
        return ArchivePlace(name, _tar_files(name, read))
    try:
        found = (volume.files() for volume in volumes(read))
        files = next((files for files in found if FILE in files), None)
    except ValueError as error:
        raise ValueError(f"{name} is neither a tar nor a FAT volume that can be read: {error}") from None
    if files is None:
        raise ValueError(f"{name} has no {FILE} in the top folder of a FAT volume")
    return ArchivePlace(name, files)


def _tar_files(name: str, read: Read) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(read(0, _MAX_TAR)), mode="r:") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                if member.size > MAX_FILE or len(files) >= MAX_ENTRIES:
                    raise ValueError(f"{name}: {member.name} is too large, or one file too many")
                opened = archive.extractfile(member)
                assert opened is not None
                files[member.name.removeprefix("./")] = opened.read()
    except (tarfile.TarError, EOFError) as error:
        raise ValueError(f"{name} can't be read as a tar: {error}") from None
    return files
