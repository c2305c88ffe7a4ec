"""Where the service listens by itself, in a network namespace that has nothing but a loopback."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.server import Server

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="making a network namespace needs root"),
    pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not on this machine"),
]
WITHOUT_IPV6 = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6"


class Isolated(Server):
    """The program in a namespace of its own."""

    def __init__(self, arguments: list[str], *, ipv6: bool) -> None:
        script = f'ip link set lo up && {"true" if ipv6 else f"{{ {WITHOUT_IPV6}; }}"} && exec "$@"'
        super().__init__(arguments, within=["unshare", "--net", "sh", "-c", script, "sh"])


def addresses(server: Server) -> list[str]:
    return list(server.wait_for("ready")["addresses"])


@pytest.mark.parametrize("ipv6", [True, False])
def test_port_53_of_every_address(ipv6: bool, tmp_path: Path) -> None:
    server = Isolated(["serve", f"--zones={tmp_path}", "--log-format=json"], ipv6=ipv6)
    try:
        assert addresses(server) == ["0.0.0.0:53", "[::]:53"]
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("ipv6", [True, False])
def test_example_says_when_there_is_no_ipv6(ipv6: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    server = Isolated(["example", "--log-format=json"], ipv6=ipv6)
    try:
        assert addresses(server) == ["127.0.0.1:5353", "[::1]:5353"][: 1 + ipv6]
        assert server.has("not listening") is not ipv6
    finally:
        assert server.stop() == 0


def test_address_that_was_asked_for_is_not_optional(tmp_path: Path) -> None:
    server = Isolated(["serve", f"--zones={tmp_path}", "--log-format=json", "--listen=[::1]:53"], ipv6=False)
    assert server.process.wait(60) == 69
    assert "[::1]:53" in server.wait_for("stopped")["reason"]
