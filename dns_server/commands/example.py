"""`unizone example`, which `make run` calls: a real git repository with two zones, served on this machine."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from dns_server.commands import serve
from dns_server.commands.example_network import OURS, NoNetwork, example_network
from dns_server.endpoint import Endpoint
from dns_server.parameters.direct import INTERFACE
from dns_server.parameters.network import NET, Net
from dns_server.parameters.zones import POLL
from dns_server.settings import DEFAULT, Settings
from zones.git.url import parse_url

DEFAULT_LISTEN: Final = (Endpoint("127.0.0.1", 5353), Endpoint("::1", 5353))
POLL_S: Final = 1.0
_EXIT_NO_GIT: Final = 69  # EX_UNAVAILABLE of sysexits.h
_EXIT_NO_NETWORK: Final = 69
_AUTHOR: Final = ("-c", "user.name=unizone", "-c", "user.email=unizone@garden.example")


class GitFailed(Exception):
    """The git program is missing or failed; the text says what it said."""


def run(settings: Settings, _operands: list[str]) -> int:
    """Serve the example until a signal ends it; the exit code."""
    repository = data_folder() / "example.git"
    try:
        created = create(repository)
    except GitFailed as error:
        print(f"unizone: {error}", file=sys.stderr)
        return _EXIT_NO_GIT
    print(f"{'Created' if created else 'Using'} the git repository {repository}", flush=True)
    poll_s = POLL_S if settings.setting(POLL).source == DEFAULT else settings[POLL]
    sources = serve.Sources(remote=parse_url(str(repository)), poll_s=poll_s)
    if settings[NET] is Net.DIRECT and settings[INTERFACE] is None:
        return _run_beside_linux(settings, sources, repository)
    return serve.start(
        settings,
        sources,
        serve.DEFAULT_LISTEN if settings[NET] is Net.DIRECT else DEFAULT_LISTEN,
        lambda endpoints: print(instructions(repository, endpoints[0]), flush=True),
    )


def _run_beside_linux(settings: Settings, sources: serve.Sources, repository: Path) -> int:
    """Serve on the own stack, with Linux in a namespace at the other end of the link."""
    failures: list[NoNetwork] = []
    try:
        with example_network() as network:

            def ready(endpoints: Sequence[Endpoint]) -> None:
                try:
                    network.plug()
                except NoNetwork as error:  # the server is no part of this fault: it ends as for anybody's signal
                    failures.append(error)
                    signal.raise_signal(signal.SIGTERM)
                    return
                shell = f"ip netns exec {network.namespace} "
                print(instructions(repository, Endpoint(OURS, endpoints[0].port), shell), flush=True)

            code = serve.start(network.settings(settings), sources, serve.DEFAULT_LISTEN, ready)
        if failures:
            raise failures[0]
        return code
    except NoNetwork as error:
        print(f"unizone: {error}", file=sys.stderr)
        return _EXIT_NO_NETWORK


def data_folder() -> Path:
    """Where the example lives: the user's data folder."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "unizone"


def create(repository: Path) -> bool:
    """Make the bare `repository` with the example zones, unless it is there; whether it was made. GitFailed."""
    if repository.exists():
        return False
    repository.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=repository.parent) as temporary:
        work, bare = Path(temporary, "work"), Path(temporary, "bare.git")
        work.mkdir()
        for item in resources.files("dns_server").joinpath("example_zones").iterdir():
            (work / item.name).write_bytes(item.read_bytes())
        _git("init", "--quiet", "--initial-branch=main", str(work))
        _git("-C", str(work), "add", "--all")
        _git("-C", str(work), *_AUTHOR, "commit", "--quiet", "--message=Begin with two zones")
        _git("clone", "--quiet", "--bare", str(work), str(bare))
        _git("-C", str(bare), "remote", "remove", "origin")
        bare.rename(repository)  # whole or not at all, also when this is interrupted
    return True


def _git(*arguments: str) -> None:
    # The user's configuration may sign commits or run hooks; none of that is wanted here.
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    try:
        result = subprocess.run(["git", *arguments], capture_output=True, text=True, env=environment, check=False)
    except FileNotFoundError:
        raise GitFailed("the example needs the git program: apt install git") from None
    if result.returncode:
        raise GitFailed(f"git {' '.join(arguments)} failed: {result.stderr.strip()}")


def instructions(repository: Path, server: Endpoint, shell: str = "") -> str:
    """What to type now, `shell` before what asks `server`; lines to type begin with four blanks."""
    dig = f"    {shell}dig @{server.address} -p {server.port} www.garden.example A +short"
    hint = "" if shutil.which("dig") else "(dig is in the Debian package bind9-dnsutils.)\n\n"
    return f"""
Ask the server, from another terminal:

{dig}

{hint}Change the zone; a second after the push the answer is another one:

    git clone {repository} garden && cd garden
    sed -i 's/192.0.2.80/192.0.2.81/' garden.example
    git -c user.name=Me -c user.email=me@garden.example commit -am 'Move the web server'
    git push
{dig}

Break a file on purpose, too: the version before stays in service, and the log tells the line. Ctrl-C ends this.
"""
