"""Versions of the files that a command line names: a folder, or a revision of the git repository around."""

from pathlib import Path

from zones.folder import scan
from zones.git.errors import GitError
from zones.git.local import open_revision
from zones.slices import run_to_end
from zones.tree import Tree


class NoTree(Exception):
    """A text names no version; says why."""


def open_tree(text: str) -> Tree:
    """The folder at the path `text`, else the revision that it names in the repository around. NoTree, OSError."""
    path = Path(text)
    if path.is_dir():
        return run_to_end(scan(path))
    try:
        return open_revision(Path(), text)
    except GitError as error:
        raise NoTree(f"{text} is neither a file or folder nor a git revision: {error.reason}") from None


def work_tree() -> Tree:
    """Files of the git work tree around the current folder, as they are now, committed or not. NoTree, OSError."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ".git").exists():
            return run_to_end(scan(folder))
    raise NoTree(f"there is no git work tree around {here}; name the version to compare with")
