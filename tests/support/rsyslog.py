"""A real syslog collector: rsyslog from Debian's package, its received messages as lines of a file."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.support import network
from tests.support.certificates import Files
from tests.support.debian import Unavailable, programs
from tests.support.server import eventually

_TEMPLATE: Final = (
    'template(name="fields" type="string" '
    'string="%syslogseverity-text%|%hostname%|%app-name%|%structured-data%|%msg%\\n")'
)
_INPUTS: Final = {
    "udp": 'module(load="imudp")\ninput(type="imudp" address="{address}" port="{port}" ruleset="all")',
    "tcp": 'module(load="imtcp")\ninput(type="imtcp" address="{address}" port="{port}" ruleset="all")',
    "tls": """global(DefaultNetstreamDriver="gtls" DefaultNetstreamDriverCAFile="{chain}"
  DefaultNetstreamDriverCertFile="{chain}" DefaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
input(type="imtcp" address="{address}" port="{port}" ruleset="all")""",
}


class Message(NamedTuple):
    """A message as rsyslog understood it."""

    severity: str
    host: str
    application: str
    data: str
    text: str


@dataclass(frozen=True)
class Collected:
    """What arrived, over all runs in one folder."""

    file: Path
    process: "subprocess.Popen[bytes]"

    def send_signal(self, number: signal.Signals) -> None:
        """To the collector, and nobody else."""
        self.process.send_signal(number)

    def messages(self) -> list[Message]:
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        return [Message(*line.split("|", 4)) for line in lines]

    def has(self, text: str) -> bool:
        return any(text in message.text for message in self.messages())


@contextmanager
def collector(folder: Path, protocol: str, port: int, files: Files | None = None) -> Iterator[Collected]:
    """rsyslog on a port of the test's own address; the test is skipped where it can't be had."""
    try:
        tree = programs("rsyslog", "rsyslog-gnutls")
    except Unavailable as error:
        pytest.skip(f"no rsyslog: {error}")
    file = folder / "collected"
    certificate = {"chain": files.chain, "key": files.key} if files is not None else {}
    listening = _INPUTS[protocol].format(address=network.current().here, port=port, **certificate)
    output = f'ruleset(name="all") {{ action(type="omfile" file="{file}" template="fields") }}'
    configuration = folder / "rsyslog.conf"
    machine = f'global(workDirectory="{folder}" localHostname="collector" net.enableDNS="off")'
    configuration.write_text(f"{machine}\n{_TEMPLATE}\n{output}\n{listening}\n")
    modules = tree.root / "usr/lib/x86_64-linux-gnu/rsyslog"
    options = ["-n", "-x", "-f", str(configuration), "-i", str(folder / "pid"), "-M", str(modules)]
    command = [str(tree.path("rsyslogd")), *options]
    log = folder / "rsyslog.log"
    with log.open("a") as output_file:
        process = subprocess.Popen(command, env=dict(tree.environment), stdout=output_file, stderr=output_file)
    try:
        eventually(lambda: listens(port, protocol) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield Collected(file, process)
    finally:
        process.terminate()
        process.wait(60)


def listens(port: int, protocol: str) -> bool:
    """Whether a socket of this network is bound to `port`."""
    table = Path(f"/proc/thread-self/net/{'udp' if protocol == 'udp' else 'tcp'}").read_text()
    return f":{port:04X} 00000000:0000 " in table
