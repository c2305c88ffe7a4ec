"""Two builds of everything, from the sources to the image, give the same bytes."""

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


def built(folder: Path) -> dict[str, str]:
    """Hashes of what was linked and of the image, all of which was made in `folder`, which is emptied."""
    kept = cache.folder() / "sources"
    shutil.copytree(kept, folder / "cache" / "unizone" / "sources")
    command = [sys.executable, "-m", "dns_server", "build", "--target=virtio", "--git=git,https", "--syslog=tls"]
    subprocess.run(
        [*command, f"--output={folder / 'out'}"],
        env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache")},
        cwd=ROOT,
        check=True,
    )
    archives = folder / "cache" / "unizone" / "runtime"
    files = [folder / "out" / "unizone-virtio", *(file for pattern in LINKED for file in archives.rglob(pattern))]
    hashes = {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    shutil.rmtree(folder)
    return hashes


@patience.takes_minutes
@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_everything_is_the_same_when_it_is_built_again(tmp_path: Path) -> None:
    images.require_runtime(tls=True)
    first = built(tmp_path / "build")
    assert len(first) > len(runtime.RECIPES)
    assert built(tmp_path / "build") == first
