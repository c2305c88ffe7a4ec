"""A plain folder as a tree of zone files: `--zones=DIR`, and `unizone check DIR`."""

import contextlib
import errno
import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from zones.slices import Sliced, run_sliced
from zones.source import SourceError, Version
from zones.tree import Entry

_SETTLED_NS: Final = 2_000_000_000
"""Age in nanoseconds from which a file's time tells that its content is not changing any more: file systems keep
coarse times, so a younger file may change again without a sign."""
_PIECE: Final = 1 << 17
"""Octets that are read and hashed at a time: about 100 microseconds."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A file as it was when its content was read."""

    status: tuple[int, ...] = field(compare=False)
    """Size, times and inode."""
    settled: bool = field(compare=False)
    """Whether a later change of the content is sure to change `status`."""
    blob: str


def blob_id(content: bytes) -> str:
    """Identity of a file's content, the same as git's: a folder and a commit of it compare equal."""
    digest = _blob_digest(len(content))
    digest.update(content)
    return digest.hexdigest()


def _blob_digest(size: int) -> "hashlib._Hash":
    """What makes a `blob_id` of `size` octets."""
    return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)


def _pieces(file: Path) -> Iterator[bytes]:
    """Content."""
    with file.open("rb", buffering=0) as stream:
        while piece := stream.read(_PIECE):
            yield piece


class FolderTree:
    """The files of a folder as `scan` found them; content is read as it is now."""

    revision: Final = ""
    message: Final = ""

    def __init__(self, folder: Path, files: dict[str, _Known]) -> None:
        self.folder: Final = folder
        self._resolved: Final = folder.resolve()
        self.files: Final = files

    def entries(self) -> Iterator[Entry]:
        """Regular files."""
        return (Entry(path, known.blob) for path, known in self.files.items())

    def read(self, path: str) -> bytes:
        """Content as it is now. FileNotFoundError where there is no regular file, or it lies outside the folder."""
        return self._find(path).read_bytes()

    def pieces(self, path: str) -> Iterator[bytes]:
        """See `TreeInPieces`. OSError at the end where the content is not what was listed."""
        known = self.files.get(path)
        if known is None:
            raise FileNotFoundError(path)
        return self._pieces(self._find(path), known)

    def _pieces(self, file: Path, known: _Known) -> Iterator[bytes]:
        digest = _blob_digest(known.status[0])
        for piece in _pieces(file):
            digest.update(piece)
            yield piece
        if digest.hexdigest() != known.blob:
            raise OSError(errno.EAGAIN, "it changed while it was read")

    def _find(self, path: str) -> Path:
        file = (self.folder / path).resolve()
        if not file.is_relative_to(self._resolved) or not file.is_file():
            raise FileNotFoundError(path)
        return file


def scan(folder: Path, previous: FolderTree | None = None) -> Sliced[FolderTree]:
    """List a folder. Symbolic links and hidden files and folders (`.git`) are left alone.

    With the tree before as `previous`, files whose size and times stayed are not read again. OSError where the
    folder, or a file of it, cannot be read.
    """
    before = previous.files if previous is not None else {}
    files: dict[str, _Known] = {}
    pending = [""]
    while pending:
        inner = pending.pop()
        with os.scandir(folder / inner) as found:
            for item in found:
                yield
                path = f"{inner}{item.name}"
                if item.name.startswith("."):
                    continue
                if item.is_dir(follow_symlinks=False):
                    pending.append(f"{path}/")
                elif item.is_file(follow_symlinks=False):
                    with contextlib.suppress(FileNotFoundError):  # removed since the folder was listed
                        files[path] = yield from _look_at(item, before.get(path))
    return FolderTree(folder, files)


def _look_at(item: os.DirEntry[str], known: _Known | None) -> Sliced[_Known]:
    found = item.stat(follow_symlinks=False)
    status = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    if known is not None and known.settled and known.status == status:
        return known
    settled = time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) > _SETTLED_NS
    digest = _blob_digest(found.st_size)
    for piece in _pieces(Path(item.path)):
        digest.update(piece)
        yield
    return _Known(status, settled, digest.hexdigest())


class FolderSource:
    """A folder that people edit. A file that is half written is a broken zone until it is whole: rename into place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: FolderTree | None = None
        self._changes = 0

    @property
    def name(self) -> str:
        """Path of the folder."""
        return str(self._folder)

    async def state(self) -> str:
        """How often the folder was seen to have changed. SourceError when it cannot be read."""
        return (await self.fetch()).state

    async def fetch(self) -> Version:
        """The folder as it is now. SourceError when it cannot be read."""
        try:
            tree = await run_sliced(scan(self._folder, self._last))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise SourceError(f"{error.filename or self._folder}: {reason}; is this the folder of zones?") from error
        if self._last is None or tree.files != self._last.files:
            self._changes += 1
        self._last = tree
        return Version(str(self._changes), tree)
