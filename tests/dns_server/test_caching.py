"""`--cache` of the unix program: what is served survives a restart without the source."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import git, trees
from tests.support.network import current

UNIZONE = [sys.executable, "-m", "dns_server"]


@contextmanager
def lines_of(*parameters: str) -> Iterator[Iterator[str]]:
    where = current()
    command = [*where.program, "serve", f"--listen={where.listen}", *where.arguments, *parameters]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        yield iter(process.stdout)
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.usefixtures("network")
def test_a_start_without_the_git_server_goes_on_where_the_program_was(tmp_path: Path) -> None:
    origin = git.Origin(tmp_path)
    commit = origin.push({"example.test": trees.zone_text(1, "www A 192.0.2.2")})
    disk = tmp_path / "cache"
    disk.write_bytes(bytes(1 << 21))
    with git.daemon(tmp_path) as url:
        remote = f"--remote={url}/{origin.bare.name}"
        with lines_of(remote, f"--cache={disk}") as lines:
            assert any(" cached " in line for line in lines)
    with lines_of(remote, f"--cache={disk}") as lines:
        in_service = next(line for line in lines if "zones in service" in line)
        assert f"commit={commit} zones=1" in in_service
        assert any("sync failed" in line for line in lines)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), (b"text".ljust(1 << 21, b"\0"), "something else"), (bytes(512), "64 are the least")],
)
def test_a_disk_that_is_no_cache_is_refused(content: bytes | None, said: str, tmp_path: Path) -> None:
    disk = tmp_path / "cache"
    if content is not None:
        disk.write_bytes(content)
    (tmp_path / "zones").mkdir()
    command = [*UNIZONE, "serve", f"--zones={tmp_path / 'zones'}", f"--cache={disk}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 64
    assert re.search(f"--cache={re.escape(str(disk))}: .*{said}", result.stderr)
