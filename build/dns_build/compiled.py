"""Modules that Cython compiles: the list of pyproject.toml that wheels use, as C for an image."""

import subprocess
import sys
import tomllib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from dns_build import cache
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


def key(name: str, *others: str) -> str:
    """What the object file of a module depends on: its source, the types beside it and those of others, Cython."""
    sources = [path for path in modules().values() if path.with_suffix(".pxd").is_file()]
    types = [path.with_suffix(".pxd") for path in sources]
    files = sorted({modules()[name], *sources, *types})
    contents = [part for path in files for part in (str(path), (ROOT / path).read_bytes())]
    return cache.key(
        metadata.version("cython"), repr(sorted(_table()["directives"].items())), *options(name), *others, *contents
    )


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
