"""A peer that does what is refused, again and again, does not fill the log: one line of each kind in ten seconds."""

import contextlib
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import dns.message
import dns.tsig
import dns.update
import pytest

from tests.support.dig import short
from tests.support.network import Network
from tests.support.server import Server, eventually, serve

ZONE: Final = "$TTL 60\n@ SOA ns1 h 1 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.1\n"
TIMES: Final = 300
INTERVAL_S: Final = 10.0
KEY: Final = dns.tsig.Key("nobody.", b"0123456789abcdef", dns.tsig.HMAC_SHA256)
LINES: Final = (
    "signature not believed",
    "not permitted",
    "HTTP connection refused: the address is not in --http-allow",
    "answers over the rate limit were dropped or truncated",
)


@pytest.fixture
def server(network: Network, tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "example.test").write_text(ZONE)
    limits = ["--rate-limit=20", "--rate-limit-exempt=198.51.100.0/24"]
    http = [f"--http={network.listen}", "--http-allow=198.51.100.0/24"]
    with serve(f"--zones={tmp_path}", *limits, *http) as server:
        yield server


def forged() -> bytes:
    """A transfer signed with a key that there is not."""
    message = dns.message.make_query("example.test.", "AXFR")
    message.use_tsig(KEY)
    return message.to_wire()


def test_what_a_peer_can_cause_is_one_line_in_ten_seconds(server: Server) -> None:
    started = time.monotonic()
    asked = dns.message.make_query("ns1.example.test.", "A").to_wire()
    update = dns.update.UpdateMessage("example.test.")
    update.add("x", 60, "A", "192.0.2.2")
    http = server.port_for("HTTP")
    with (
        socket.create_connection((server.address, server.port), timeout=60) as stream,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        stream.makefile("rb") as replies,
    ):
        for number in range(TIMES):
            for wire in (forged(), update.to_wire()):
                stream.sendall(len(wire).to_bytes(2) + wire)
                assert replies.read(int.from_bytes(replies.read(2)))
            datagrams.sendto(asked, (server.address, server.port))
            if not number % 3:
                with contextlib.suppress(OSError):
                    socket.create_connection((server.address, http), timeout=60).close()
    eventually(lambda: {event["event"] for event in server.events} >= set(LINES))
    counts = Counter(event["event"] for event in server.events)
    intervals = 1 + int((time.monotonic() - started) / INTERVAL_S)
    assert {line: counts[line] for line in LINES if counts[line] > intervals} == {}
    assert short(server.address, server.port, "+tcp", "ns1.example.test", "A") == ["192.0.2.1"]
