"""What is built with the machine's compiler, once for each recipe and compiler, into the cache."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.support import debian

_TIMEOUT_S: Final = 3600


def compiler(what: str) -> str:
    """What the compiler says that it is. debian.Unavailable where `what` can't be built: there is none, or no make."""
    if shutil.which("gcc") is None or shutil.which("make") is None:
        raise debian.Unavailable(
            f"{what} can't be built here: gcc or make is missing (apt-get install build-essential)"
        )
    return subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=True).stdout


def key(*parts: str) -> str:
    """What tells one recipe from another."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def once(name: str, build: Callable[[Path], Path]) -> Path:
    """The file `name` of the cache; where it is not there yet, `build` makes it in a folder that goes afterwards."""
    path = debian.cache_folder() / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            build(Path(folder)).rename(path)
    return path


def run(folder: Path, *command: str, environment: Mapping[str, str] = os.environ) -> None:
    """Run `command` in `folder`. debian.Unavailable says how it failed."""
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
    )
    if done.returncode:
        raise debian.Unavailable(f"{' '.join(command)} failed: {(done.stderr or done.stdout)[-2000:]}")
