"""QEMU's emulator for tests: Debian's, unpacked into the cache; every machine is emulated, KVM is not needed."""

import subprocess
from pathlib import Path

import pytest

from tests.support import debian

TIMEOUT_S = 120  # a boot takes half a second on an idle machine


def command(image: Path, machine: str, *options: str, memory_mb: int = 64, parameters: str = "") -> list[str]:
    """Command line that starts `image` with its console on standard output."""
    try:
        tree = debian.programs("qemu-system-x86")
    except debian.Unavailable as error:
        pytest.skip(str(error))
    share = tree.root / "usr" / "share"
    return [
        str(tree.path("qemu-system-x86_64")),
        *("-L", str(share / "qemu"), "-L", str(share / "seabios")),
        *("-M", machine, "-accel", "tcg", "-m", str(memory_mb), "-kernel", str(image), "-append", parameters),
        *("-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio"),
        *options,
    ]


def environment() -> dict[str, str]:
    """Environment for the command."""
    return dict(debian.programs("qemu-system-x86").environment)


def run(image: Path, machine: str, *options: str, memory_mb: int = 64, parameters: str = "") -> list[str]:
    """Lines of the console of a machine that ends by itself."""
    result = subprocess.run(
        command(image, machine, *options, memory_mb=memory_mb, parameters=parameters),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    assert not result.stderr, result.stderr
    return result.stdout.replace("\r\n", "\n").splitlines()
