"""Programs of Debian packages, unpacked into the user's cache: nothing is installed, no service is started.

`programs("nsd", "knot")` resolves the packages and what they miss on this machine with apt's own resolver,
downloads them (apt checks the signatures) and unpacks them side by side. Works without root.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from dns_build import sources

LIBRARY_FOLDERS = (
    *("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib"),
    *("usr/lib/x86_64-linux-gnu/blas", "usr/lib/x86_64-linux-gnu/lapack"),  # beside, for there are several of them
)
PROGRAM_FOLDERS = ("usr/sbin", "usr/bin", "sbin", "bin", "usr/lib/git-core")


_MACHINES_NETWORK = os.open("/proc/self/ns/net", os.O_RDONLY)
"""The network namespace in which tests begin."""


class Unavailable(Exception):
    """A package cannot be had; says which and why."""


@dataclass(frozen=True)
class Tree:
    """A folder with unpacked packages, beside what the machine has itself."""

    root: Path

    def path(self, program: str) -> Path:
        """Where `program` is: in the packages, else on the machine."""
        for folder in PROGRAM_FOLDERS:
            candidate = self.root / folder / program
            if candidate.exists():
                return candidate
        found = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin")
        if found is None:
            raise Unavailable(f"{program} is neither in {self.root} nor on this machine")
        return Path(found)

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment in which shells find the programs, and these their libraries."""
        folders = [os.environ["PATH"], *(str(self.root / folder) for folder in PROGRAM_FOLDERS)]
        libraries = [str(self.root / folder) for folder in LIBRARY_FOLDERS if (self.root / folder).is_dir()]
        return {**os.environ, "PATH": ":".join(folders), "LD_LIBRARY_PATH": ":".join(libraries)}


def cache_folder() -> Path:
    """Where downloads are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "unizone" / "debian"


@cache
def programs(*packages: str) -> Tree:
    """Programs of `packages`: the machine's own where it has all of them. Unavailable when apt can't get them."""
    if shutil.which("apt-get") is None:
        raise Unavailable("apt-get is not on this machine: it is not a Debian")
    if all(_is_installed(package) for package in packages):
        return Tree(Path("/"))  # some, as QEMU, look for their parts beside themselves only
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may want the same packages
        wanted = _resolve(folder, packages)
        key = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:16]
        root = folder / f"{packages[0]}-{key}"
        if not root.is_dir():
            _unpack(folder, wanted, root)
    return Tree(root)


def _is_installed(package: str) -> bool:
    command = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout == "installed"


def source(package: str) -> Path:
    """The upstream part of a source package: Debian 12's, or the next one's where the mirror has dropped that.

    It is kept in the cache. Unavailable.
    """
    folder = cache_folder() / f"source-{package}"
    for kept in folder.glob("*.orig.tar.*"):
        return kept
    folder.mkdir(parents=True, exist_ok=True)
    reasons = []
    for suite in ("bookworm", "trixie"):
        with tempfile.TemporaryDirectory(dir=folder) as fetched:
            try:
                found = sources.from_debian(suite, package, Path(fetched))
            except OSError as error:
                reasons.append(f"{suite}: {str(error).strip()}")
                continue
            return found.rename(folder / found.name)
    raise Unavailable(f"the source of {package} can't be had: {'; '.join(reasons)}")


def need(*packages: str) -> Tree:
    """As `programs`; skips the test, with the reason, where they can't be had."""
    try:
        return programs(*packages)
    except Unavailable as reason:
        pytest.skip(str(reason))


def _apt(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    lists = folder / "lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    (folder / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    options = [
        f"Dir::State::lists={lists}",
        f"Dir::Cache={folder}",
        "APT::Sandbox::User=root",
        "Debug::NoLocking=true",
    ]
    command = [*_outside(), "apt-get", "-qq", *(part for option in options for part in ("-o", option)), *arguments]
    return subprocess.run(
        command,
        cwd=folder / "archives",
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "LC_ALL": "C"},
        pass_fds=(_MACHINES_NETWORK,),
    )


def _outside() -> list[str]:
    """Command that runs another one in the machine's network: a test may be in a namespace without a way out."""
    if os.stat("/proc/thread-self/ns/net").st_ino == os.stat(_MACHINES_NETWORK).st_ino:
        return []
    return ["nsenter", f"--net=/proc/self/fd/{_MACHINES_NETWORK}"]


def _resolve(folder: Path, packages: tuple[str, ...]) -> list[str]:
    """`name=version` of the packages and what they need beyond this machine's own."""
    arguments = ["install", "--simulate", "--yes", "--no-install-recommends", "--reinstall", *packages]
    result = _apt(folder, *arguments)
    if result.returncode:
        update = _apt(folder, "update")
        result = _apt(folder, *arguments)
        if result.returncode:
            raise Unavailable(f"apt-get can't resolve {' '.join(packages)}: {(update.stderr + result.stderr).strip()}")
    found = re.findall(r"^Inst (\S+) (?:\[[^]]*\] )?\((\S+)", result.stdout, re.MULTILINE)
    return sorted(f"{name}={version}" for name, version in found)


def _unpack(folder: Path, wanted: list[str], root: Path) -> None:
    archives = folder / "archives"
    for archive in archives.glob("*.deb"):
        archive.unlink()
    result = _apt(folder, "download", *wanted)
    if result.returncode:
        update = _apt(folder, "update")
        result = _apt(folder, "download", *wanted)
        if result.returncode:
            raise Unavailable(f"apt-get can't download {' '.join(wanted)}: {(update.stderr + result.stderr).strip()}")
    partial = root.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for archive in sorted(archives.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", archive, partial], check=True)
        archive.unlink()
    partial.rename(root)
