"""UPDATE as a user has it: real clients, the real program, real git; git is the judge."""

import base64
import contextlib
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.tsig
import dns.update
import pytest
from dns.rdataclass import RdataClass

from tests.dns_server.management.test_management import labels, samples
from tests.support.debian import Unavailable, programs
from tests.support.dig import short
from tests.support.git import Origin, daemon, git, web
from tests.support.network import current
from tests.support.server import Server, eventually, serve
from tests.support.trees import zone_text

pytestmark = pytest.mark.usefixtures("network")

SECRET = base64.b64encode(b"a secret of thirty-two octets...").decode()
KEY_NAME = "lego._update.example.com."
KEYS = f"{KEY_NAME} DNSKEY 0 3 163 {SECRET}\nother._update.example.net. DNSKEY 0 3 163 {SECRET}\n".encode()
KEY = dns.tsig.Key(KEY_NAME, SECRET, dns.tsig.HMAC_SHA256)
Serve = Callable[[Path], contextlib.AbstractContextManager[str]]


@contextlib.contextmanager
def on_disk(folder: Path) -> Iterator[str]:
    yield str(folder)


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    made = Origin(tmp_path)
    made.push({"example.com": zone_text(7, "www A 192.0.2.80", "; the end"), "_keys": KEYS})
    return made


def updated(*, zone: str = "example.com", key: dns.tsig.Key | None = KEY) -> dns.update.UpdateMessage:
    message = dns.update.UpdateMessage(zone)
    if key is not None:
        message.use_tsig(key)
    return message


def send(
    server: Server, message: dns.message.Message, *, tcp: bool = True, timeout_s: float = 60
) -> dns.message.Message:
    ask = dns.query.tcp if tcp else dns.query.udp
    return ask(message, server.address, timeout=timeout_s, port=server.port)


def rcode(server: Server, message: dns.message.Message, timeout_s: float = 60) -> str:
    return dns.rcode.to_text(send(server, message, timeout_s=timeout_s).rcode())


def answer(server: Server, *question: str) -> list[str]:
    return short(server.address, server.port, *question)


@pytest.mark.parametrize("serve_git", [daemon, web, on_disk])
def test_an_update_is_pushed_and_served_before_it_is_acknowledged(serve_git: Serve, origin: Origin) -> None:
    with serve_git(origin.folder) as base, serve(f"--remote={base}/{origin.bare.name}", "--poll=1h") as server:
        message = updated()
        message.add("_acme-challenge", 60, "TXT", "token")
        message.replace("www", 60, "A", "192.0.2.81")
        assert rcode(server, message) == "NOERROR"
        assert answer(server, "_acme-challenge.example.com", "TXT") == ['"token"']
        assert answer(server, "www.example.com", "A") == ["192.0.2.81"]
    assert git(origin.bare, "log", "-1", "--format=%an %s", "main") == "lego._update.example.com Update example.com."
    body = git(origin.bare, "log", "-1", "--format=%b", "main").splitlines()
    assert '+ _acme-challenge.example.com. 60 IN TXT "token"' in body
    assert "- www.example.com. 3600 IN A 192.0.2.80" in body
    assert git(origin.bare, "show", "main:example.com").endswith(
        '; the end\n_acme-challenge.example.com. 60 TXT "token"'
    )


def test_an_update_of_a_folder(tmp_path: Path) -> None:
    current().need_process("its folder is a repository, which it does not write")
    (tmp_path / "example.com").write_bytes(zone_text(7, "www A 192.0.2.80"))
    (tmp_path / "example.com").chmod(0o640)
    (tmp_path / "_keys").write_bytes(KEYS)
    with serve(f"--zones={tmp_path}", "--poll=1h") as server:
        message = updated()
        message.add("a", 60, "TXT", "token")
        assert rcode(server, message) == "NOERROR"
        assert answer(server, "a.example.com", "TXT") == ['"token"']
    assert 'a.example.com. 60 TXT "token"' in (tmp_path / "example.com").read_text()
    assert (tmp_path / "example.com").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["_keys", "example.com"]


