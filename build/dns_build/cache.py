"""The user's cache: what is built once is found again by a key of everything that went into it."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_COMPLETE = ".complete"


def folder() -> Path:
    """`$XDG_CACHE_HOME/unizone`, by default `~/.cache/unizone`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "unizone"


def key(*parts: str | bytes) -> str:
    """Short hash over `parts`, each with its length so that no two lists of parts meet."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:20]


def hash_files(*paths: Path) -> str:
    """Hash over names and contents of files; a folder stands for all files below it."""
    parts: list[str | bytes] = []
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            if "__pycache__" not in file.parts:
                parts += [str(file.relative_to(path.parent)), file.read_bytes()]
    return key(*parts)


def is_built(target: Path) -> bool:
    """Whether `target` was built to its end."""
    return (target / _COMPLETE).exists()


def build_once(target: Path, build: Callable[[Path], None]) -> Path:
    """`target`, which `build(target)` fills if no build before did so to its end.

    It is built in its final place because compilers and archives remember paths; a stamp says that it is complete.
    """
    with locked(target.with_name(target.name + ".lock")):
        if not is_built(target):
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            build(target)
            (target / _COMPLETE).touch()
    return target


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock: two builds on one machine wait for each other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
