"""Debian packages that a build or a launch needs: installed where that is allowed, else named with the line to type."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping

from dns_build.progress import BuildError, step


def need(programs: Mapping[str, str]) -> None:
    """Have `programs` (each with its package) on this machine. BuildError with the line to type where that fails."""
    missing = sorted({package for program, package in programs.items() if shutil.which(program) is None})
    if not missing:
        return
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    hint = shlex.join(["sudo", *install])
    what = f"missing Debian packages: {', '.join(missing)}"
    if shutil.which("apt-get") is None:
        raise BuildError(what, hint="install what has these programs: " + ", ".join(programs))
    prefix = _privileged()
    if prefix is None:
        raise BuildError(what, hint=hint)
    with step(f"installing {', '.join(missing)}"):
        for command in (["apt-get", "update"], install):
            result = subprocess.run([*prefix, *command], capture_output=True, text=True, check=False)
            if result.returncode:
                raise BuildError(f"{what}\n{result.stderr.strip()}", hint=hint)


def _privileged() -> list[str] | None:
    """What a command starts with to run as root; None where nobody allows it without being asked."""
    if os.geteuid() == 0:
        return ["env", "DEBIAN_FRONTEND=noninteractive"]
    sudo = ["sudo", "-n", "DEBIAN_FRONTEND=noninteractive"]
    if shutil.which("sudo") and subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode == 0:
        return sudo
    return None
