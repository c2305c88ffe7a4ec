"""QEMU's emulator for tests: Debian's, unpacked into the cache; every machine is emulated, KVM is not needed."""

import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.support import debian

TIMEOUT_S = 120  # a boot takes half a second on an idle machine
GATEWAY: Final = "10.0.2.2"
"""The host's loopback, as a machine with QEMU's user networking sees it."""


def seen_inside(url: str) -> str:
    """The URL of a server on the host's loopback, as such a machine has to write it; without a path."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{GATEWAY}:{parts.port}"


def program() -> list[str]:
    """QEMU's program and where its firmware is."""
    tree = debian.need("qemu-system-x86")
    share = tree.root / "usr" / "share"
    return [str(tree.path("qemu-system-x86_64")), "-L", str(share / "qemu"), "-L", str(share / "seabios")]


def command(image: Path, machine: str, *options: str, memory_mb: int = 64, parameters: str = "") -> list[str]:
    """Command line that starts `image` with its console on standard output."""
    start = ["-kernel", str(image), "-append", parameters]
    return firmware_command(machine, *start, *options, memory_mb=memory_mb)


def firmware_command(machine: str, *options: str, memory_mb: int = 64) -> list[str]:
    """Command line that starts a machine from what its options have, with its console on standard output."""
    return [
        *program(),
        *("-M", machine, "-accel", "tcg", "-m", str(memory_mb)),
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


class Console:
    """What a running machine has said so far."""

    def __init__(self, process: "subprocess.Popen[str]", timeout_s: float) -> None:
        self._process = process
        self._timeout_s = timeout_s
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self._lines.append(line.rstrip())
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_until_it_ends(self) -> None:
        """Return when the machine has ended by itself. TimeoutExpired."""
        self._process.wait(self._timeout_s)

    def close(self) -> None:
        """Read what is left of a machine that has ended."""
        self._reader.join()

    def wait_for(self, pattern: str) -> str:
        """The first line in which `pattern` is found; fails with all lines when there comes none."""

        def matching() -> list[str]:
            return [line for line in self._lines if re.search(pattern, line)]

        with self._news:
            self._news.wait_for(lambda: matching() or not self._reader.is_alive(), self._timeout_s)
            found = matching()
            assert found, f"no line with {pattern!r} on the console:\n" + "\n".join(self._lines)
            return found[0]


@contextmanager
def running(arguments: Sequence[str], timeout_s: float = TIMEOUT_S) -> Iterator[Console]:
    """A machine for as long as the context lasts; its console waits for each line no longer than `timeout_s`."""
    with subprocess.Popen(
        arguments,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        console = Console(process, timeout_s)
        try:
            yield console
        finally:
            process.kill()
            console.close()
