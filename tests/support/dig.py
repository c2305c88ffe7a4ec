"""dig and kdig as clients; other people's idea of a good answer."""

import subprocess
from typing import Literal

import pytest

from tests.support.debian import Unavailable, programs

_PACKAGES = {"dig": "bind9-dnsutils", "kdig": "knot-dnsutils"}
# Ports of servers under test and of dig come from one range, and both share them (SO_REUSEPORT): now and then dig gets
# the very port that it asks, and its own query for an answer.
_SELF = ";; Warning: query response not set"
Client = Literal["dig", "kdig"]


def ask(client: Client, server: str, port: int, *question: str, may_fail: bool = False) -> str:
    """What `client` prints; the test is skipped where the client can't be had, and fails where `client` does."""
    try:
        tree = programs(_PACKAGES[client])
    except Unavailable as error:
        pytest.skip(f"no {client}: {error}")
    address = [f"@{server}", "-p", str(port)]
    command = [str(tree.path(client)), *address, "+tries=5" if client == "dig" else "+retry=5", *question]
    while True:
        result = subprocess.run(command, capture_output=True, text=True, env=tree.environment, timeout=60)
        if _SELF not in result.stdout:
            break
    assert may_fail or result.returncode == 0, f"{' '.join(command)}: {result.stdout}{result.stderr}"
    return result.stdout


def short(server: str, port: int, *question: str) -> list[str]:
    """Rdata of the answer, by dig."""
    return ask("dig", server, port, "+short", *question).splitlines()
