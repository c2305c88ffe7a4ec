"""The linters are tests, so that `make test` alone says whether a change is fit."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("command", ["ruff format --check .", "ruff check .", "mypy"])
def test_linter_finds_nothing(command: str) -> None:
    result = subprocess.run([sys.executable, "-m", *command.split()], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("folder", ["build", "platform"])
def test_source_roots_are_no_packages(folder: str) -> None:
    # As packages they would shadow the standard library's `platform` and PyPI's `build`.
    assert not (ROOT / folder / "__init__.py").exists()
