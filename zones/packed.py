"""Zone files in memory as a source: those that an image was built with (`unizone build --baked=DIR`), or a cache's."""

import hashlib
import importlib
from collections.abc import Iterator, Mapping
from typing import Final

from zones.folder import blob_id
from zones.source import Version
from zones.tree import Entry

MODULE: Final = "unizone_baked"
"""Module that the builder writes, with the mapping FILES from paths to contents."""


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
    """What this program was built with; None when that is nothing."""
    try:
        module = importlib.import_module(MODULE)
    except ModuleNotFoundError:
        return None
    return PackedSource(module.FILES)
