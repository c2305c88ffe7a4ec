"""A real syslog collector: syslog-ng from Debian's package, its received messages as lines of a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support import network
from tests.support.certificates import Files
from tests.support.collected import Collected, collecting
from tests.support.debian import Unavailable, programs

_SOURCES: Final = {
    "udp": 'syslog(ip("{address}") port({port}) transport("udp"));',
    "tcp": 'syslog(ip("{address}") port({port}) transport("tcp"));',
    "tcp newline": 'network(ip("{address}") port({port}) transport("tcp"));',
    "tls": """syslog(ip("{address}") port({port}) transport("tls")
    tls(key-file("{key}") cert-file("{chain}") peer-verify({verify}) ca-file("{chain}")));""",
}
_CONFIGURATION: Final = """@version: current
options {{ keep-hostname(yes); use-dns(no); stats-freq(0); }};
source incoming {{ {source} }};
destination collected {{
  file("{file}" template("${{LEVEL}}|${{HOST}}|${{PROGRAM}}|${{SDATA}}|${{MSG}}\\n") flush-lines(1));
}};
log {{ source(incoming); destination(collected); }};
"""


@contextmanager
def collector(
    folder: Path, protocol: str, port: int, files: Files | None = None, *, verify: str = "optional-untrusted"
) -> Iterator[Collected]:
    """syslog-ng on a port of the test's own address; the test is skipped where it can't be had.

    `protocol` is `udp`, `tcp`, `tcp newline` or `tls`; `verify` says what it asks of certificates of clients.
    """
    try:
        tree = programs("syslog-ng-core")
    except Unavailable as error:
        pytest.skip(f"no syslog-ng: {error}")
    file = folder / "collected"
    certificate = {"chain": files.chain, "key": files.key} if files is not None else {}
    source = _SOURCES[protocol].format(address=network.current().here, port=port, verify=verify, **certificate)
    configuration = folder / "syslog-ng.conf"
    configuration.write_text(_CONFIGURATION.format(source=source, file=file))
    modules = next((tree.root / "usr/lib/syslog-ng").iterdir())
    places = {"cfgfile": configuration, "persist-file": folder / "persist", "pidfile": folder / "pid"}
    places |= {"control": folder / "control", "module-path": modules}
    options = ["--foreground", "--no-caps", "--stderr", *(f"--{name}={path}" for name, path in places.items())]
    environment = dict(tree.environment)
    environment["LD_LIBRARY_PATH"] += f":{modules.parent}:{modules}"
    with collecting([str(tree.path("syslog-ng")), *options], environment, folder, protocol, port) as collected:
        yield collected
