"""The first minutes with the program: what it prints works when it is typed, in a home with nothing in it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.support.debian import Unavailable, programs
from tests.support.git import git
from tests.support.server import eventually

ROOT = Path(__file__).parent.parent.parent.parent


@dataclass(frozen=True)
class Example:
    """A running example."""

    home: Path
    environment: dict[str, str]
    lines: list[str]
    """What it printed for typing."""

    def type(self, command: str, folder: Path) -> str:
        """Run a printed line in a shell."""
        result = subprocess.run(
            ["sh", "-c", command], cwd=folder, env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
        return result.stdout


def printed_until_the_end_of_instructions(output: IO[str]) -> list[str]:
    lines = []
    for line in output:
        lines.append(line.rstrip("\n"))
        if "Ctrl-C ends this" in line:
            return lines
    raise AssertionError(f"it ended: {lines}")


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Example]:
    if shutil.which("git") is None:
        pytest.skip("git is not on this machine")
    try:
        tree = programs("bind9-dnsutils")
    except Unavailable as error:
        pytest.skip(f"no dig: {error}")
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        "HOME": str(home),
        "PATH": f"{tree.path('dig').parent}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": tree.environment["LD_LIBRARY_PATH"],
        "LC_ALL": "C.UTF-8",
    }
    command = [sys.executable, "-m", "dns_server", "example", "--listen=127.0.0.1:0", "--http=127.0.0.1:0"]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None
        lines = printed_until_the_end_of_instructions(process.stdout)
        yield Example(home, environment, [line.strip() for line in lines if line.startswith("    ")])
        process.terminate()
        assert process.wait(60) == 0
    log_text = (tmp_path / "log").read_text()
    assert "refused" not in log_text
    assert "error" not in log_text


def test_printed_lines_work(example: Example, tmp_path: Path) -> None:
    dig, clone, change, commit, push, dig_again = example.lines
    assert example.type(dig, tmp_path).split() == ["192.0.2.80"]
    clone, _, folder = clone.partition(" && cd ")
    example.type(clone, tmp_path)
    for command in (change, commit, push):
        example.type(command, tmp_path / folder)
    eventually(lambda: example.type(dig_again, tmp_path).split() == ["192.0.2.81"])


def test_repository_is_made_once(example: Example, tmp_path: Path) -> None:
    repository = example.home / ".local" / "share" / "unizone" / "example.git"
    before = git(repository, "rev-parse", "main")
    command = [sys.executable, "-m", "dns_server", "example", "--listen=127.0.0.1:0"]
    with subprocess.Popen(
        command, cwd=ROOT, env=example.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as again:
        assert again.stdout is not None
        lines = printed_until_the_end_of_instructions(again.stdout)
        again.terminate()
    assert lines[0] == f"Using the git repository {repository}"
    assert git(repository, "rev-parse", "main") == before
