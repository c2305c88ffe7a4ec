"""Where changes are written to: a branch of a git repository, or a plain folder. One shape for both.

A chain is changes upon one version of the files. Pushing it moves the place from that very version to the chain's end,
or leaves it alone.
"""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from zones.folder import FolderSource, FolderTree, blob_id
from zones.git.authoring import NewCommit, Person, commit_file
from zones.git.errors import GitError, Refused, Stage
from zones.git.receive import Overtaken
from zones.git.refs import Checkout, Repository
from zones.source import SourceError, Version
from zones.tree import Tree

if TYPE_CHECKING:
    from zones.git.commit import CommitTree

COMMITTER: Final = Person("unizone", "unizone@localhost")


class Chain(Protocol):
    """Changes upon one version of the files, which are nowhere else yet."""

    changes: int
    """How many."""

    @property
    def base(self) -> str:
        """State of the source, while the version before the changes is its newest."""

    @property
    def tree(self) -> Tree:
        """The files with all changes made."""

    @property
    def version(self) -> Version | None:
        """What the source gives once the chain is there; None where only the source can tell."""

    def add(self, path: str, content: bytes, message: str, author: Person, now: float) -> str:
        """One more change, at `now` (seconds since 1970): the file `path` gets `content`. Its commit's id."""

    async def push(self) -> None:
        """Bring the changes to where the files are. SourceError.

        Its cause is a `Refused` when nothing was changed for sure, an `Overtaken` when somebody else changed something.
        """

    async def is_there(self) -> bool:
        """Whether the changes are there, although `push` failed. SourceError."""


class Place(Protocol):
    """Something that can be written to."""

    longest: int
    """Changes that one chain may have."""

    @property
    def name(self) -> str:
        """For messages; secrets masked."""

    async def begin(self) -> Chain:
        """No changes yet upon the newest version. SourceError."""


class GitPlace:
    """A branch of a repository: each change is a commit."""

    longest = 64

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    @property
    def name(self) -> str:
        """URL or path, secrets masked."""
        return self._repository.name

    async def begin(self) -> "GitChain":
        """No commits yet upon the branch's newest. GitError."""
        return GitChain(self._repository, await self._repository.checkout())


class GitChain:
    """Commits upon one another."""

    def __init__(self, repository: Repository, checkout: Checkout) -> None:
        self._repository = repository
        self._branch = checkout.branch
        self._commits: list[NewCommit] = []
        self.base: Final = checkout.tree.revision
        self.tree: CommitTree = checkout.tree
        self.changes = 0

    @property
    def version(self) -> Version:
        """The last commit."""
        return Version(self.tree.revision, self.tree)

    def add(self, path: str, content: bytes, message: str, author: Person, now: float) -> str:
        """One more commit; its id."""
        commit = commit_file(self.tree, path, content, message, author, COMMITTER, int(now))
        self._commits.append(commit)
        self.changes += 1
        self.tree = commit.tree
        return commit.identity

    async def push(self) -> None:
        """Move the branch from the commit before the first to the last, or leave it alone. GitError."""
        objects = tuple(found for commit in self._commits for found in commit.objects)
        await self._repository.push(self._branch, NewCommit(self.tree.revision, self.base, objects, self.tree))

    async def is_there(self) -> bool:
        """Whether the last commit is among the branch's newest. GitError."""
        return await self._repository.contains(self.tree.revision)


class FolderPlace:
    """A folder: a changed file is put into the place of the one before, whole."""

    longest = 1  # several files could not be replaced together

    def __init__(self, source: FolderSource) -> None:
        self._source = source

    @property
    def name(self) -> str:
        """Path of the folder."""
        return self._source.name

    async def begin(self) -> "FolderChain":
        """The folder as it is. SourceError."""
        tree = (await self._source.fetch()).tree
        assert isinstance(tree, FolderTree)
        return FolderChain(self._source.name, tree)


class FolderChain:
    """At most one changed file."""

    version = None

    def __init__(self, name: str, tree: FolderTree) -> None:
        self._name = name
        self._change: tuple[str, bytes] | None = None
        self.base: Final = ""
        self.tree: Final = tree
        self.changes = 0

    def add(self, path: str, content: bytes, message: str, author: Person, now: float) -> str:  # noqa: ARG002
        """The change; message, author and time have no place in a folder. There are no commits: empty."""
        assert self._change is None
        self._change = path, content
        self.changes = 1
        return ""

    async def push(self) -> None:
        """Replace the file unless it changed. SourceError, its cause as `Chain` has it."""
        assert self._change is not None
        path, content = self._change
        try:
            await asyncio.to_thread(self._replace, self.tree.folder / path, self.tree.files[path].blob, content)
        except OSError as error:
            reason = f"{error.filename or path}: {error.strerror or type(error).__name__}"
            raise self._error(Refused(f"{reason}; may the server write here?")) from error

    def _replace(self, file: Path, blob: str, content: bytes) -> None:
        """Write beside the file, then rename: who reads sees one or the other, and a crash leaves one of them."""
        with tempfile.NamedTemporaryFile(prefix=f".{file.name}.", dir=file.parent, delete=False) as output:
            beside = Path(output.name)
            try:
                output.write(content)
                output.flush()
                os.fsync(output.fileno())
                beside.chmod(file.stat().st_mode & 0o7777)
                if blob_id(file.read_bytes()) != blob:
                    raise self._error(Overtaken(f"{file.name} has changed"))
                beside.rename(file)
            except BaseException:
                beside.unlink()
                raise

    async def is_there(self) -> bool:
        """Whether the file has the new content."""
        assert self._change is not None
        path, content = self._change
        return self.tree.read(path) == content

    def _error(self, cause: Refused) -> SourceError:
        error = GitError(self._name, Stage.PUSH, cause.reason, cause.hint)
        error.__cause__ = cause
        return error
