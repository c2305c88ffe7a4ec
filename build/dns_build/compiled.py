"""Modules that Cython compiles: the list of pyproject.toml that wheels use, as C for an image."""

import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dns_build.progress import BuildError
from dns_build.recipe import ROOT


def modules() -> dict[str, Path]:
    """Sources of the compiled modules by name."""
    sources = [Path(source) for source in _table()["modules"]]
    return {".".join(source.with_suffix("").parts): source for source in sources}


def initialiser(name: str) -> str:
    """Name of the C function that makes a module; with its whole name, for images link all of them together."""
    return "PyInit_" + name.replace(".", "_")


def options(name: str) -> list[str]:
    """Options of the C compiler."""
    return [f"-DPyInit_{name.rpartition('.')[2]}={initialiser(name)}", "-fno-strict-aliasing"]


def generate(source: Path, target: Path) -> None:
    """Write the C file of a module. BuildError with Cython's own words."""
    directives = [f"-X{key}={value}" for key, value in _table()["directives"].items()]
    result = subprocess.run(
        [sys.executable, "-m", "cython", *directives, str(source), "-o", str(target)],
        cwd=ROOT,  # Cython finds out by relative paths what package a module is in
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise BuildError(f"Cython: {result.stderr.strip()}", hint="make setup")


def _table() -> Mapping[str, Any]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    table: Mapping[str, Any] = project["tool"]["hatch"]["build"]["hooks"]["custom"]
    return table
