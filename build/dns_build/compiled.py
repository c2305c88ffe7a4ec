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

SHARED = "unizone_cython"
"""Module with what Cython needs in each module that has memoryviews: 90 KB, which all of them share."""


def modules() -> dict[str, Path]:
    """Sources of the compiled modules by name, but for those that images have a facade of."""
    facades = ROOT / "platform" / "facades" / "all"
    sources = [Path(source) for source in _table()["modules"] if not (facades / source).is_file()]
    return {".".join(source.with_suffix("").parts): source for source in sources}


def initialiser(name: str) -> str:
    """Name of the C function that makes a module; with its whole name, for images link all of them together."""
    return "PyInit_" + name.replace(".", "_")


def options(name: str) -> list[str]:
    """Options of the C compiler."""
    return [f"-DPyInit_{name.rpartition('.')[2]}={initialiser(name)}", "-fno-strict-aliasing"]


def key(name: str, *others: str) -> str:
    """What the object file of a module depends on: its source, the types beside it and those of others, Cython."""
    if name == SHARED:
        return cache.key(metadata.version("cython"), *options(name), *others)
    folders = {source.parts[0] for source in modules().values()}
    types = [path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.pxd")]
    sources = [path for path in modules().values() if path.with_suffix(".pxd") in types]
    files = sorted({modules()[name], *sources, *types})
    contents = [part for path in files for part in (str(path), (ROOT / path).read_bytes())]
    return cache.key(
        metadata.version("cython"),
        repr(_directives()),
        SHARED,
        *options(name),
        *others,
        *contents,
    )


def generate(source: Path, target: Path) -> None:
    """Write the C file of a module. BuildError with Cython's own words."""
    _cython(*_directives(), f"--shared={SHARED}", str(source), "-o", str(target))


def generate_shared(folder: Path) -> Path:
    """Write the C file of the module that the others share; its path."""
    target = folder / f"{SHARED}.c"
    _cython(f"--generate-shared={target}")
    return target


def _cython(*arguments: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "cython", *arguments],
        cwd=ROOT,  # Cython finds out by relative paths what package a module is in
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise BuildError(f"Cython: {result.stderr.strip()}", hint="make setup")


def _directives() -> list[str]:
    """Those of wheels; but an image has no other process that it would send pickled objects to."""
    directives = {**_table()["directives"], "auto_pickle": False}
    return [f"-X{key}={value}" for key, value in sorted(directives.items())]


def _table() -> Mapping[str, Any]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    table: Mapping[str, Any] = project["tool"]["hatch"]["build"]["hooks"]["custom"]
    return table
