"""Pinned sources: fetched from upstream or out of Debian's source packages, verified, cached, unpacked."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dns_build import cache
from dns_build.progress import BuildError, note, step

LOCK = Path(__file__).parent.parent / "sources.toml"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MIRROR = "http://deb.debian.org/debian"
_TIMEOUT = 20.0  # seconds without a byte before the next address is tried


@dataclass(frozen=True)
class Source:
    """One pinned source archive."""

    name: str
    version: str
    sha256: str
    licence: str
    addresses: tuple[str, ...]
    debian: tuple[str, str] | None
    """Suite and source package of Debian that has the same archive."""
    pypi: str | None
    """Name of the project on the package index that has it."""
    changes: str = ""
    """What is built in another way than it is published, for who reads the bill of materials."""

    def unpack(self, into: Path) -> Path:
        """Unpack below `into`; the one folder that the archive holds."""
        with tarfile.open(self.fetch()) as archive:
            # Python 3.11.2, Debian 12's, knows no filters; what is unpacked has its pinned hash.
            archive.extraction_filter = getattr(tarfile, "tar_filter", lambda member, _: member)
            archive.extractall(into)
        (top,) = into.iterdir()
        return top

    def fetch(self) -> Path:
        """The verified archive, from the cache where it is there. BuildError when it can't be had."""
        path = cache.folder() / "sources" / f"{self.name}-{self.version}-{self.sha256[:12]}"
        with cache.locked(path.with_name(path.name + ".lock")):
            if path.exists() and _sha256(path) == self.sha256:
                return path
            with step(f"fetching {self.name} {self.version}"):
                failures = []
                for way, get in self._ways():
                    with tempfile.TemporaryDirectory(dir=path.parent) as temporary:
                        try:
                            got = get(Path(temporary))
                        except (OSError, urllib.error.URLError, subprocess.SubprocessError) as error:
                            failures.append(f"{way}: {error}")
                            continue
                        found = _sha256(got)
                        if found == self.sha256:
                            got.rename(path)
                            note(f"from {way}")
                            return path
                        failures.append(f"{way}: sha256 is {found}, pinned is {self.sha256}")
        raise BuildError(
            f"{self.name} {self.version} can't be had:\n    " + "\n    ".join(failures),
            hint=f"put the archive with that sha256 at {path}",
        )

    def _ways(self) -> Iterator[tuple[str, Callable[[Path], Path]]]:
        """Names of the ways to fetch, and functions that fetch into a folder."""
        for address in self.addresses:
            yield address, partial(_download, address)
        if self.debian:
            suite, package = self.debian
            yield f"Debian {suite}, package {package}", partial(from_debian, suite, package)
        if self.pypi:
            yield f"the package index, {self.pypi}", partial(_from_index, f"{self.pypi}=={self.version}")


def load(lock: Path = LOCK) -> dict[str, Source]:
    """Sources of the lock file by name."""
    table = tomllib.loads(lock.read_text())
    return {
        name: Source(
            name=name,
            version=entry["version"],
            sha256=entry["sha256"],
            licence=entry["licence"],
            addresses=tuple(entry["addresses"]),
            debian=(entry["debian"]["suite"], entry["debian"]["package"]) if "debian" in entry else None,
            pypi=entry.get("pypi"),
            changes=entry.get("changes", ""),
        )
        for name, entry in table.items()
    }


def _download(address: str, folder: Path) -> Path:
    with urllib.request.urlopen(address, timeout=_TIMEOUT) as response, (folder / "download").open("wb") as file:
        shutil.copyfileobj(response, file)
    return folder / "download"


def from_debian(suite: str, package: str, folder: Path) -> Path:
    """Fetch the upstream part of a source package, with an apt configuration that leaves the machine's alone."""
    mirror = os.environ.get("UNIZONE_DEBIAN_MIRROR", MIRROR)
    for name in ("lists/partial", "archives/partial", "state"):
        (folder / name).mkdir(parents=True)
    (folder / "sources.list").write_text(f"deb-src [signed-by={KEYRING}] {mirror} {suite} main\n")
    options = [
        f"Dir::Etc::sourcelist={folder}/sources.list",
        "Dir::Etc::sourceparts=-",
        f"Dir::State={folder}/state",
        f"Dir::State::Lists={folder}/lists",
        f"Dir::Cache={folder}",
        "APT::Sandbox::User=root",
        "Debug::NoLocking=true",
    ]
    apt = ["apt-get", "-qq", *(part for option in options for part in ("-o", option))]
    _run([*apt, "update"], folder)
    _run([*apt, "source", "--download-only", "--tar-only", package], folder)
    return _only([file for file in folder.iterdir() if ".orig.tar." in file.name and file.suffix != ".asc"])


def _from_index(requirement: str, folder: Path) -> Path:
    """Fetch the source archive of a Python package with pip, which knows the user's index."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
    _run([*pip, "--no-deps", "--no-binary", ":all:", "--dest", str(folder), requirement], folder)
    return _only(list(folder.glob("*.tar.gz")))


def _run(command: list[str], folder: Path) -> None:
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)
    if result.returncode:
        raise OSError(f"{command[0]}: {result.stderr.strip()}")


def _only(files: list[Path]) -> Path:
    if len(files) != 1:
        raise OSError(f"one archive was expected, not {[file.name for file in files]}")
    return files[0]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
