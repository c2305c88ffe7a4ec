"""Two builds of everything, from the sources to the image, give the same bytes wherever they are made."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dns_build import cache, runtime
from dns_build.recipe import ROOT
from tests.support import images, patience

LINKED = ("*.a", "*.o")


def image(output: Path, caches: Path | None = None) -> dict[str, str]:
    """Hash of the image with everything in it, built in `output` with the archives in `caches` (the user's own).

    With other caches it is built as a shell does it in the background, with SIGINT ignored.
    """
    command = [sys.executable, "-m", "dns_server", "build", "--target=virtio", "--git=git,https", "--syslog=tls"]
    environment = dict(os.environ)
    if caches is not None:
        environment["XDG_CACHE_HOME"] = str(caches)
        command = ["env", "--ignore-signal=INT", *command]
    subprocess.run([*command, f"--output={output}"], env=environment, cwd=ROOT, check=True)
    return hashes({output / "unizone-virtio": "image"})


def archives(folder: Path) -> dict[str, str]:
    """Hashes of what images are linked with, by part and file, of the parts in use now."""
    return hashes(
        {
            file: f"{name}: {file.relative_to(folder / prefix.name)}"
            for name, prefix in runtime.locate(tls=True).prefixes.items()
            for pattern in LINKED
            for file in (folder / prefix.name).rglob(pattern)
        }
    )


def hashes(files: dict[Path, str]) -> dict[str, str]:
    """SHA-256 of files by the names that are given."""
    return {name: hashlib.sha256(file.read_bytes()).hexdigest() for file, name in files.items()}


@patience.takes_minutes
@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_everything_is_the_same_when_it_is_built_again_in_another_place(tmp_path: Path) -> None:
    images.require_runtime(tls=True)
    elsewhere = tmp_path / "another" / "cache"
    shutil.copytree(cache.folder() / "sources", elsewhere / "unizone" / "sources")
    again = image(tmp_path / "again", elsewhere)
    first = archives(cache.folder() / "runtime")
    assert len(first) > len(runtime.RECIPES)
    assert archives(elsewhere / "unizone" / "runtime") == first
    assert again == image(tmp_path / "first")
