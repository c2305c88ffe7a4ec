"""NOTIFY both ways, with the whole program."""

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.tsig
import pytest

from tests.support.git import Origin
from tests.support.network import Network
from tests.support.secondaries import SECRET
from tests.support.server import Server, eventually, serve
from tests.support.trees import zone_text

pytestmark = pytest.mark.usefixtures("network")

KEY = "laptop._notify.example.com"
KEYS = f"{KEY}. DNSKEY 0 3 163 {SECRET}\nother._notify.example.org. DNSKEY 0 3 163 {SECRET}\n".encode()


def notification(key: str = KEY, zone: str = "example.com.", secret: str = SECRET) -> dns.message.Message:
    message = dns.message.make_query(zone, "SOA", use_edns=0)
    message.flags = 0
    message.set_opcode(dns.opcode.NOTIFY)
    if key:
        message.use_tsig(dns.tsig.Key(key, secret, "hmac-sha256"))
    return message


@contextlib.contextmanager
def followed(tmp_path: Path) -> Iterator[tuple[Origin, Server]]:
    origin = Origin(tmp_path)
    origin.push({"example.com": zone_text(1), "_keys": KEYS})
    with serve(f"--remote={origin.bare}", "--poll=1d") as server:
        yield origin, server


def notify(server: Server, message: dns.message.Message, *, tcp: bool = False) -> dns.message.Message:
    ask = dns.query.tcp if tcp else dns.query.udp
    return ask(message, server.address, port=server.port, timeout=60)


@pytest.mark.parametrize("tcp", [False, True])
def test_a_signed_one_is_answered_after_the_sync_with_what_is_served(tcp: bool, tmp_path: Path) -> None:
    with followed(tmp_path) as (origin, server):
        commit = origin.push({"example.com": zone_text(2), "_keys": KEYS})
        reply = notify(server, notification(), tcp=tcp)
        assert reply.rcode() == dns.rcode.NOERROR
        assert reply.had_tsig
        (error,) = reply.extended_errors()
        assert error.text == f"commit {commit[:12]}; serial 2; nothing is wrong"


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with followed(tmp_path) as (origin, server):
        origin.push({"example.com": b"@ A 192.0.2.256\n", "_keys": KEYS})
        (error,) = notify(server, notification()).extended_errors()
        assert error.text is not None
        assert "serial 1; example.com:1:" in error.text


def test_a_source_that_cannot_be_read_is_servfail(tmp_path: Path) -> None:
    with followed(tmp_path) as (origin, server):
        origin.bare.rename(tmp_path / "away")
        reply = notify(server, notification())
        assert reply.rcode() == dns.rcode.SERVFAIL
        (error,) = reply.extended_errors()
        assert error.text is not None
        assert "serial 1" in error.text


@pytest.mark.parametrize(
    ("message", "rcode"),
    [
        (notification(""), dns.rcode.REFUSED),
        (notification("other._notify.example.org"), dns.rcode.REFUSED),
        (notification(zone="example.net."), dns.rcode.REFUSED),
        (notification("unknown."), dns.rcode.NOTAUTH),
        (notification(secret="AAAA"), dns.rcode.NOTAUTH),
    ],
    ids=["unsigned", "another zone's key", "another zone", "unknown key", "wrong secret"],
)
def test_others_trigger_nothing(message: dns.message.Message, rcode: int, tmp_path: Path) -> None:
    with followed(tmp_path) as (origin, server):
        origin.push({"example.com": zone_text(2), "_keys": KEYS})
        fetched = sum(event["event"] == "fetched" for event in server.events)
        with contextlib.suppress(dns.tsig.PeerError):
            assert notify(server, message).rcode() == rcode
        assert sum(event["event"] == "fetched" for event in server.events) == fetched
        assert not server.has("notified")


def test_a_flood_of_unsigned_ones_costs_no_sync_and_others_are_served(tmp_path: Path) -> None:
    with followed(tmp_path) as (_, server):
        wire = notification("").to_wire()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            flood.connect((server.address, server.port))
            for _ in range(5000):
                flood.send(wire)
        question = dns.message.make_query("example.com.", "SOA")
        assert dns.query.tcp(question, server.address, port=server.port, timeout=60).answer
        assert not server.has("notified")


def test_a_copy_of_one_that_was_obeyed_triggers_nothing(tmp_path: Path) -> None:
    with followed(tmp_path) as (_, server):
        wire = notification().to_wire()
        for _ in range(3):
            with socket.create_connection((server.address, server.port), timeout=60) as stream:
                stream.sendall(len(wire).to_bytes(2, "big") + wire)
                assert stream.recv(4096)[5] & 0xF == dns.rcode.NOERROR
        assert sum(event["event"] == "notified" for event in server.events) == 1


class _Secondary(asyncio.DatagramProtocol):
    """Notes what it is told, and answers from the `answers`-th on."""

    def __init__(self, answers: int) -> None:
        self.told: list[bytes] = []
        self._answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # asyncio's own is no instance of it

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.told.append(data)
        if len(self.told) >= self._answers:
            self._transport.sendto(data[:2] + bytes((data[2] | 0x80,)) + data[3:], address)


def test_a_secondary_is_told_again_until_it_answers(network: Network, tmp_path: Path) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        transport, peer = await loop.create_datagram_endpoint(lambda: _Secondary(2), local_addr=(network.here, 0))
        port = transport.get_extra_info("sockname")[1]
        text = f'[[notify]]\naddress = "{network.here}"\nport = {port}\n'
        (tmp_path / "example.com").write_bytes(zone_text(7))
        (tmp_path / "_policy.toml").write_text(text)

        def follow() -> None:
            with serve(f"--zones={tmp_path}", "--poll=1d", "--logs=debug") as server:
                told = server.wait_for("secondary told")
                assert told["attempts"] == 2
                (tmp_path / "example.com").write_bytes(zone_text(8))
                server.hang_up()
                eventually(lambda: len(peer.told) >= 3)

        await asyncio.to_thread(follow)
        first, again, newer = (dns.message.from_wire(wire) for wire in peer.told[:3])
        assert first.opcode() == dns.opcode.NOTIFY
        assert first.answer[0][0].serial == again.answer[0][0].serial == 7
        assert newer.answer[0][0].serial == 8
        transport.close()

    asyncio.run(scenario())


def command(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "dns_server", "notify", server.endpoint, "example.com", *arguments]
    return subprocess.run(line, capture_output=True, text=True)


def test_the_command_prints_what_the_server_says(tmp_path: Path) -> None:
    with followed(tmp_path) as (origin, server):
        commit = origin.push({"example.com": zone_text(2), "_keys": KEYS})
        done = command(server, f"--key={KEY}:{SECRET}")
        assert done.returncode == 0, done.stderr
        assert f"NOERROR; commit {commit[:12]}; serial 2; nothing is wrong" in done.stdout
        refused = command(server)
        assert refused.returncode == 1
        assert "REFUSED; notifications must be signed" in refused.stdout
        unknown = command(server, f"--key=hmac-sha512:{KEY}:{SECRET}")
        assert unknown.returncode == 1
        assert "BADKEY" in unknown.stderr
        bad = command(server, "--key=nonsense")
        assert bad.returncode == 64
        assert "nonsense" not in bad.stderr
