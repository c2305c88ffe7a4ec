"""One commit as a tree of zone files, from objects in memory."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from dulwich.errors import ObjectFormatException
from dulwich.objects import Commit, Tag

from zones.git.errors import BadAnswer
from zones.git.limits import Limits
from zones.git.pack import KINDS, Object
from zones.slices import Sliced
from zones.tree import Listing

_FOLDER: Final = 0o040000
_REGULAR: Final = 0o100000
_FORMAT: Final = 0o170000
_ID_SIZE: Final = 20
_MAX_FOLDERS: Final = 64  # folders within folders
_MAX_TAGS: Final = 16  # tags of tags
_ENTRIES_A_SLICE: Final = 64

_COMMIT: Final = 1
_TREE: Final = 2
_BLOB: Final = 3
_TAG: Final = 4

Lookup = Callable[[str], Object]
"""An object by its id. BadAnswer where it is missing."""


class CommitTree(Listing):
    """The regular files of a commit; symbolic links and submodules are left alone."""

    def __init__(self, revision: str, message: str, top: bytes, files: Mapping[str, str], lookup: Lookup) -> None:
        """`top` is the tree object of the top folder, `files` has the blob of each path."""
        super().__init__(files)
        self.revision: Final = revision
        self.message: Final = message
        self.top: Final = top
        self.lookup: Final = lookup

    def reading(self, lookup: Lookup) -> "CommitTree":
        """The same commit with files read from elsewhere."""
        return CommitTree(self.revision, self.message, self.top, self.files, lookup)

    def read(self, path: str) -> bytes:
        """Content of a file. FileNotFoundError when there is none."""
        return self.lookup(self.blob(path)).content

    def pieces(self, path: str) -> bytes | Iterator[bytes]:
        """See `TreeInPieces`."""
        stored = self.lookup(self.blob(path)).stored
        return stored if isinstance(stored, bytes) else stored.pieces()


def read_commit(identity: str, lookup: Lookup, limits: Limits) -> Sliced[CommitTree]:
    """The commit with this id, or the one that the tag with this id names. BadAnswer when it is broken."""
    identity, commit = peel(identity, lookup)
    files: dict[str, str] = {}
    pending = [("", commit.tree.decode("ascii"), 0)]
    while pending:
        inner, tree, depth = pending.pop()
        found = lookup(tree)
        if found.kind != _TREE or depth > _MAX_FOLDERS:
            raise BadAnswer(f"folder {inner or '/'} of commit {identity} is no tree, or too deep")
        for number, (mode, name, blob) in enumerate(_tree_entries(found.content)):
            if number % _ENTRIES_A_SLICE == 0:
                yield
            path = inner + name.decode("utf-8", "surrogateescape")
            if mode & _FORMAT == _FOLDER:
                pending.append((f"{path}/", blob, depth + 1))
            elif mode & _FORMAT == _REGULAR:
                files[path] = blob
            if len(files) + len(pending) > limits.objects:
                raise BadAnswer(f"the commit has more than {limits.objects} files", "keep zones apart from the rest")
    message = commit.message.decode("utf-8", "replace")
    return CommitTree(identity, message, lookup(commit.tree.decode("ascii")).content, files, lookup)


def peel(identity: str, lookup: Lookup) -> tuple[str, Commit]:
    """The commit that `identity` is, or names through tags."""
    for _ in range(_MAX_TAGS):
        found = lookup(identity)
        try:
            if found.kind == _COMMIT:
                commit = Commit.from_string(found.content)
                _ = commit.tree, commit.message
                return identity, commit
            if found.kind != _TAG:
                raise BadAnswer(f"{identity} is a {KINDS[found.kind]}, no commit", "name a branch")
            identity = Tag.from_string(found.content).object[1].decode("ascii")
        except (ObjectFormatException, ValueError, AttributeError, AssertionError) as error:
            raise BadAnswer(
                f"{KINDS[found.kind]} {identity} is damaged ({error})", "run git fsck on the server"
            ) from None
    raise BadAnswer(f"tags name one another more than {_MAX_TAGS} times")


def top_entry(top: bytes, path: str) -> str | None:
    """Id of the regular file `path` in the tree object of a top folder; None where there is none."""
    wanted = path.encode("utf-8", "surrogateescape")
    for mode, name, blob in _tree_entries(top):
        if name == wanted:
            return blob if mode & _FORMAT == _REGULAR else None
    return None


def _tree_entries(content: bytes) -> Iterator[tuple[int, bytes, str]]:
    """Mode, name and id of each entry. BadAnswer where the tree is broken."""
    position, end = 0, len(content)
    while position < end:
        space = content.find(b" ", position, position + 8)
        null = content.find(b"\0", space + 1)
        following = null + 1 + _ID_SIZE
        if space < 0 or null < 0 or following > end:
            raise BadAnswer("a tree is damaged", "run git fsck on the server")
        try:
            mode = int(content[position:space], 8)
        except ValueError:
            raise BadAnswer("a tree is damaged", "run git fsck on the server") from None
        name = content[space + 1 : null]
        if not name or b"/" in name or name in (b".", b".."):
            raise BadAnswer("a tree has a file without a proper name", "run git fsck on the server")
        yield mode, name, content[null + 1 : following].hex()
        position = following
