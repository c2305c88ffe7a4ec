"""The runtime archives: every part built once and found again by what went into it."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

from dns_build import cache, sources, toolchain
from dns_build.progress import note, step
from dns_build.recipe import Context
from dns_build.recipes import cffi, cpython, libffi, lz4, musl, openssl, zlib

RECIPES: Mapping[str, ModuleType] = {
    "musl": musl,
    "zlib": zlib,
    "lz4": lz4,
    "libffi": libffi,
    "cpython": cpython,
    "cffi": cffi,
    "openssl": openssl,
}
"""Parts in an order in which each comes after what it needs."""

_TLS = frozenset({"openssl"})
"""Parts of images with TLS alone."""

_LENGTH = 128


@dataclass(frozen=True)
class Runtime:
    """Where the parts are."""

    prefixes: Mapping[str, Path]

    @property
    def compiler(self) -> Path:
        """The compiler command with musl's headers and libraries."""
        return musl.compiler(self.prefixes["musl"])

    @property
    def interpreter(self) -> Path:
        """CPython itself, for the steps that must see the image's own version."""
        return self.prefixes["cpython"] / "bin" / "python"

    @property
    def home(self) -> Path:
        """PYTHONHOME of the interpreter."""
        return self.prefixes["cpython"]

    @property
    def stdlib(self) -> Path:
        """Folder with the standard library's sources."""
        return self.prefixes["cpython"] / "lib" / "python3.13"


def locate(*, tls: bool = False) -> Runtime:
    """Where the parts are or will be, built or not."""
    pinned = sources.load()
    prefixes: dict[str, Path] = {}
    for name, recipe in RECIPES.items():
        if name in _TLS and not tls:
            continue
        parts = [
            pinned[name].sha256,
            toolchain.find().identity,
            " ".join(toolchain.CFLAGS),
            cache.hash_files(Path(str(recipe.__file__)), *recipe.FILES),
            *(prefixes[need].name for need in recipe.NEEDS),
        ]
        prefixes[name] = cache.folder() / "runtime" / f"{name}-{pinned[name].version}-{cache.key(*parts)}"
    return Runtime(prefixes)


def is_built(runtime: Runtime) -> bool:
    """Whether every part is in the cache."""
    return all(cache.is_built(prefix) for prefix in runtime.prefixes.values())


def build(*, tls: bool = False) -> Runtime:
    """The runtime, with what was missing built now. BuildError says which part failed and where its log is."""
    runtime = locate(tls=tls)
    pinned = sources.load()
    for name, prefix in runtime.prefixes.items():
        if cache.is_built(prefix):
            continue
        with step(f"building {name} {pinned[name].version}"):
            cache.build_once(prefix, partial(_build_part, name, runtime))
            note(f"in {prefix}")
    return runtime


def work_folder(name: str) -> Path:
    """Where a part is built: the same place each time, because some tools write it into what they build.

    Its path has the same length wherever the cache is (up to 128 bytes, then a multiple of it), because the paths of
    the interpreter that is trained move the objects which it hashes by their addresses.
    """
    path = str(cache.folder() / "work" / name)
    return Path(path.ljust(len(os.fsencode(path)) // _LENGTH * _LENGTH + _LENGTH, "_"))


def _build_part(name: str, runtime: Runtime, target: Path) -> None:
    recipe = RECIPES[name]
    work = work_folder(target.name)
    shutil.rmtree(work, ignore_errors=True)
    needs = {need: runtime.prefixes[need] for need in recipe.NEEDS}
    recipe.build(Context(sources=sources.load(), work=work, prefix=target, needs=needs))
    shutil.rmtree(work)  # only after success: the log is what a failure is found with