def test_who_may_not_update_is_refused_and_nothing_changes(origin: Origin) -> None:
    files = {
        "example.com": zone_text(7, "www A 192.0.2.80"),
        "example.net": zone_text(1),
        "digest.example": zone_text(1, "@ ZONEMD 1 1 240 " + "00" * 48),
        "_keys": KEYS + f"all._update. DNSKEY 0 3 163 {SECRET}\n".encode(),
    }
    commit = origin.push(files)
    with serve(f"--remote={origin.bare}", "--poll=1h") as server:
        cases = [
            (updated(key=None), "REFUSED"),
            (updated(zone="example.net"), "REFUSED"),
            (updated(zone="unknown.test"), "NOTAUTH"),
            (updated(key=dns.tsig.Key("all._update.", SECRET, dns.tsig.HMAC_SHA256), zone="digest.example"), "REFUSED"),
            (dns.update.UpdateMessage("example.com", rdclass=RdataClass.CH), "NOTAUTH"),
        ]
        for message, expected in cases:
            if message.zone[0].rdclass == 1:
                message.add("a", 60, "TXT", "x")
            assert rcode(server, message) == expected, message
        message = updated()
        message.add("a", 60, "RRSIG", "A 13 2 3600 20900101000000 20260101000000 1 example.com. AAAA")
        assert rcode(server, message) == "REFUSED"
        message = updated()
        message.present("nobody")
        assert rcode(server, message) == "NXDOMAIN"
        message = updated()
        message.add("@", 60, "NS", "nowhere")
        assert rcode(server, message) == "REFUSED"  # the zone would be broken: its name server has no address
        server.wait_for("not permitted", operation="update")
        server.wait_for("update refused", rcode="NXDOMAIN")
    assert git(origin.bare, "rev-parse", "main") == commit


def test_a_copy_of_an_update_is_not_obeyed_again(origin: Origin) -> None:
    with serve(f"--remote={origin.bare}", "--poll=1h") as server:
        first, second = updated(), updated()
        first.add("a", 60, "TXT", "x")
        second.delete("a")
        wire = first.to_wire()
        assert send_wire(server, wire)[3] & 0xF == dns.rcode.NOERROR
        assert rcode(server, second) == "NOERROR"
        assert send_wire(server, wire)[3] & 0xF == dns.rcode.NOERROR  # what it was, said again
        assert answer(server, "a.example.com", "TXT") == []
    assert git(origin.bare, "rev-list", "--count", "main") == "3"


def send_wire(server: Server, wire: bytes) -> bytes:
    with socket.create_connection((server.address, server.port), timeout=60) as connection:
        connection.sendall(len(wire).to_bytes(2, "big") + wire)
        with connection.makefile("rb") as stream:
            return stream.read(int.from_bytes(stream.read(2), "big"))


def test_a_zone_whose_newest_file_is_broken_is_not_touched(origin: Origin) -> None:
    with serve(f"--remote={origin.bare}", "--poll=1h") as server:
        commit = origin.push({"example.com": b"broken", "_keys": KEYS})
        message = updated()
        message.add("a", 60, "TXT", "x")
        assert rcode(server, message) == "SERVFAIL"
        server.wait_for("update failed")
        assert answer(server, "www.example.com", "A") == ["192.0.2.80"]
    assert git(origin.bare, "rev-parse", "main") == commit


def test_a_push_that_is_refused_undoes_the_update(origin: Origin) -> None:
    hook = origin.bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no changes on Fridays >&2\nexit 1\n")
    hook.chmod(0o755)
    with daemon(origin.folder) as base, serve(f"--remote={base}/{origin.bare.name}", "--poll=1h") as server:
        message = updated()
        message.add("a", 60, "TXT", "x")
        assert rcode(server, message) == "SERVFAIL"
        assert "on Fridays" in server.wait_for("update failed")["reason"]
        assert answer(server, "a.example.com", "TXT") == []


