"""Log lines at a syslog collector: rsyslog over UDP, TCP and TLS, and collectors that misbehave."""

import contextlib
import hashlib
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dns_server.cli import main
from dns_server.logs import authenticator
from dns_server.logs.syslog import MAX_DATAGRAM, QUEUE
from dns_server.logs.syslog_format import frame, renderer
from dns_server.parameters.logs import Framing, SyslogFormat
from tests.support import syslog_ng
from tests.support.certificates import Files, self_signed
from tests.support.collected import Collected
from tests.support.network import current
from tests.support.rsyslog import collector
from tests.support.server import Server, eventually, serve
from tests.support.servers import free_port

EVENT = {"timestamp": "2026-01-05T03:04:05.678901Z", "level": "warning", "event": "something happened"}


@contextlib.contextmanager
def logging_to(zones: Path, port: int, *arguments: str) -> Iterator[Server]:
    with serve(f"--zones={zones}", f"--syslog={current().here_name}:{port}", *arguments) as server:
        yield server


def refuse_a_zone(server: Server, zones: Path, collected: Collected) -> None:
    (zones / "bad.example").write_text("@ SOA\n")
    server.hang_up()
    eventually(lambda: collected.has("zone refused"))


def check_lines(collected: Collected, *, is_structured: bool) -> None:
    """That the collector understood the line about the zone, and gets those of the end, too."""
    refused = next(message for message in collected.messages() if "zone refused" in message.text)
    assert refused.severity == "err"
    assert refused.host == "ns1_fra"
    assert refused.application == "unizone"
    assert ('[unizone@32473 zone="bad.example."]' in refused.data) is is_structured
    eventually(lambda: collected.has("stopped"))


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(
    ("protocol", "framing", "syslog_format"),
    [("udp", "octets", "rfc5424"), ("tcp", "octets", "rfc5424"), ("tcp", "newline", "rfc3164")],
)
def test_rsyslog_understands_the_lines(
    protocol: str, framing: str, syslog_format: str, zones: Path, tmp_path: Path
) -> None:
    port = free_port()
    options = [f"--syslog-proto={protocol}", f"--syslog-framing={framing}", f"--syslog-format={syslog_format}"]
    options.append("--name=ns1 fra")
    with collector(tmp_path, protocol, port) as collected, logging_to(zones, port, *options) as server:
        refuse_a_zone(server, zones, collected)
    check_lines(collected, is_structured=syslog_format == "rfc5424")


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("udp", ["--syslog-proto=udp"]),
        ("tcp", ["--syslog-proto=tcp"]),
        ("tcp newline", ["--syslog-proto=tcp", "--syslog-framing=newline", "--syslog-format=rfc3164"]),
        ("tls", ["--syslog-proto=tls"]),
    ],
    ids=["udp", "tcp", "newline", "tls"],
)
def test_syslog_ng_understands_the_lines(
    kind: str, options: list[str], zones: Path, tmp_path: Path, files: Files
) -> None:
    port = free_port()
    trust = [f"--tls-authenticator={authenticator_for('key-fp', files)}"] if kind == "tls" else []
    with (
        syslog_ng.collector(tmp_path, kind, port, files) as collected,
        logging_to(zones, port, *options, *trust, "--name=ns1 fra") as server,
    ):
        refuse_a_zone(server, zones, collected)
    check_lines(collected, is_structured="rfc3164" not in options[-1])


