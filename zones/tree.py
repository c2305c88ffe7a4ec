"""The files of one version of a zone repository, wherever they come from."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, Protocol, cast


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


class TreeInPieces(Tree, Protocol):
    """A tree whose large files are never in memory as a whole."""

    def pieces(self, path: str) -> bytes | Iterator[bytes]:
        """Content of a file, whole or in pieces, each of which is read when it is asked for, within 100 microseconds.

        FileNotFoundError when there is none, at once. OSError, then or later, where it cannot be read.
        """


class Listing:
    """Regular files that are listed by path; `files` has the blob of each."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files: Final = files

    def entries(self) -> Iterator[Entry]:
        """All of them; octets of paths that are no UTF-8 are surrogates, as os.fsdecode has them."""
        return (Entry(path, blob) for path, blob in self.files.items())

    def blob(self, path: str) -> str:
        """The blob of a file. FileNotFoundError when there is none."""
        try:
            return self.files[path]
        except KeyError:
            raise FileNotFoundError(path) from None


def in_pieces(tree: Tree) -> TreeInPieces | None:
    """The tree as one that is read in pieces; None for one that is not."""
    return cast("TreeInPieces", tree) if hasattr(tree, "pieces") else None
