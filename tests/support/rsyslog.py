"""A real syslog collector: rsyslog from Debian's package, its received messages as lines of a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support import network
from tests.support.certificates import Files
from tests.support.collected import Collected, collecting
from tests.support.debian import Unavailable, programs

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
    with collecting(command, tree.environment, folder, protocol, port) as collected:
        yield collected