@pytest.mark.usefixtures("network")
def test_a_collector_that_asks_for_a_certificate_gets_it(zones: Path, tmp_path: Path, files: Files) -> None:
    port = free_port()
    both = tmp_path / "client.pem"
    both.write_bytes(files.chain.read_bytes() + files.key.read_bytes())
    options = ["--syslog-proto=tls", f"--tls-authenticator={authenticator_for('cert-fp', files)}"]
    with syslog_ng.collector(tmp_path, "tls", port, files, verify="required-trusted") as collected:
        with logging_to(zones, port, *options) as server:
            server.wait_for("the log collector can't be reached")
        assert not collected.messages()
        with logging_to(zones, port, *options, f"--syslog-cert={both}"):
            eventually(lambda: collected.has("ready"))


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("framing", ["octets", "newline"])
def test_hostile_names_forge_no_lines_at_a_collector(framing: str, zones: Path, tmp_path: Path) -> None:
    port = free_port()
    kind = "tcp" if framing == "octets" else "tcp newline"
    syslog_format = "rfc5424" if framing == "octets" else "rfc3164"
    options = ["--syslog-proto=tcp", f"--syslog-framing={framing}", f"--syslog-format={syslog_format}"]
    with (
        syslog_ng.collector(tmp_path, kind, port) as collected,
        logging_to(zones, port, *options, "--poll=200ms") as server,
    ):
        hostile = "<11>1 2026-01-01T00:00:00Z forged forged 1 - - forged"
        (zones / f"bad\n{hostile}.example").write_text("x\n")
        (zones / "bad.example").write_text(f'@ TXT "\x1b[31m\n{hostile}"\n@ SOA ] " \\ \n')
        server.wait_for("zone refused")
        eventually(lambda: collected.has("zone refused"))
    assert {message.application for message in collected.messages()} == {"unizone"}
    assert not [message for message in collected.messages() if message.host == "forged"]


@pytest.mark.usefixtures("network")
def test_tls_to_a_collector_that_is_trusted(zones: Path, tmp_path: Path, files: Files) -> None:
    port = free_port()
    with collector(tmp_path, "tls", port, files) as collected:
        for trust in ("file", "key-fp", "cert-fp"):
            options = ["--syslog-proto=tls", f"--tls-authenticator={authenticator_for(trust, files)}"]
            with logging_to(zones, port, *options, f"--name={trust}"):
                eventually(lambda: trust in {message.host for message in collected.messages()})  # noqa: B023


@pytest.mark.usefixtures("network")
def test_tls_to_another_collector_sends_nothing(zones: Path, tmp_path: Path, files: Files) -> None:
    other = tmp_path / "other"
    other.mkdir()
    expected = self_signed(other)
    port = free_port()
    with collector(tmp_path, "tls", port, files) as collected:
        for trust in ("system", "file", "key-fp", "cert-fp"):
            options = ["--syslog-proto=tls", f"--tls-authenticator={authenticator_for(trust, expected)}"]
            with logging_to(zones, port, *options) as server:
                server.wait_for("the log collector can't be reached")
    assert not collected.messages()


def authenticator_for(trust: str, files: Files) -> str:
    certificate = x509.load_pem_x509_certificate(files.chain.read_bytes())
    match trust:
        case "file":
            return f"file:{files.chain}"
        case "key-fp":
            key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return f"key-fp:SHA256:{b64encode(hashlib.sha256(key).digest()).decode()}"
        case "cert-fp":
            der = certificate.public_bytes(Encoding.DER)
            return f"cert-fp:SHA256:{b64encode(hashlib.sha256(der).digest()).decode().rstrip('=')}"
    return trust


@pytest.mark.usefixtures("network")
def test_lines_wait_for_a_collector_that_is_away(zones: Path, tmp_path: Path) -> None:
    port = free_port()
    with logging_to(zones, port, "--syslog-proto=tcp") as server:
        server.wait_for("the log collector can't be reached")
        with collector(tmp_path, "tcp", port) as collected:
            eventually(lambda: collected.has("ready"))
            server.wait_for("the log collector is reachable again")
        (zones / "bad.example").write_text("@ SOA\n")
        server.hang_up()
        server.wait_for("zone refused")
        with collector(tmp_path, "tcp", port) as collected:
            eventually(lambda: collected.has("zone refused"))


