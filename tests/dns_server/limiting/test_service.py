"""Rate limits of the real program, over the host's sockets and on its own stack, beside NSD's."""

import socket
import time
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Final

import dns.flags
import dns.message
import pytest

from tests.support.debian import Unavailable
from tests.support.dig import short
from tests.support.network import Network, needs_ipv6
from tests.support.server import serve
from tests.support.servers import running

RATE: Final = 100
QUERIES: Final = 1000
ZONE: Final = "$TTL 60\n@ SOA ns1 h 1 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.1\n"


@dataclass(frozen=True)
class Outcome:
    """What came back for `QUERIES` queries."""

    whole: int
    truncated: int
    seconds: float


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    folder = tmp_path / "zones"
    folder.mkdir()
    (folder / "example.test").write_text(ZONE)
    return folder


def flood(address: str, port: int) -> tuple[int, int, float]:
    """Ask `QUERIES` times, a few at once; answers with records, truncated ones, and the seconds that it took."""
    wire = dns.message.make_query("ns1.example.test.", "A").to_wire()
    whole = truncated = 0
    started = time.monotonic()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.connect((address, port))
        client.settimeout(0.03)
        for _ in range(QUERIES // 20):
            for _ in range(20):
                client.send(wire)
            try:
                for _ in range(20):
                    reply = client.recv(4096)
                    whole += reply[7]
                    truncated += bool(reply[2] & dns.flags.TC >> 8)
            except TimeoutError:
                pass
    return whole, truncated, time.monotonic() - started


def judge(outcome: Outcome, rate: int = RATE) -> None:
    """Within what any implementation of the limit gives."""
    assert rate * 0.5 <= outcome.whole <= rate * (outcome.seconds + 2)
    limited = QUERIES - outcome.whole
    assert 0.3 < outcome.truncated / limited < 0.7


@pytest.mark.parametrize("family", [4, pytest.param(6, marks=needs_ipv6)])
def test_a_flood_is_cut_down_and_told(family: int, network: Network, zones: Path) -> None:
    network.need_process("an emulated CPU answers too slowly for a flood of that rate")
    options = [f"--rate-limit={RATE}", "--rate-limit-exempt=198.51.100.0/24"]
    address, prefix = (network.server, 24) if family == 4 else (network.server_6, 56)
    listen = network.listen if family == 4 else f"[{address}]:0"
    with serve(f"--zones={zones}", *options, listen=(listen,)) as server:
        port = server.ports[address]
        judge(Outcome(*flood(address, port)))
        line = server.wait_for("answers over the rate limit were dropped or truncated")
        assert (line["client"], line["kind"]) == (str(ip_network(f"{address}/{prefix}", strict=False)), "positive")
        assert all(short(address, port, "+tcp", "ns1.example.test", "A") == ["192.0.2.1"] for _ in range(3))


def test_loopback_is_exempt_unless_told(zones: Path) -> None:
    with serve(f"--zones={zones}", "--rate-limit=1") as server:
        outcome = Outcome(*flood("127.0.0.1", server.port))
    assert outcome.whole > 20 * (outcome.seconds + 2)  # far more than the rate; a busy machine drops some


def test_nsd_cuts_down_the_same_flood_alike(zones: Path, tmp_path: Path) -> None:
    options = f"  rrl-ratelimit: {RATE}\n  rrl-slip: 2\n  rrl-size: 10000"
    try:
        with running("NSD", tmp_path, {"example.test.": zones / "example.test"}, options) as server:
            judge(Outcome(*flood(*server.address)))
    except Unavailable as reason:
        pytest.skip(str(reason))
