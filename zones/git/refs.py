"""Branches: names as people write them, the refs that they stand for, and what a repository does with one."""

from typing import Final, NamedTuple, Protocol

from zones.git.authoring import NewCommit
from zones.git.commit import CommitTree
from zones.git.errors import Refused
from zones.git.history import Past
from zones.source import Source

HEAD: Final = b"HEAD"


class Checkout(NamedTuple):
    """What a commit can be put on top of."""

    branch: bytes
    """Full name of the ref."""
    tree: CommitTree


class Repository(Source, Protocol):
    """A branch of a git repository that can be read and, where the server lets us, moved."""

    async def checkout(self) -> Checkout:
        """The branch's newest commit. GitError."""

    async def push(self, branch: bytes, commit: NewCommit) -> None:
        """Move `branch` from the commit's parent to the commit, or leave it alone. GitError.

        Its cause is a `Refused` when the branch did not move for sure, an `Overtaken` when others have moved it.
        """

    async def past(self, path: str, depth: int) -> Past:
        """What the file `path` at the top was in the newest `depth` commits. GitError."""

    async def contains(self, commit: str) -> bool:
        """Whether `commit` is among the branch's newest. GitError."""


def candidates(branch: str) -> list[bytes]:
    """Full names that a branch as people write it may have, the likeliest first; HEAD where they wrote none."""
    if not branch:
        return [HEAD]
    name = branch.encode()
    return [name] if branch.startswith("refs/") else [b"refs/heads/" + name, b"refs/tags/" + name]


def missing_branch(branch: str) -> Refused:
    """The error for a repository without the branch that was asked for."""
    if branch:
        return Refused(f"there is no branch or tag {branch}", "push it, or name another one behind # in the URL")
    return Refused("the repository has no commit on its HEAD", "push a first commit, or name a branch, URL#branch")
