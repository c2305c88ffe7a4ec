"""The compiler of the machine, told to build what depends on nothing of the machine."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dns_build import packages
from dns_build.progress import BuildError

# Sections per function let the linker drop what no image reaches; frame pointers give a panic its backtrace.
# CET marks would only cost bytes: nothing turns it on.
CFLAGS = (
    "-O2",
    "-fno-pie",
    "-ffunction-sections",
    "-fdata-sections",
    "-fstack-protector-strong",
    "-fno-asynchronous-unwind-tables",
    "-fno-omit-frame-pointer",
    "-fcf-protection=none",
    "-frandom-seed=unizone",
)
PROGRAMS = {
    "gcc": "gcc",
    "ar": "binutils",
    "ld": "binutils",
    "objcopy": "binutils",
    "nm": "binutils",
    "make": "make",
    "patch": "patch",
}


def unnamed(folders: Mapping[Path, str]) -> list[str]:
    """Flags with which each folder goes by its short name in assertions and debugging information."""
    return [f"-ffile-prefix-map={folder}={name}" for folder, name in folders.items()]


@dataclass(frozen=True)
class Toolchain:
    """Programs that were found, and what names them in a key."""

    identity: str

    @property
    def jobs(self) -> int:
        """How many compilers run at a time."""
        return len(os.sched_getaffinity(0))


@cache
def find() -> Toolchain:
    """The machine's compiler and binutils, installed where they are missing. BuildError where that is not possible."""
    packages.need(PROGRAMS)
    versions = [
        subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout.split("\n", 1)[0]
        for name in ("gcc", "ld")
    ]
    return Toolchain(identity="\n".join(versions))


def run(command: list[str], *, cwd: Path, log: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a command with its output in `log`. BuildError carries the last lines of it."""
    # Fixed locale, time and terminal: nothing of the user's session may show in what is built.
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LC_ALL": "C", "TZ": "UTC", "SOURCE_DATE_EPOCH": "0"}
    with log.open("ab") as output:
        result = subprocess.run(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            env={**env, **(environment or {})},
        )
    if result.returncode:
        tail = "\n    ".join(log.read_text(errors="replace").splitlines()[-25:])
        raise BuildError(f"{' '.join(command)} failed in {cwd} ({result.returncode}):\n    {tail}", hint=f"see {log}")
