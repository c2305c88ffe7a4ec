"""What operators read, from the real program: metrics by Prometheus's own parser, readiness, status, the page."""

import contextlib
import json
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dns_server.cli import main
from tests.support.dig import short
from tests.support.namespaces import need_namespaces, veth_namespace
from tests.support.network import Network, current
from tests.support.server import Server, eventually, serve
from tests.support.virtual import MEMORY_MB

ZONE = "$TTL 60\n@ SOA ns1 h {serial} 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.1\n"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    folder = tmp_path / "zones"
    folder.mkdir()
    for name in ("example.com", "example.org"):
        (folder / name).write_text(ZONE.format(serial=7))
    return folder


@pytest.fixture
def server(network: Network, zones: Path) -> Iterator[Server]:
    with serve(f"--zones={zones}", "--poll=200ms", *current().http, "--name=ns1<b>") as server:
        yield server


def read(server: Server, path: str, **fields: str) -> str:
    port = server.port_for("HTTP")
    request = urllib.request.Request(f"http://{server.address}:{port}{path}", headers=fields)
    with urllib.request.urlopen(request, timeout=60) as response:
        text: str = response.read().decode()
        return text


def status(server: Server) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(read(server, "/status.json"))
    return document


def samples(server: Server) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(read(server, "/metrics"))
    return {
        (sample.name.removeprefix("unizone_"), frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def labels(**given: str) -> frozenset[tuple[str, str]]:
    return frozenset(given.items())


def test_memory_in_use_is_told_and_in_a_machine_of_how_much(server: Server) -> None:
    found, told = samples(server), status(server)["server"]
    used = found["resident_memory_bytes", labels()]
    assert 10e6 < used < 500e6
    assert abs(told["resident_bytes"] - used) < 50e6
    if current().is_machine:
        total = found["memory_bytes", labels()]
        assert used < total == told["memory_bytes"] < MEMORY_MB << 20
        assert f"of {total / 1e6:.0f} MB" in read(server, "/")
    else:
        assert ("memory_bytes", labels()) not in found
        assert told["memory_bytes"] is None
        assert " MB" in read(server, "/")


def test_metrics_count_what_was_asked(server: Server) -> None:
    for transport in ("+notcp", "+tcp"):
        short(server.address, server.port, transport, "ns1.example.com", "A")
    short(server.address, server.port, "nothing.example.com", "AAAA")
    short(server.address, server.port, "elsewhere.test", "TYPE65280")
    found = samples(server)
    assert found["queries_total", labels(transport="udp", type="A")] == 1
    assert found["queries_total", labels(transport="tcp", type="A")] == 1
    assert found["queries_total", labels(transport="udp", type="AAAA")] == 1
    assert found["queries_total", labels(transport="udp", type="other")] == 1
    assert found["answers_total", labels(transport="udp", rcode="NOERROR")] == 1
    assert found["answers_total", labels(transport="udp", rcode="NXDOMAIN")] == 1
    assert found["answers_total", labels(transport="udp", rcode="REFUSED")] == 1
    assert found["answer_seconds_count", labels()] == 4
    assert found["answer_size_bytes_count", labels(transport="udp")] == 3
    assert found["udp_received_total", labels()] == 3
    assert found["stream_accepted_total", labels()] == 1
    assert found["zone_serial", labels(zone="example.com.")] == 7
    assert found["zone_records", labels(zone="example.com.")] == 3
    assert found["zones", labels()] == 2
    assert found["ready", labels()] == 1


def test_metrics_of_syncs_and_the_collector(network: Network, zones: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind((network.here, 0))
        port = collector.getsockname()[1]
        options = [*network.http, f"--syslog={network.here}:{port}", "--syslog-proto=udp", "--poll=200ms"]
        with serve(f"--zones={zones}", *options) as server:
            eventually(lambda: samples(server)["syncs_total", labels()] >= 2)
            eventually(lambda: samples(server)["syslog_sent_total", labels()] >= 3)
            found = samples(server)
    assert found["syncs_failed_total", labels()] == 0
    assert found["syslog_connects_total", labels()] == 1
    assert found["syslog_dropped_total", labels()] == 0
    assert found["rate_limited_total", frozenset({("class", "positive"), ("action", "dropped")})] == 0


@pytest.mark.netns
def test_metrics_and_page_of_the_own_stack(zones: Path) -> None:
    need_namespaces()
    with ExitStack() as stack:
        namespace = stack.enter_context(veth_namespace("192.0.2.1/24"))
        options = ["--ipv4=192.0.2.53/24", "--ipv6=none", "--http=192.0.2.53:8053", "--http-allow=192.0.2.0/24"]
        direct = ["--net=direct", "--link=packet", f"--interface={namespace.outside}"]
        stack.enter_context(serve(f"--zones={zones}", *direct, *options, listen=("192.0.2.53:53",)))
        code = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=60).read().decode())"
        url = "http://192.0.2.53:8053"
        text = namespace.run(sys.executable, "-c", code, f"{url}/metrics").stdout
        page = namespace.run(sys.executable, "-c", code, f"{url}/").stdout
        shown = namespace.run(sys.executable, "-m", "dns_server", "status", url).stdout
    found = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["unizone_stack_tcp_connections", labels(state="ESTABLISHED")] == 1
    assert ("unizone_stack_express_replies_total", labels(way="batch")) in found
    assert "ESTABLISHED" in page
    assert "own stack" in shown


def test_broken_zone_is_told_everywhere_with_its_line(server: Server, zones: Path) -> None:
    (zones / "example.com").write_text(f"@ SOA ns1 h 8 1h 10m 7d 1m\n@ NS ns1\nns1 A {HOSTILE}\n")
    server.wait_for("zone refused", zone="example.com.")
    document = status(server)
    (broken,) = document["broken"]
    assert broken["zone"] == "example.com."
    assert broken["last_good_is_served"] is True
    assert broken["findings"][0].startswith("example.com:")
    assert samples(server)["zone_broken", labels(zone="example.com.")] == 1
    page = read(server, "/")
    assert "example.com:" in page
    assert HOSTILE not in page


def test_status_of_a_zone_follows_its_versions(server: Server, zones: Path) -> None:
    before = {zone["zone"]: zone for zone in status(server)["zones"]}
    (zones / "example.com").write_text(ZONE.format(serial=8))
    eventually(lambda: {zone["zone"]: zone["serial"] for zone in status(server)["zones"]}["example.com."] == 8)
    after = {zone["zone"]: zone for zone in status(server)["zones"]}
    assert after["example.com."]["since"] > before["example.com."]["since"]
    assert after["example.org."] == before["example.org."]


@pytest.mark.usefixtures("network")
def test_not_ready_until_there_are_zones(tmp_path: Path) -> None:
    with serve(f"--remote={tmp_path}/nowhere.git", *current().http, until="sync failed") as server:
        server.wait_for("listening", transports=["HTTP"])
        with pytest.raises(urllib.error.HTTPError) as refused:
            read(server, "/ready")
        assert refused.value.code == 503
        assert "no version of the zones has been loaded" in refused.value.read().decode()
        assert status(server)["ready"] is False
        assert "Not ready" in read(server, "/")
        assert "unizone_ready 0" in read(server, "/metrics")


class Elements(HTMLParser):
    """Elements of a page, and the texts of its headings."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]


def test_page_has_no_scripts_and_escapes_what_it_shows(server: Server) -> None:
    page = read(server, "/")
    elements = Elements()
    elements.feed(page)
    assert {"h1", "h2", "table"} <= set(elements.names)
    assert not {"script", "b", "img", "iframe"} & set(elements.names)
    assert "ns1&lt;b&gt;" in page
    assert "2 zones with 6 records in service, and nothing is broken." in page


@pytest.mark.usefixtures("network")
def test_token_from_a_file_is_needed_and_never_printed(
    zones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = "0123456789abcdef"
    file = tmp_path / "token"
    file.write_text(f"{token}\n")
    with serve(f"--zones={zones}", *current().http, f"--http-token=@{file}") as server:
        with pytest.raises(urllib.error.HTTPError) as refused:
            read(server, "/metrics")
        assert refused.value.code == 401
        assert read(server, "/ready", Authorization=f"Bearer {token}") == "ready\n"
    assert main(["args", f"--http-token={token}"]) == 0
    assert main(["args", "--http-token=0123"]) == 64
    printed = capsys.readouterr()
    assert "0123" not in printed.out + printed.err
    assert "***" in printed.out


@pytest.mark.usefixtures("network")
def test_many_zones_do_not_hold_the_service(tmp_path: Path) -> None:
    for number in range(1000):
        (tmp_path / f"zone-{number}.example").write_text(ZONE.format(serial=number))
    with serve(f"--zones={tmp_path}", *current().http) as server:
        assert len(status(server)["zones"]) == 1000
        assert "and 500 more" in read(server, "/")
        assert samples(server)["zone_serial", labels(zone="zone-999.example.")] == 999


@pytest.mark.usefixtures("network")
def test_the_dns_does_not_notice_what_is_done_to_http(zones: Path) -> None:
    """Half requests, endless fields, garbage and paths that climb, on all connections there may be."""
    address = current().server
    allowed = "--http-allow=127.0.0.0/8,192.0.2.0/24"
    with serve(f"--zones={zones}", f"--http={address}:0", allowed) as server, ExitStack() as opened:
        port = server.ports_for("HTTP")[address]
        attacks = [
            b"GET / HTTP/1.1\r\nHost: ",
            b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /%2e%2e/%00 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"X" * 20_000,
            b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000,
            b"POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
            bytes(range(256)),
            b"GET /status.json HTTP/1.1\r\nHost: x\r\n\r\n" * 50,
        ]
        for number in range(60):
            with contextlib.suppress(OSError):  # reset at once where there are too many
                connection = opened.enter_context(socket.create_connection((address, port), timeout=60))
                connection.sendall(attacks[number % len(attacks)])
            if not number % 10:
                assert short(address, server.port, "ns1.example.com", "A") == ["192.0.2.1"]
    assert server.stop() == 0
