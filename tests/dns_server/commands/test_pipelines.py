"""The pipelines of docs/pipelines.md: their commands, run as the forges run them, for a good change and a bad one."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.support import git

ROOT: Final = Path(__file__).parent.parent.parent.parent
ZONE: Final = "$TTL 1h\n@ SOA ns1 hostmaster {serial} 4h 1h 14d 5m\n@ NS ns1\nns1 A 192.0.2.53\nwww A {address}\n"
INSTALL: Final = re.compile(r'pip install "unizone\[(\w+)\]"')


def commands(forge: str) -> list[str]:
    """What the pipeline under the heading `forge` runs, without the installation."""
    text = (ROOT / "docs" / "pipelines.md").read_text().partition(f"## {forge}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^ +(?:- )?run: (.+)$|^ +- ((?:pip|unizone) .+)$", text, re.MULTILINE)
    lines = [one or other for one, other in found]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    installed = [INSTALL.fullmatch(line) for line in lines if line.startswith("pip ")]
    assert installed
    assert all(match is not None and match[1] in extras for match in installed)
    return [line for line in lines if not line.startswith("pip ")]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a repository as forges make it for a request to take a branch into `main`: no branch is out."""
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    origin = git.Origin(tmp_path)
    origin.push({"example.com": ZONE.format(serial=1, address="192.0.2.80").encode()})
    git.git(tmp_path, "clone", "--quiet", str(origin.bare), "clone")
    git.git(tmp_path / "clone", "checkout", "--quiet", "--detach")
    return tmp_path / "clone"


def change(clone: Path, address: str) -> None:
    (clone / "example.com").write_text(ZONE.format(serial=2, address=address))
    git.git(clone, "commit", "--all", "--quiet", "--message", "Move www")


def run(clone: Path, command: str, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {**git.ENVIRONMENT, "PATH": f"{Path(sys.executable).parent}:{git.ENVIRONMENT['PATH']}", **variables}
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command]
    return subprocess.run(shell, cwd=clone, env=environment, capture_output=True, text=True, timeout=120, check=False)


def outcomes(clone: Path, forge: str) -> tuple[list[int], str]:
    """Exit codes of all commands, and what people get to read."""
    summary = clone.parent / "summary"
    variables = {
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_BASE_REF": "main",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": git.git(clone, "rev-parse", "origin/main"),
    }
    done = [run(clone, command, variables) for command in commands(forge)]
    assert not [one.stderr for one in done if "Traceback" in one.stderr]
    told = summary if forge == "GitHub Actions" else clone / "difference.md"
    return [one.returncode for one in done], "".join(one.stdout for one in done) + told.read_text()


@pytest.mark.parametrize("forge", ["GitHub Actions", "GitLab CI"])
def test_a_good_change_passes_and_is_shown(forge: str, clone: Path) -> None:
    change(clone, "192.0.2.81")
    codes, told = outcomes(clone, forge)
    assert codes == [0, 0]
    assert "+ www.example.com. 3600 A 192.0.2.81" in told


@pytest.mark.parametrize("forge", ["GitHub Actions", "GitLab CI"])
def test_a_bad_change_fails_and_is_told_with_its_place(forge: str, clone: Path) -> None:
    change(clone, "192.0.2.810")
    codes, told = outcomes(clone, forge)
    assert codes == [1, 1]
    assert "example.com:5:7" in told
