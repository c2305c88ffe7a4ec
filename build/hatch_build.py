"""Compiles the modules that `[tool.hatch.build.hooks.custom]` of pyproject.toml lists, with Cython in pure-Python mode.

Their sources run uncompiled as well, so without a compiler the build says so and goes on. UNIZONE_COMPILE=0 leaves
compiling out, UNIZONE_COMPILE=1 makes a failure stop the build. C files and objects go to a temporary folder; an
editable install gets the extension modules beside their sources.
"""

import os
import shutil
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VARIABLE = "UNIZONE_COMPILE"
FLAGS = ["-O3", "-g0", "-fno-strict-aliasing", "-Wno-unused-function", "-Wno-unreachable-code"]


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds extension modules to wheels and editable installs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, before hatchling collects the files of the wheel."""
        modules = [Path(module) for module in self.config["modules"]]
        editable = version == "editable"
        root = Path(self.root)
        if editable:
            for module in modules:
                (root / _extension(module)).unlink(missing_ok=True)  # an old one would hide its source
        wanted = os.environ.get(VARIABLE, "")
        if wanted == "0":
            self.app.display_info(f"{VARIABLE}=0: nothing is compiled")
            return
        self._folder = tempfile.mkdtemp(prefix="unizone-")
        try:
            compile_modules(root, modules, self.config["directives"], Path(self._folder))
        except Exception as error:
            if wanted == "1":
                raise
            self.app.display_warning(f"{', '.join(map(str, modules))} stay uncompiled, which is slower: {error}")
            return
        for module in modules:
            built = Path(self._folder) / _extension(module)
            if editable:
                shutil.copy(built, root / _extension(module))
            else:
                build_data["force_include"][str(built)] = str(_extension(module))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """Remove what was built, which is in the wheel now."""
        if folder := getattr(self, "_folder", None):
            shutil.rmtree(folder, ignore_errors=True)


def _extension(module: Path) -> Path:
    """Path of the extension module of a source."""
    return module.with_suffix(sysconfig.get_config_var("EXT_SUFFIX"))


def compile_modules(root: Path, modules: list[Path], directives: dict[str, Any], folder: Path) -> None:
    """Put an extension module for each source below `root` into `folder`. Raises what Cython or the compiler raise."""
    # Not at the top: a build without a compiler needs neither.
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    before = Path.cwd()
    os.chdir(root)  # Cython finds out by relative paths what package a module is in
    try:
        extensions = [
            Extension(".".join(module.with_suffix("").parts), [str(module)], extra_compile_args=FLAGS)
            for module in modules
        ]
        jobs = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        places = {"build_dir": str(folder / "c"), "compiler_directives": directives}
        built = cythonize(extensions, nthreads=jobs if jobs > 1 else 0, force=True, **places)
        command = Distribution({"ext_modules": built}).get_command_obj("build_ext")
        command.build_lib = str(folder)
        command.parallel = jobs
        command.build_temp = str(folder / "objects")
        command.ensure_finalized()
        command.run()
    finally:
        os.chdir(before)
