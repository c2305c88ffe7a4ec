"""Zone files in memory as a source: those that an image was built with, or a cache's."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from zones.baked import baked_files
from zones.folder import blob_id
from zones.source import Version
from zones.tree import Entry


class PackedTree:
    """Files that don't change."""

    message: Final = ""

    def __init__(self, files: Mapping[str, bytes], revision: str = "") -> None:
        """`revision` is the commit that they are from, where there is one."""
        self.revision: Final = revision
        self._files: Final = files

    def entries(self) -> Iterator[Entry]:
        """All files, by path."""
        return (Entry(path, blob_id(content)) for path, content in self._files.items())

    def read(self, path: str) -> bytes:
        """Content of a file. FileNotFoundError when there is none."""
        try:
            return self._files[path]
        except KeyError:
            raise FileNotFoundError(path) from None


class PackedSource:
    """A source that never changes."""

    def __init__(
        self, files: Mapping[str, bytes], *, name: str = "the zones baked into this image", revision: str = ""
    ) -> None:
        self.name: Final = name
        self._tree: Final = PackedTree(files, revision)
        digest = hashlib.sha256()
        for path, blob in self._tree.entries():
            digest.update(f"{path}\0{blob}".encode())
        self._state: Final = digest.hexdigest()

    async def state(self) -> str:
        """Always the same."""
        return self._state

    async def fetch(self) -> Version:
        """The files."""
        return Version(self._state, self._tree)


def baked_in() -> PackedSource | None:
    """The zones that this program was built with; None when it was built without any file."""
    files = baked_files()
    return PackedSource(files) if files else None
