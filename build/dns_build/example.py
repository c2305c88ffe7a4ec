"""Zones for an image that was given none: a git repository on this machine, its daemon, and a question to ask."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dns_build.image import OUTPUT
from dns_build.progress import BuildError
from dns_build.recipe import ROOT

REPOSITORY = OUTPUT / "example.git"
QUESTION = ("www.garden.example", "A")
PROGRAMS = {"git": "git", "dig": "bind9-dnsutils"}
GATEWAY = "10.0.2.2"  # the host, as QEMU's user networking shows it
_ZONES = ROOT / "dns_server" / "example_zones"
_AUTHOR = ("-c", "user.name=unizone", "-c", "user.email=unizone@garden.example")
_PORT = 9418


@dataclass(frozen=True)
class Daemon:
    """A git daemon for the repository."""

    port: int

    @property
    def command(self) -> list[str]:
        """What starts it."""
        options = ["--listen=127.0.0.1", f"--port={self.port}", "--reuseaddr", "--export-all"]
        return ["git", "daemon", *options, f"--base-path={REPOSITORY.parent}", str(REPOSITORY)]

    @property
    def remote(self) -> str:
        """The repository's URL inside the machine."""
        return f"git://{GATEWAY}:{self.port}/{REPOSITORY.name}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve the repository, which is made where it is missing."""
        _create()
        with subprocess.Popen(self.command, stderr=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.terminate()


def daemon() -> Daemon:
    """A daemon on git's own port, or another one where that is taken."""
    for port in (_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return Daemon(probe.getsockname()[1])
    raise BuildError("no port of 127.0.0.1 is free for a git daemon")


def instructions(port: int) -> str:
    """What to type while the image runs."""
    dig = f"    dig @127.0.0.1 -p {port} {' '.join(QUESTION)} +short"
    return f"""
Change the zone; some seconds after the push the answer is another one:

    git clone {REPOSITORY} garden && cd garden
    sed -i 's/192.0.2.80/192.0.2.81/' garden.example
    git -c user.name=Me -c user.email=me@garden.example commit -am 'Move the web server'
    git push
{dig}

Ctrl-C ends this."""


def _create() -> None:
    if REPOSITORY.exists():
        return
    REPOSITORY.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=REPOSITORY.parent) as temporary:
        work, bare = Path(temporary, "work"), Path(temporary, "bare.git")
        shutil.copytree(_ZONES, work)
        _git("init", "--quiet", "--initial-branch=main", str(work))
        _git("-C", str(work), "add", "--all")
        _git("-C", str(work), *_AUTHOR, "commit", "--quiet", "--message=Begin with two zones")
        _git("clone", "--quiet", "--bare", str(work), str(bare))
        _git("-C", str(bare), "remote", "remove", "origin")
        bare.rename(REPOSITORY)


def _git(*arguments: str) -> None:
    # The user's configuration may sign commits or run hooks; none of that is wanted here.
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    result = subprocess.run(["git", *arguments], capture_output=True, text=True, env=environment, check=False)
    if result.returncode:
        raise BuildError(f"git {' '.join(arguments)} failed: {result.stderr.strip()}")
