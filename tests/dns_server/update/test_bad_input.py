"""Updates that nobody should send: refused with the right code, counted, and the log says who; nothing changes."""

import socket
import time
from pathlib import Path

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.tsig
import pytest

from dns_server.answer.protocol import CLASS_IN
from dns_server.parameters.peers import parse_key
from dns_server.tsig.exchange import Request
from tests.dns_server.management.test_management import labels, samples
from tests.dns_server.update.messages import Item, update
from tests.dns_server.update.test_update import KEY_NAME, KEYS, SECRET, answer, rcode, send, send_wire, updated
from tests.support.git import Origin, git
from tests.support.network import current
from tests.support.server import eventually, serve
from tests.support.trees import zone_text
from zones import name as names
from zones import rdtypes
from zones.findings import Place
from zones.keys import TsigKey, grant

pytestmark = pytest.mark.usefixtures("network")


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    made = Origin(tmp_path)
    made.push({"example.com": zone_text(7, "www A 192.0.2.80"), "_keys": KEYS})
    return made


def test_signatures_that_are_not_believed(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = git(origin.bare, "rev-parse", "main")
    with serve(f"--remote={origin.bare}", "--poll=1h", *current().http) as server:
        unknown = updated(key=dns.tsig.Key("nobody._update.", SECRET, dns.tsig.HMAC_SHA256))
        forged = updated(key=dns.tsig.Key("lego._update.example.com.", "AAAA", dns.tsig.HMAC_SHA256))
        late = updated()
        for message in (unknown, forged, late):
            message.add("a", 60, "TXT", "x")
        wires = {"BADKEY": unknown.to_wire(), "BADSIG": forged.to_wire()}
        with monkeypatch.context() as patched:
            long_ago = time.time() - 3600
            patched.setattr("time.time", lambda: long_ago)
            wires["BADTIME"] = late.to_wire()
        for wire in wires.values():
            reply = send_wire(server, wire)
            assert reply[2] & dns.flags.QR >> 8
            assert reply[3] & 0xF == dns.rcode.NOTAUTH
        found = samples(server)
        assert [found["tsig_failures_total", labels(reason=reason)] for reason in wires] == [1, 1, 1]
        assert str(server.wait_for("signature not believed")["client"]).startswith(f"{current().here}:")
        assert answer(server, "a.example.com", "TXT") == []
    assert git(origin.bare, "rev-parse", "main") == commit


def test_records_of_who_may_not_update_are_not_looked_at(origin: Origin) -> None:
    """Thousands of records with long names take seconds to parse."""
    broken = update([], [Item("a.example.com.", rdtypes.A, CLASS_IN, 60, b"123")])
    key = TsigKey(*parse_key(f"{KEY_NAME}:{SECRET}"), *grant(names.from_text(KEY_NAME)), Place("test"))
    with serve(f"--remote={origin.bare}", "--poll=1h") as server:
        assert send_wire(server, broken)[3] & 0xF == dns.rcode.REFUSED
        assert send_wire(server, Request(key, broken, time.time()).wire)[3] & 0xF == dns.rcode.FORMERR


@pytest.mark.parametrize("opcode", [dns.opcode.UPDATE, dns.opcode.NOTIFY])
def test_a_flood_of_unsigned_requests(opcode: dns.opcode.Opcode, origin: Origin) -> None:
    commit = git(origin.bare, "rev-parse", "main")
    with serve(f"--remote={origin.bare}", "--poll=1h", *current().http) as server:
        update = updated(key=None)
        update.add("a", 60, "TXT", "x")
        notify = dns.message.make_query("example.com.", "SOA")
        notify.flags = 0
        notify.set_opcode(dns.opcode.NOTIFY)
        wire = (update if opcode == dns.opcode.UPDATE else notify).to_wire()
        fetched = sum(event["event"] == "fetched" for event in server.events)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            flood.connect((server.address, server.port))
            for _ in range(3000):
                flood.send(wire)
        good = updated()
        good.add("b", 60, "TXT", "x")
        assert rcode(server, good) == "NOERROR"  # others are served meanwhile
        name, key = (
            ("updates_total", labels(rcode="REFUSED"))
            if opcode == dns.opcode.UPDATE
            else ("notified_total", labels(result="refused"))
        )
        eventually(lambda: samples(server).get((name, key), 0) > 0)
        assert sum(event["event"] == "fetched" for event in server.events) <= fetched + 1
        assert not server.has("notified")
        if opcode == dns.opcode.UPDATE:
            assert str(server.wait_for("not permitted", operation="update")["client"]).startswith(f"{current().here}:")
    assert git(origin.bare, "rev-list", "--count", f"{commit}..main") == "1"


def test_as_much_as_a_message_can_hold_is_obeyed_as_a_whole(origin: Origin) -> None:
    with serve(f"--remote={origin.bare}", "--poll=1h") as server:
        message = updated()
        for number in range(220):
            message.add(f"text{number}", 60, "TXT", "x" * 250)
        assert len(message.to_wire()) > 59_000
        assert dns.rcode.to_text(send(server, message).rcode()) == "NOERROR"
        assert answer(server, "text219.example.com", "TXT") == [f'"{"x" * 250}"']
    assert git(origin.bare, "rev-list", "--count", "main") == "2"
    assert git(origin.bare, "show", "main:example.com").count("TXT") == 220


def test_a_datagram_that_is_longer_than_any_request_is_dropped_and_counted(origin: Origin) -> None:
    with serve(f"--remote={origin.bare}", "--poll=1h", *current().http) as server:
        message = updated()
        for number in range(20):
            message.add(f"text{number}", 60, "TXT", "x" * 250)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect((server.address, server.port))
            client.send(message.to_wire())
            eventually(lambda: samples(server)["udp_dropped_total", labels(reason="oversized")] == 1)
    assert git(origin.bare, "rev-list", "--count", "main") == "1"


def test_an_rrset_that_no_message_could_hold_is_refused(origin: Origin) -> None:
    with serve(f"--remote={origin.bare}", "--poll=1h") as server:
        for part in range(2):
            message = updated()
            for number in range(150):
                message.add("long", 60, "TXT", f"{part}-{number}-{'x' * 240}")
            assert rcode(server, message) == ("REFUSED" if part else "NOERROR")
        assert len(answer(server, "long.example.com", "TXT", "+tcp")) == 150
