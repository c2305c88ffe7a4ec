"""Who gives a parameter that does nothing is told so."""

from pathlib import Path

import pytest

from dns_server.settings import Source, Text, parameters_of, resolve
from dns_server.without_effect import without_effect
from tests.support.server import serve


def found(*texts: tuple[str, str]) -> list[tuple[str, str]]:
    return without_effect(resolve(parameters_of("serve"), [Source("command line", [Text(*text) for text in texts])]))


def test_defaults_are_never_told_of() -> None:
    assert found() == []
    assert found(("rate-limit", "off")) == []


@pytest.mark.parametrize(
    ("name", "value", "needed", "switch"),
    [
        ("webhook-secret", "0123456789abcdef", "http", "127.0.0.1:0"),
        ("http-allow", "192.0.2.0/24", "http", "127.0.0.1:0"),
        ("syslog-proto", "tls", "syslog", "logs.example.net"),
        ("ipv4", "192.0.2.53/24", "net", "direct"),
    ],
)
def test_what_needs_another_one(name: str, value: str, needed: str, switch: str) -> None:
    told = "--net=direct" if needed == "net" else f"--{needed}"
    assert found((name, value)) == [(f"--{name}", told)]
    assert found((name, value), (needed, switch)) == []


def test_no_rate_needs_no_exemptions() -> None:
    assert found(("rate-limit", "off"), ("rate-limit-slip", "1")) == [("--rate-limit-slip", "--rate-limit")]


@pytest.mark.usefixtures("network")
def test_the_log_tells(tmp_path: Path) -> None:
    with serve(f"--zones={tmp_path}", "--http-token=0123456789abcdef") as server:
        server.wait_for("parameter without effect", parameter="--http-token", needs="--http")
