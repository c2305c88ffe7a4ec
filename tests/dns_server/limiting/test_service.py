"""Rate limits of the real program, over the host's sockets and on its own stack, beside NSD's."""

import socket
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dns.flags
import dns.message
import pytest

from tests.support.debian import Unavailable
from tests.support.dig import short
from tests.support.namespaces import need_namespaces, veth_namespace
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


def test_flood_over_host_sockets_is_cut_down_and_counted(zones: Path) -> None:
    options = [f"--rate-limit={RATE}", "--rate-limit-exempt=192.0.2.0/24"]
    with serve(f"--zones={zones}", *options) as server:
        judge(Outcome(*flood("127.0.0.1", server.port)))
        line = server.wait_for("answers over the rate limit were dropped or truncated")
        assert (line["client"], line["kind"]) == ("127.0.0.0/24", "positive")
        assert all(short("127.0.0.1", server.port, "+tcp", "ns1.example.test", "A") == ["192.0.2.1"] for _ in range(3))


def test_loopback_is_exempt_unless_told(zones: Path) -> None:
    with serve(f"--zones={zones}", "--rate-limit=1") as server:
        outcome = Outcome(*flood("127.0.0.1", server.port))
    assert outcome.whole > 20 * (outcome.seconds + 2)  # far more than the rate; a busy machine drops some


@pytest.mark.netns
@pytest.mark.parametrize("address", ["192.0.2.53", "2001:db8::53"])
def test_flood_on_the_own_stack_is_cut_down(zones: Path, address: str) -> None:
    need_namespaces()
    with ExitStack() as stack:
        namespace = stack.enter_context(veth_namespace("192.0.2.1/24", "2001:db8::1/64"))
        options = ["--ipv4=192.0.2.53/24", "--ipv6=2001:db8::53/64", f"--rate-limit={RATE}"]
        direct = ["--net=direct", "--link=packet", f"--interface={namespace.outside}"]
        server = stack.enter_context(serve(f"--zones={zones}", *direct, *options, listen=("0.0.0.0:53", "[::]:53")))
        code = f"from tests.dns_server.limiting.test_service import flood; print(*flood({address!r}, 53))"
        asked = namespace.run(sys.executable, "-c", code, timeout=120).stdout.split()
        judge(Outcome(int(asked[0]), int(asked[1]), float(asked[2])))
        server.wait_for("answers over the rate limit were dropped or truncated", kind="positive")


def test_nsd_cuts_down_the_same_flood_alike(zones: Path, tmp_path: Path) -> None:
    options = f"  rrl-ratelimit: {RATE}\n  rrl-slip: 2\n  rrl-size: 10000"
    try:
        with running("NSD", tmp_path, {"example.test.": zones / "example.test"}, options) as server:
            judge(Outcome(*flood(*server.address)))
    except Unavailable as reason:
        pytest.skip(str(reason))
