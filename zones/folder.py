"""A plain folder as a tree of zone files: `--zones=DIR`, and `unizone check DIR`."""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zones.tree import Entry

_SETTLED_NS: Final = 2_000_000_000
"""Age in nanoseconds from which a file's time tells that its content is not changing any more: file systems keep
coarse times, so a younger file may change again without a sign."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A file as it was when its content was read."""

    status: tuple[int, ...]
    """Size, times and inode."""
    settled: bool
    """Whether a later change of the content is sure to change `status`."""
    blob: str


def blob_id(content: bytes) -> str:
    """Identity of a file's content, the same as git's: a folder and a commit of it compare equal."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class FolderTree:
    """The files of a folder as they are now. Symbolic links and hidden files and folders (`.git`) are left alone.

    Pass the tree before as `previous`: content of files whose size and times stayed is not read again.
    """

    revision: Final = ""
    message: Final = ""

    def __init__(self, folder: Path, previous: "FolderTree | None" = None) -> None:
        self.folder: Final = folder
        self._before = previous._known if previous is not None else {}
        self._known: dict[str, _Known] = {}

    def entries(self) -> Iterator[Entry]:
        """Regular files. NotADirectoryError or FileNotFoundError where the folder is none."""
        pending = [""]
        while pending:
            inner = pending.pop()
            with os.scandir(self.folder / inner) as found:
                for item in found:
                    path = f"{inner}{item.name}"
                    if item.name.startswith("."):
                        continue
                    if item.is_dir(follow_symlinks=False):
                        pending.append(f"{path}/")
                    elif item.is_file(follow_symlinks=False):
                        with contextlib.suppress(FileNotFoundError):  # removed since the folder was listed
                            yield Entry(path, self._blob(path, item))

    def read(self, path: str) -> bytes:
        """Content as it is now. FileNotFoundError where there is no regular file, or it lies outside the folder."""
        file = (self.folder / path).resolve()
        if not file.is_relative_to(self.folder.resolve()) or not file.is_file():
            raise FileNotFoundError(path)
        return file.read_bytes()

    def _blob(self, path: str, item: os.DirEntry[str]) -> str:
        found = item.stat(follow_symlinks=False)
        status = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        known = self._before.get(path)
        if known is None or not known.settled or known.status != status:
            settled = time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) > _SETTLED_NS
            known = _Known(status, settled, blob_id((self.folder / path).read_bytes()))
        self._known[path] = known
        return known.blob
