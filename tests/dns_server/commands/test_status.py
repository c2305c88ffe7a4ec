"""`unizone status` of the real program: by HTTP, by the DNS, and where nobody answers."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from dns_server.cli import main
from tests.support.network import current
from tests.support.server import serve
from tests.support.servers import free_port

ZONE = "$TTL 60\n@ SOA ns1 h 7 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.1\n"
TOKEN = "0123456789abcdef"


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    folder = tmp_path / "zones"
    folder.mkdir()
    (folder / "example.com").write_text(ZONE)
    return folder


@pytest.mark.usefixtures("network")
def test_by_http_with_a_token(zones: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    options = [*current().http, f"--http-token={TOKEN}", "--name=ns1[red]", "--poll=200ms"]
    with serve(f"--zones={zones}", *options) as server:
        url = f"http://{server.address}:{server.port_for('HTTP')}"
        assert main(["status", url]) == 2
        assert "put its token into UNIZONE_HTTP_TOKEN" in capsys.readouterr().err
        monkeypatch.setenv("UNIZONE_HTTP_TOKEN", TOKEN)
        assert main(["status", url]) == 0
        printed = capsys.readouterr().out
        assert "ns1[red]" in printed
        assert "ready" in printed
        assert re.search(r"^memory +[1-9]\d* MB( of [1-9]\d* MB)? *$", printed, re.MULTILINE)
        assert next(line for line in printed.splitlines() if "example.com." in line).split()[:3] == [
            "example.com.",
            "7",
            "3",
        ]
        assert main(["status", url, "--format=json"]) == 0
        assert json.loads(capsys.readouterr().out)["records"] == 3
        (zones / "example.com").write_text("@ SOA ns1\n")
        server.wait_for("zone refused")
        assert main(["status", url]) == 1
        assert "broken example.com.: the version before is served\n  example.com:1:" in capsys.readouterr().out


@pytest.mark.usefixtures("network")
def test_by_the_dns_where_no_http_is_open(zones: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(f"--zones={zones}", "--poll=200ms") as server:
        assert main(["status", f"dns://{server.endpoint}"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[:5] == ["ready", "zones 1", "records 3", "broken 0", "held back 0"]
        (zones / "example.com").write_text("@ SOA ns1\n")
        server.wait_for("zone refused")
        assert main(["status", f"dns://{server.endpoint}", "--format=json"]) == 1
        assert "broken 1" in json.loads(capsys.readouterr().out)["essentials"]


@pytest.mark.parametrize("option", ["--dns-status=off", "--http=127.0.0.1:0"])
def test_the_dns_tells_nothing_where_it_should_not(
    option: str, zones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve(f"--zones={zones}", option) as server:
        assert main(["status", f"dns://{server.endpoint}"]) == 2
    assert "does not tell: REFUSED" in capsys.readouterr().err


def test_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", f"http://127.0.0.1:{free_port()}"]) == 2
    assert "no status from http://127.0.0.1:" in capsys.readouterr().err


class Other(BaseHTTPRequestHandler):
    """Something else that speaks HTTP, and notes the tokens it is shown."""

    replies: ClassVar[dict[str, tuple[int, dict[str, str], bytes]]] = {}
    tokens: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.tokens.append(self.headers["Authorization"])
        code, fields, body = self.replies[self.path]
        self.send_response(code)
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ((200, {}, b"[]"), "that is another program"),
        ((200, {}, b'{"zones": 3}'), "that is another program"),
        ((200, {}, b"<html>"), "something else than a status came"),
        ((200, {"Content-Length": "100"}, b"{"), "something else than a status came"),
        ((302, {"Location": "/elsewhere"}, b""), "says 302 Found"),
    ],
)
def test_another_program_is_no_unizone_and_sends_the_token_nowhere(
    reply: tuple[int, dict[str, str], bytes],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("UNIZONE_HTTP_TOKEN", TOKEN)
    monkeypatch.setattr(Other, "replies", {"/status.json": reply, "/elsewhere": (200, {}, b"{}")})
    monkeypatch.setattr(Other, "tokens", [])
    with HTTPServer(("127.0.0.1", 0), Other) as other:
        serving = threading.Thread(target=other.serve_forever)
        serving.start()
        assert main(["status", f"http://127.0.0.1:{other.server_port}"]) == 2
        other.shutdown()
        serving.join()
    assert said in capsys.readouterr().err
    assert Other.tokens == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize("server", ["ftp://example.net", "http://", "127.0.0.1:53", "http://h:port", "http://h/path"])
def test_bad_servers(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", server]) == 2
    assert "bad SERVER" in capsys.readouterr().err
