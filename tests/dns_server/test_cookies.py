"""DNS cookies of the real program: beside other servers with the same secret, and while it is flooded."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from dns_server.answer.core.cookies import Cookies
from tests.support.debian import Unavailable
from tests.support.network import Network
from tests.support.server import Server, eventually, serve
from tests.support.servers import running

ZONE: Final = "$TTL 60\n@ SOA ns1 h 1 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.1\n"
NAME: Final = "ns1.example.test."
OLD: Final = bytes(range(16))
NEW: Final = bytes(range(16, 32))
CLIENT: Final = b"client!!"
LOAD: Final = 100
OPTIONS: Final = {
    "NSD": '  answer-cookie: yes\n  cookie-secret: "{}"\n',
    "Knot": "\nmod-cookies:\n  - id: default\n    secret: 0x{}\n    badcookie-slip: 1\n",
    "BIND": 'cookie-algorithm siphash24; cookie-secret "{}"; require-server-cookie yes;',
}


def query(*cookies: bytes) -> dns.message.Message:
    message = dns.message.make_query(NAME, "A")
    options: list[dns.edns.Option] = [dns.edns.GenericOption(dns.edns.OptionType.COOKIE, cookie) for cookie in cookies]
    message.use_edns(0, 0, 1232, options=options)
    return message


def ask(address: tuple[str, int], *cookies: bytes, tcp: bool = False) -> tuple[dns.rcode.Rcode, bytes, bool, bool]:
    """RCODE, cookie, whether there is an answer and whether it is truncated. A busy machine drops datagrams."""
    for _ in range(20):
        try:
            way = dns.query.tcp if tcp else dns.query.udp
            reply = way(query(*cookies), address[0], port=address[1], timeout=3)
        except dns.exception.Timeout:
            continue
        cookie = next((option.to_wire() or b"" for option in reply.options), b"")
        return reply.rcode(), cookie, bool(reply.answer), bool(reply.flags & dns.flags.TC)
    raise AssertionError("no reply")


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    folder = tmp_path / "zones"
    folder.mkdir()
    (folder / "example.test").write_text(ZONE)
    return folder


@pytest.mark.parametrize("name", OPTIONS)
def test_servers_with_one_secret_take_each_others_cookies(name: str, zones: Path, tmp_path: Path) -> None:
    """RFC 9018 1: servers of different makes behind one address."""
    there = {"example.test.": zones / "example.test"}
    try:
        with (
            serve(f"--zones={zones}", f"--cookie-secret={OLD.hex()}") as own,
            serve(f"--zones={zones}", f"--cookie-secret={NEW.hex()}") as stranger,
            running(name, tmp_path, there, OPTIONS[name].format(OLD.hex())) as other,
        ):
            theirs, ours, strange = (
                ask(address, CLIENT)[1]
                for address in (other.address, (own.address, own.port), (stranger.address, stranger.port))
            )
            assert [len(cookie) for cookie in (theirs, ours, strange)] == [24, 24, 24]
            # A server gives back what is valid and fresh, and makes another one else; BIND makes one always.
            assert ask((own.address, own.port), theirs)[1] == theirs
            assert ask((own.address, own.port), strange)[1] != strange
            rcode, cookie, answered, _ = ask(other.address, ours)
            assert answered
            assert (rcode, cookie == ours or name == "BIND") == (dns.rcode.NOERROR, True)
            rcode, cookie, _, _ = ask(other.address, strange)
            assert rcode == (dns.rcode.NOERROR if name == "NSD" else dns.rcode.BADCOOKIE)
            assert cookie != strange
    except Unavailable as reason:
        pytest.skip(str(reason))


@contextmanager
def flooded(server: Server) -> Iterator[None]:
    """Many more queries without a cookie than the load that is allowed."""
    ended = threading.Event()
    wire = query().to_wire()

    def flood() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
            while not ended.wait(0.02):
                for _ in range(LOAD // 5):
                    attacker.sendto(wire, (server.address, server.port))

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_flood_makes_cookies_needed_for_as_long_as_it_lasts(network: Network, zones: Path) -> None:
    secrets = f"--cookie-secret={NEW.hex()},{OLD.hex()}"
    with serve(f"--zones={zones}", f"--cookie-load={LOAD}", "--rate-limit=off", secrets) as server:
        address = (server.address, server.port)
        assert ask(address)[2]
        cookie = ask(address, CLIENT)[1]
        own = socket.inet_aton(network.here)
        older = Cookies([OLD])
        older.judge(CLIENT, 0, len(CLIENT), own, 0, len(own), int.from_bytes(cookie[12:16], "big"))
        with flooded(server):
            eventually(lambda: ask(address)[3])
            for known in (cookie, bytes(older.reply)):
                assert all(ask(address, known)[2] for _ in range(20))
            assert ask(address, bytes(older.reply))[1] != bytes(older.reply)  # the secret rolls over
            forged = bytes((*cookie[:-1], cookie[-1] ^ 1))
            for unknown in (CLIENT, forged):
                rcode, given, answered, _ = ask(address, unknown)
                assert (rcode, answered, len(given)) == (dns.rcode.BADCOOKIE, False, 24)
                assert ask(address, given)[2]
            assert ask(address, tcp=True)[2]
        eventually(lambda: ask(address)[2])
