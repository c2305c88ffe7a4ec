"""Requests over UDP that are answered later: rates hold for them, they are counted, and responses get no reply."""

import itertools
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.opcode
import dns.rrset
import dns.tsig
import dns.update
import pytest

from tests.dns_server.management.test_management import labels, samples
from tests.dns_server.update.test_update import KEY, KEYS
from tests.support.server import Server, eventually, serve
from tests.support.trees import zone_text

RATE, COUNT = 20, 400
Make = Callable[[], dns.message.Message]


def query() -> dns.message.Message:
    return dns.message.make_query("example.com.", "SOA")


def notify() -> dns.message.Message:
    message = query()
    message.flags = 0
    message.set_opcode(dns.opcode.NOTIFY)
    return message


def update() -> dns.message.Message:
    message = dns.update.UpdateMessage("example.com.")
    message.add("a", 60, "A", "192.0.2.9")
    return message


def transfer() -> dns.message.Message:
    message = dns.message.make_query("example.com.", "IXFR")
    message.authority = [dns.rrset.from_text("example.com.", 0, "IN", "SOA", "ns1. h. 1 1 1 1 1")]
    return message


def signed(message: dns.message.Message) -> dns.message.Message:
    message.use_tsig(KEY)
    return message


KINDS: dict[str, Make] = {
    "update": update,
    "notify": notify,
    "transfer": transfer,
    "signed query": lambda: signed(query()),
}


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    folder = tmp_path / "zones"
    folder.mkdir()
    (folder / "example.com").write_bytes(zone_text(1))
    (folder / "_keys").write_bytes(KEYS)
    return folder


@pytest.fixture(params=[1, 2], ids=["one process", "workers"])
def processes(request: pytest.FixtureRequest) -> str:
    return f"--workers={request.param}"


def replies(client: socket.socket, wires: Iterator[bytes]) -> Iterator[bytes]:
    """What comes back for `wires`, a few of which are sent at a time."""
    client.settimeout(0.05)
    while few := list(itertools.islice(wires, 10)):
        for wire in few:
            client.send(wire)
        try:
            for _ in few:
                yield client.recv(4096)
        except TimeoutError:
            pass


def limits(slip: int) -> tuple[str, ...]:
    return (f"--rate-limit={RATE}", f"--rate-limit-slip={slip}", "--rate-limit-exempt=192.0.2.0/24")


def connected(server: Server) -> socket.socket:
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(("127.0.0.1", server.port))
    return client


@pytest.mark.parametrize("kind", KINDS)
def test_a_flood_gets_no_more_than_the_rate(kind: str, processes: str, zones: Path) -> None:
    with serve(f"--zones={zones}", "--http=127.0.0.1:0", processes, *limits(slip=0)) as server:
        with connected(server) as client:
            started = time.monotonic()
            got = sum(1 for _ in replies(client, (KINDS[kind]().to_wire() for _ in range(COUNT))))
            assert 0 < got <= RATE * (time.monotonic() - started + 2)
        line = server.wait_for("answers over the rate limit were dropped or truncated")
        assert line["client"] == "127.0.0.0/24"
        found = samples(server)
        dropped = sum(count for (name, tags), count in found.items() if name == "rate_limited_total")
        answered = sum(
            count for (name, tags), count in found.items() if name == "answers_total" and ("transport", "udp") in tags
        )
        assert answered - dropped >= got
        assert dropped > 0


def test_a_signed_reply_over_the_rate_leaves_whole_in_the_share_that_would_be_truncated(zones: Path) -> None:
    with serve(f"--zones={zones}", *limits(slip=1)) as server, connected(server) as client:
        asked = {}
        for _ in range(3 * RATE):
            message = signed(query())
            asked[message.id] = message, message.to_wire()
        for wire in replies(client, iter([wire for _, wire in asked.values()])):
            message = asked[int.from_bytes(wire[:2], "big")][0]
            reply = dns.message.from_wire(wire, keyring=message.keyring, request_mac=message.mac)
            assert reply.had_tsig
            assert not reply.flags & dns.flags.TC
            assert reply.answer
        server.wait_for("answers over the rate limit were dropped or truncated")


@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
def test_responses_get_no_reply_whatever_their_opcode(is_signed: bool, processes: str, zones: Path) -> None:
    wires = []
    for make in (query, notify, update, transfer):
        message = make()
        if message.opcode() != dns.opcode.UPDATE:  # dnspython makes no such update, so that is not signed rightly
            message.flags |= dns.flags.QR
        octets = bytearray((signed(message) if is_signed else message).to_wire())
        octets[2] |= dns.flags.QR >> 8
        wires.append(bytes(octets))
    with serve(f"--zones={zones}", "--http=127.0.0.1:0", "--poll=1d", processes) as server:

        def silent(transport: str) -> float:
            return samples(server)["unanswered_total", labels(transport=transport)]

        with connected(server) as client:
            for wire in wires:
                client.send(wire)
            eventually(lambda: silent("udp") == len(wires))
            last = signed(query())  # goes the same way as what is answered later
            client.settimeout(60)
            client.send(last.to_wire())
            assert int.from_bytes(client.recv(4096)[:2], "big") == last.id
            client.setblocking(False)
            with pytest.raises(BlockingIOError):
                client.recv(4096)
        for wire in wires:
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as stream:
                stream.sendall(len(wire).to_bytes(2, "big") + wire)
                assert stream.recv(4096) == b""
        eventually(lambda: silent("tcp") == len(wires))
        assert not server.has("notified")
        assert not server.has("update obeyed")
