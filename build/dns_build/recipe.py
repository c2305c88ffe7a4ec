"""What a recipe is given: its source unpacked, the compiler, the parts it needs, and where to install."""

import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from dns_build import progress, toolchain
from dns_build.sources import Source

ROOT = Path(__file__).parent.parent.parent
"""The project's top folder: recipes take files of `build/` and `platform/`, so images are built in a checkout."""


@dataclass(frozen=True)
class Context:
    """One run of one recipe."""

    sources: Mapping[str, Source]
    work: Path
    prefix: Path
    needs: Mapping[str, Path]

    @property
    def cflags(self) -> tuple[str, ...]:
        """Flags of everything that is compiled, which keep the folders of this machine out of it."""
        folders = {self.work: ".", **{prefix: name for name, prefix in self.needs.items()}}
        return (*toolchain.CFLAGS, *toolchain.unnamed(folders))

    @property
    def compiler(self) -> str:
        """The compiler command with musl's headers and libraries."""
        return str(self.need("musl") / "bin" / "musl-gcc")

    def need(self, name: str) -> Path:
        """Prefix of a part in the recipe's NEEDS."""
        return self.needs[name]

    def source(self, name: str) -> Path:
        """The unpacked source of a part."""
        return self.sources[name].unpack(self.work / name)

    def step(self, title: str) -> AbstractContextManager[None]:
        """A step that shows its time."""
        return progress.step(title)

    def run(self, command: list[str], *, cwd: Path, environment: Mapping[str, str] | None = None) -> None:
        """Run a command; its output goes to the recipe's log."""
        toolchain.run(command, cwd=cwd, log=self.work / "log", environment=environment)

    def make(self, target: str, *, cwd: Path, environment: Mapping[str, str] | None = None) -> None:
        """Run make on all CPUs that the process may use."""
        self.run(["make", f"-j{toolchain.find().jobs}", target], cwd=cwd, environment=environment)

    def install(self, file: Path, folder: str) -> None:
        """Copy a file into a folder of the prefix."""
        target = self.prefix / folder
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
