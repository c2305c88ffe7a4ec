"""The program as a virtual machine, for tests that start it: `python -m tests.support.virtual IMAGE serve ...`.

It takes what `unizone serve` takes and behaves alike: log lines on standard error, SIGTERM for the end (the power
button), and the exit code. What a machine can't reach of the host comes to it as an operator would have it: files that
parameters name lie on the disk with its configuration, a cache is a disk, and folders and repositories of the host are
served by `git daemon`.
"""

import contextlib
import ctypes
import json
import re
import shlex
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from dns_server.parameters.table import TABLE
from tests.support import git, network, qemu, qmp

LACKS: Final = {
    "--baked": "what is baked in is chosen when an image is built",
    "--pcap": "it has no files to write",
    "--workers": "it has one CPU",
    "--net": "it has its own stack and nothing else",
}
"""Parameters that a machine has not, and why."""
MEMORY_MB: Final = 256
_CACHE_SIZE: Final = 16 << 20
_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG, prctl(2)


@dataclass
class Machine:
    """What one machine is started with."""

    folder: Path
    words: list[str] = field(default_factory=list)
    """Boot parameters."""
    lines: dict[str, list[str]] = field(default_factory=dict)
    """Parameters of `unizone.toml`: those that name files."""
    contents: dict[str, bytes] = field(default_factory=dict)
    """The files, by their names beside it."""
    disks: list[Path] = field(default_factory=list)

    def take(self, word: str, serving: contextlib.ExitStack) -> None:
        """Have what a word of the command line says."""
        name, _, value = word.partition("=")
        if name == "--zones":
            self.words.append(f"--remote={serving.enter_context(_served(_Folder(Path(value), self.folder)))}")
        elif name == "--remote" and not urlsplit(value).scheme:
            path, _, branch = value.partition("#")
            url = serving.enter_context(_served(Path(path)))
            self.words.append(f"--remote={url}#{branch}" if branch else f"--remote={url}")
        elif name == "--cache":
            disk = Path(value)
            if not disk.exists():
                with disk.open("wb") as blank:
                    blank.truncate(_CACHE_SIZE)
            self.disks.append(disk)
        else:
            parameter = next((found for found in TABLE if f"--{found.name}" == name), None)
            prefix = None if parameter is None else parameter.file_prefix
            if prefix is None or not value.startswith(prefix):
                self.words.append(word)
                return
            file = f"file{len(self.contents)}"
            self.contents[file] = Path(value.removeprefix(prefix)).read_bytes()
            self.lines.setdefault(name.removeprefix("--"), []).append(prefix + file)

    def command(self, image: Path) -> list[str]:
        """What starts it on the tap of its namespace."""
        if self.lines:
            self.disks.append(self._configuration())
        options = ["-netdev", f"tap,id=n,ifname={network.TAP},script=no,downscript=no,vnet_hdr=off"]
        options += ["-device", "virtio-net-device,netdev=n"]
        for number, disk in enumerate(self.disks):
            options += ["-drive", f"if=none,id=d{number},format=raw,file={disk}"]
            options += ["-device", f"virtio-blk-device,drive=d{number}"]
        options += [*qmp.options(self.folder), "-cpu", "max"]
        return qemu.command(image, "microvm", *options, memory_mb=MEMORY_MB, parameters=shlex.join(self.words))

    def _configuration(self) -> Path:
        texts = {name: values[0] if len(values) == 1 else values for name, values in self.lines.items()}
        toml = "".join(f"{name} = {json.dumps(value)}\n" for name, value in texts.items())
        (self.folder / "unizone.toml").write_text(toml)
        path = self.folder / "configuration"
        with tarfile.open(path, "w") as archive:
            archive.add(self.folder / "unizone.toml", "unizone.toml")
            for file, content in self.contents.items():
                (self.folder / file).write_bytes(content)
                archive.add(self.folder / file, file)
        return path


class _Folder:
    """A folder as a repository, whose newest commit is what the folder has whenever somebody asks."""

    def __init__(self, folder: Path, beside: Path) -> None:
        self.path = beside / "folder.git"
        self._git = f"--git-dir={self.path}", f"--work-tree={folder}"
        self._tree = ""
        self._parent: tuple[str, ...] = ()
        git.git(beside, "init", "--quiet", "--bare", "--initial-branch=main", str(self.path))

    def commit(self) -> None:
        # Not `git commit`: that fails when the folder changes meanwhile.
        git.git(self.path, *self._git, "add", "--all")
        tree = git.git(self.path, *self._git, "write-tree")
        if tree != self._tree:
            commit = git.git(self.path, *self._git, "commit-tree", tree, *self._parent, "-m", "change")
            git.git(self.path, *self._git, "update-ref", "refs/heads/main", commit)
            self._tree, self._parent = tree, ("-p", commit)


@contextlib.contextmanager
def _served(what: _Folder | Path) -> Iterator[str]:
    path = what if isinstance(what, Path) else what.path
    before = None if isinstance(what, Path) else what.commit
    with git.daemon_at(path.parent, 0, network.OWN_STACK.here, before) as base:
        yield f"{base}/{path.name}"


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def main(image: Path, arguments: Sequence[str]) -> int:
    """Start the machine; its exit code when it has ended."""
    code = 70
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as serving:
        machine = Machine(Path(folder))
        for word in arguments[1:]:
            machine.take(word, serving)
        with subprocess.Popen(
            machine.command(image),
            env=qemu.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_end_with_parent,
        ) as process:

            def press_the_button(*_: object) -> None:
                with qmp.monitor(Path(folder)) as monitor:
                    monitor.execute("system_powerdown")

            signal.signal(signal.SIGTERM, press_the_button)
            assert process.stdout is not None
            for line in process.stdout:
                found = re.fullmatch(r"unizone: exit (\d+)", line.rstrip())
                if found:
                    code = int(found[1])
                else:
                    print(line.rstrip(), file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
