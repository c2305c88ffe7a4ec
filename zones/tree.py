"""The files of one version of a zone repository, wherever they come from."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol, runtime_checkable

from zones.slices import Sliced


class Entry(NamedTuple):
    """A regular file of a tree."""

    path: str
    """Relative to the top, `/` between parts."""
    blob: str
    """Identity of the content: equal exactly when the content is equal."""


class Tree(Protocol):
    """One version of the files. Reading is quick and never blocks on a network."""

    @property
    def revision(self) -> str:
        """Commit id in hexadecimal; empty for a plain folder."""

    @property
    def message(self) -> str:
        """Commit message; empty for a plain folder."""

    def entries(self) -> Iterable[Entry]:
        """All regular files, folders walked."""

    def read(self, path: str) -> bytes:
        """Content of a file. FileNotFoundError when there is none."""


@runtime_checkable
class SlowTree(Tree, Protocol):
    """A tree that must fetch large files from somewhere first."""

    def read_sliced(self, path: str) -> Sliced[bytes]:
        """As `read`, but the event loop gets its turns."""
