"""DNS over TLS, with kdig and Python's own TLS as clients."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.message
import pytest

from dns_server.cli import main
from tests.support.certificates import Files, self_signed
from tests.support.dig import ask
from tests.support.network import Network, current
from tests.support.server import Server, eventually, serve

ZONE = "$TTL 60\n@ SOA ns1 h 1 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.1\n"
QUERY = dns.message.make_query("ns1.example.com", "A").to_wire()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return self_signed(tmp_path)


@pytest.fixture
def server(network: Network, files: Files, tmp_path: Path) -> Iterator[Server]:
    zones = tmp_path / "zones"
    zones.mkdir()
    (zones / "example.com").write_text(ZONE)
    with serve(*arguments(files, zones)) as server:
        yield server


def arguments(files: Files, zones: Path) -> list[str]:
    return [
        f"--zones={zones}",
        f"--tls-listen={current().listen}",
        f"--tls-cert={files.chain}",
        f"--tls-key={files.key}",
        "--tcp-per-client=4",
        "--tcp-idle=2s",
    ]


def tls_port(server: Server) -> int:
    return server.ports_for("TLS")[server.address]


@contextlib.contextmanager
def connected(server: Server, files: Files) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=str(files.chain))
    context.set_alpn_protocols(["dot"])
    with (
        socket.create_connection((server.address, tls_port(server)), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        yield secured


def frame(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


def read_message(stream: socket.socket) -> dns.message.Message:
    with stream.makefile("rb") as file:
        return dns.message.from_wire(file.read(int.from_bytes(file.read(2), "big")))


def test_kdig_gets_an_answer_from_the_certified_server(server: Server, files: Files) -> None:
    options = [f"+tls-ca={files.chain}", "+tls-hostname=localhost"]
    printed = ask("kdig", server.address, tls_port(server), *options, "ns1.example.com", "A")
    assert "192.0.2.1" in printed
    assert "TLS" in printed


def test_queries_are_pipelined_and_the_protocol_is_named(server: Server, files: Files) -> None:
    with connected(server, files) as stream:
        assert stream.selected_alpn_protocol() == "dot"
        stream.sendall(frame(QUERY) * 100)
        with stream.makefile("rb") as file:
            for _ in range(100):
                reply = dns.message.from_wire(file.read(int.from_bytes(file.read(2), "big")))
                assert reply.answer[0][0].to_text() == "192.0.2.1"


def test_query_in_pieces(server: Server, files: Files) -> None:
    with connected(server, files) as stream:
        for octet in frame(QUERY):
            stream.sendall(bytes((octet,)))
        assert read_message(stream).answer


def test_plain_queries_on_the_tls_port_get_nothing(server: Server, files: Files) -> None:
    with socket.create_connection((server.address, tls_port(server)), timeout=60) as stream:
        stream.sendall(frame(QUERY))
        with contextlib.suppress(ConnectionError):
            while octets := stream.recv(4096):
                assert octets[0] == 21  # an alert of TLS, RFC 8446 5.1
    with connected(server, files) as secured:
        secured.sendall(frame(QUERY))
        assert read_message(secured).answer
    server.wait_for("TLS handshake failed")


def test_unfinished_handshakes_count_as_connections(server: Server, files: Files) -> None:
    address = (server.address, tls_port(server))
    with contextlib.ExitStack() as held:
        for _ in range(4):
            held.enter_context(socket.create_connection(address, timeout=60))
        eventually(lambda: refused(address))
    with contextlib.ExitStack() as held:  # when they are gone there is room again
        eventually(lambda: not refused(address))


def refused(address: tuple[str, int]) -> bool:
    """Whether a new connection is closed before it said anything: as early as in `connect`, if the reset is quick."""
    try:
        with socket.create_connection(address) as stream:
            stream.settimeout(0.2)
            return stream.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def test_idle_connection_is_closed(server: Server, files: Files) -> None:
    with connected(server, files) as stream:
        stream.sendall(frame(QUERY))
        assert read_message(stream).answer
        with contextlib.suppress(ConnectionError, ssl.SSLEOFError):
            assert stream.recv(1) == b""


def test_renewed_certificate_is_taken_at_hangup_and_a_broken_one_is_not(
    network: Network, server: Server, files: Files, tmp_path: Path
) -> None:
    network.need_process("it reads the disk with its certificate when it starts")
    before = ssl.get_server_certificate((server.address, tls_port(server)))
    files.chain.write_text("no certificate")
    server.hang_up()
    server.wait_for("the certificate before stays in use")
    assert ssl.get_server_certificate((server.address, tls_port(server))) == before
    self_signed(tmp_path)
    server.hang_up()
    eventually(lambda: ssl.get_server_certificate((server.address, tls_port(server))) == files.chain.read_text())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda files: files.key.unlink(), "can't be read"),
        (lambda files: files.key.write_text("no key"), "unencrypted key"),
        (lambda files: files.chain.write_text(""), "unencrypted key"),
    ],
)
def test_bad_certificate_stops_the_start(
    change: Callable[[Files], object], message: str, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(files)
    assert main(["serve", *arguments(files, tmp_path)]) == 64
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("given", ["--tls-cert={0.chain}", "--tls-key={0.key}", "--tls-listen=127.0.0.1:853"])
def test_certificate_and_key_go_together(
    given: str, files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", f"--zones={tmp_path}", given.format(files)]) == 64
    assert "for example: --tls-" in capsys.readouterr().err