@pytest.mark.usefixtures("network")
def test_collector_that_takes_nothing_costs_lines_and_no_answers(zones: Path) -> None:
    with socket.create_server((current().here, 0)) as listener:
        port = listener.getsockname()[1]
        with logging_to(zones, port, "--syslog-proto=tcp", "--poll=1d") as server:
            for _ in range(50):
                seen = len(server.events)
                server.hang_up()
                server.wait_for("looking for a new version", seen)
            assert not [event for event in server.events if event["level"] == "error"]


def public_key_by_cryptography(der: bytes) -> bytes:
    key = x509.load_der_x509_certificate(der).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_public_key_of_a_certificate(files: Files) -> None:
    der = ssl.PEM_cert_to_DER_cert(files.chain.read_text())
    assert authenticator.public_key(der) == public_key_by_cryptography(der)
    for end in range(0, len(der), 7):
        with pytest.raises(ValueError):
            authenticator.public_key(der[:end])


def test_message_of_rfc_5424() -> None:
    render = renderer(SyslogFormat.RFC5424, "ns1", 42)
    event = {**EVENT, "zone": 'a"b\\c]d', "records": 5, "text": "two words"}
    assert render(event) == (
        b"<28>1 2026-01-05T03:04:05.678901Z ns1 unizone 42 - "
        b'[unizone@32473 zone="a\\"b\\\\c\\]d"] something happened records=5 text="two words"'
    )


def test_message_of_rfc_3164() -> None:
    render = renderer(SyslogFormat.RFC3164, "ns1", 42)
    assert render({**EVENT, "records": 5}) == b"<28>Jan  5 03:04:05 ns1 unizone[42]: something happened records=5"
    assert len(render({**EVENT, "text": "x" * 5000})) == 1024


def test_characters_outside_ascii_are_shown_as_escapes() -> None:
    assert renderer(SyslogFormat.RFC5424, "ns1", 42)({**EVENT, "text": "\u00fc"}).endswith(b"text=\\xfc")


def test_frames_of_streams() -> None:
    assert frame(b"message", Framing.OCTETS) == b"7 message"
    assert frame(b"message", Framing.NEWLINE) == b"message\n"


def test_bounds_are_those_of_the_rfcs() -> None:
    assert MAX_DATAGRAM == 2048  # RFC 5426 3.2
    assert QUEUE >= 100


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        ("--syslog=", "is no name of a host"),
        ("--syslog=a b", "is no name of a host"),
        ("--syslog=host:0", "is no port"),
        ("--syslog=host:x", "is no port"),
        ("--syslog=300.1.1.1", "is no IPv4 or IPv6 address"),
        ("--syslog-proto=smoke", "expected one of udp, tcp, tls"),
        ("--tls-authenticator=nobody", "expected system, file:PATH"),
        ("--tls-authenticator=file:/nowhere", "there is no file"),
        ("--tls-authenticator=key-fp:SHA256:abc", "base64 of 32 octets"),
        ("--tls-authenticator=key-fp:MD5:abc", "base64 of 32 octets"),
    ],
)
def test_bad_parameter(argument: str, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["args", argument]) == 64
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("part", ["tls-authenticator", "syslog-cert"])
def test_who_says_how_tls_is_to_be_done_gets_nothing_less(
    part: str, protocol: str, zones: Path, files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    value = f"file:{files.chain}" if part == "tls-authenticator" else files.chain
    line = [f"--zones={zones}", "--syslog=localhost", f"--syslog-proto={protocol}", f"--{part}={value}"]
    assert main(["serve", *line]) == 64
    assert (
        f"it needs TLS, and --syslog-proto is {protocol}\n  for example: --syslog-proto=tls" in capsys.readouterr().err
    )


def test_client_certificate_that_is_none_stops_the_start(
    zones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "client.pem"
    file.write_text("nothing")
    line = [f"--zones={zones}", "--syslog=localhost", "--syslog-proto=tls", f"--syslog-cert={file}"]
    assert main(["serve", *line]) == 64
    assert "--syslog-cert" in capsys.readouterr().err