def run(package: str, program: str, script: str) -> None:
    try:
        tree = programs(package)
    except Unavailable as error:
        pytest.skip(f"no {program}: {error}")
    command = [str(tree.path(program))]
    done = subprocess.run(command, input=script, capture_output=True, text=True, env=tree.environment, timeout=90)
    assert done.returncode == 0, f"{script}: {done.stdout} {done.stderr}"
    assert not re.search("update failed|error", done.stdout + done.stderr), f"{done.stdout} {done.stderr}"


@pytest.mark.parametrize(("package", "program"), [("bind9-dnsutils", "nsupdate"), ("knot-dnsutils", "knsupdate")])
def test_the_tools_of_bind_and_knot(package: str, program: str, origin: Origin) -> None:
    with serve(f"--remote={origin.bare}", "--poll=1h") as server:
        head = f"server {server.address} {server.port}\nzone example.com\nkey hmac-sha256:{KEY_NAME} {SECRET}\n"
        script = "prereq nxdomain new.example.com\nupdate add new.example.com 300 MX 10 mail.example.com\nsend\n"
        run(package, program, head + script)
        assert answer(server, "new.example.com", "MX") == ["10 mail.example.com."]
        script = "prereq yxrrset new.example.com MX\nupdate delete new.example.com\n"
        script += "update add b.example.com 60 A 192.0.2.7\n"
        run(package, program, f"{head}{script}send\n")
        assert answer(server, "new.example.com", "MX") == []
        assert answer(server, "b.example.com", "A") == ["192.0.2.7"]
    assert git(origin.bare, "rev-list", "--count", "main") == "3"


def test_an_extended_error_says_why(origin: Origin) -> None:
    with serve(f"--remote={origin.bare}", "--poll=1h") as server:
        message = updated(zone="example.net")
        message.use_edns(0)
        reply = send(server, message)
        assert [str(option) for option in reply.options] == ["EDE 0 (Other): example.net. is not served here"]
        newer = updated()
        newer.use_edns(1)
        assert rcode(server, newer) == "BADVERS"


def test_updates_are_counted(origin: Origin) -> None:
    with serve(f"--remote={origin.bare}", "--poll=1h", *current().http) as server:
        message, refused = updated(), updated(key=None)
        message.add("a", 60, "TXT", "x")
        assert rcode(server, message) == "NOERROR"
        assert rcode(server, refused) == "REFUSED"
        found = samples(server)
        assert found["updates_total", labels(rcode="NOERROR")] == found["updates_total", labels(rcode="REFUSED")] == 1
        assert found["update_pushes_total", labels()] == found["update_changes_total", labels()] == 1
        assert found["updates_in_progress", labels()] == found["update_pending", labels()] == 0


def test_what_a_client_for_certificates_does(origin: Origin) -> None:
    """Two tokens of one name beside each other, looked for, then removed one by one: certbot's and lego's way."""
    with serve(f"--remote={origin.bare}", "--poll=1h") as server:
        for token in ("first", "second"):
            message = updated()
            message.add("_acme-challenge.www", 120, "TXT", token)
            assert dns.rcode.to_text(send(server, message, tcp=token == "first").rcode()) == "NOERROR"
        eventually(lambda: sorted(answer(server, "_acme-challenge.www.example.com", "TXT")) == ['"first"', '"second"'])
        for token, left in (("first", ['"second"']), ("second", [])):
            message = updated()
            message.delete("_acme-challenge.www", "TXT", token)
            assert rcode(server, message) == "NOERROR"
            assert answer(server, "_acme-challenge.www.example.com", "TXT") == left
    before = zone_text(7, "www A 192.0.2.80", "; the end").decode().replace(" 7 7200", " 11 7200").rstrip()
    assert git(origin.bare, "show", "main:example.com") == before
