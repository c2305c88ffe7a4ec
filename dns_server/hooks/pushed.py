"""What git tells its hooks, and the files of commits that may still be in quarantine.

Read first: githooks(5) and git-receive-pack(1), "Quarantine environment".
"""

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from zones.tree import Listing
from zones.writeback.place import COMMITTER

NO_COMMIT: Final = "0" * 40
_REGULAR: Final = ("100644", "100755")


class GitFailed(Exception):
    """A command of git failed; says which and what it said."""


class Moved(NamedTuple):
    """A line that git gives to pre-receive and post-receive."""

    old: str
    """Commit, or NO_COMMIT for a new ref."""
    new: str
    """Commit, or NO_COMMIT for a ref that goes."""
    ref: str


def moved(lines: Iterable[str]) -> Iterator[Moved]:
    """The lines of the standard input."""
    return (Moved(*line.rstrip("\n").split(" ", 2)) for line in lines)


def git(repository: Path, *arguments: str) -> str:
    """What git prints. GitFailed."""
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, errors="surrogateescape")
    if done.returncode:
        raise GitFailed(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def served_ref(repository: Path) -> str:
    """Full name of the branch that HEAD names. GitFailed."""
    return git(repository, "symbolic-ref", "HEAD").strip()


def is_by_server_alone(repository: Path, move: Moved) -> bool:
    """Whether all commits that came were written back by the server itself: it has them already. GitFailed."""
    if move.old == NO_COMMIT:
        return False
    committers = git(repository, "log", "--format=%cn <%ce>", f"{move.old}..{move.new}").splitlines()
    return bool(committers) and set(committers) == {COMMITTER.line.decode()}


class PushedTree(Listing):
    """The files of a commit, by git itself; none for NO_COMMIT."""

    def __init__(self, repository: Path, commit: str) -> None:
        """GitFailed."""
        self._repository = repository
        self.revision: Final = "" if commit == NO_COMMIT else commit
        self.message: Final = git(repository, "log", "-1", "--format=%B", commit) if self.revision else ""
        super().__init__(dict(self._list()) if self.revision else {})
        self._reader: subprocess.Popen[bytes] | None = None

    def _list(self) -> Iterator[tuple[str, str]]:
        for line in git(self._repository, "ls-tree", "-r", "-z", self.revision).split("\0"):
            if line:
                kind, path = line.split("\t", 1)
                mode, _, blob = kind.split(" ")
                if mode in _REGULAR:
                    yield path, blob

    def read(self, path: str) -> bytes:
        """Content of a file. FileNotFoundError."""
        blob = self.blob(path)
        if self._reader is None:
            command = ["git", "cat-file", "--batch"]
            self._reader = subprocess.Popen(
                command, cwd=self._repository, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        assert self._reader.stdin is not None
        assert self._reader.stdout is not None
        self._reader.stdin.write(f"{blob}\n".encode())
        self._reader.stdin.flush()
        size = int(self._reader.stdout.readline().split()[2])
        return self._reader.stdout.read(size + 1)[:-1]

    def close(self) -> None:
        """End the reading of files."""
        if self._reader is not None:
            self._reader.communicate()
