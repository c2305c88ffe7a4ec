"""Transfers, notifications and updates with several processes: any may get the request, the main one does it."""

import socket
from pathlib import Path

import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.tsig
import dns.update
import dns.xfr
import dns.zone

from tests.dns_server.update.test_update import KEY, KEYS
from tests.support.git import Origin, git
from tests.support.server import Server, eventually, serve
from tests.support.trees import zone_text

TIMES = 6
"""Each from a port of its own, so that both workers get some."""


def notify(server: Server, ask: object) -> dns.message.Message:
    message = dns.message.make_query("example.com.", "SOA", use_edns=0)
    message.flags = 0
    message.set_opcode(dns.opcode.NOTIFY)
    message.use_tsig(KEY)
    assert callable(ask)
    reply: dns.message.Message = ask(message, "127.0.0.1", port=server.port, timeout=60)
    return reply


def addresses(server: Server, name: str) -> set[str]:
    """What the workers say, asked from many ports."""
    found = set()
    for _ in range(4 * TIMES):
        query = dns.message.make_query(f"{name}.example.com.", "A")
        answer = dns.query.udp(query, "127.0.0.1", port=server.port, timeout=60).answer
        found.add(answer[0][0].to_text() if answer else "")
    return found


def transferred(
    server: Server, start: dns.zone.Zone | None = None, mode: dns.query.UDPMode = dns.query.UDPMode.NEVER
) -> dns.zone.Zone:
    """The zone by AXFR, or by IXFR from `start`."""
    zone = start or dns.zone.Zone("example.com.", relativize=False)
    query, _ = dns.xfr.make_query(zone, serial=0 if start else None, keyring={KEY.name: KEY})
    dns.query.inbound_xfr("127.0.0.1", zone, query, port=server.port, timeout=60, lifetime=60, udp_mode=mode)
    return zone


def test_all_that_a_primary_does_is_done_whichever_worker_is_asked(tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as secondary:
        secondary.bind(("127.0.0.1", 0))
        secondary.settimeout(60)
        port = secondary.getsockname()[1]
        policy = f'[[notify]]\naddress = "127.0.0.1"\nport = {port}\n'.encode()

        def push(serial: int) -> None:
            text = zone_text(serial, f"www A 192.0.2.{serial}")
            origin.push({"example.com": text, "_keys": KEYS, "_policy.toml": policy})

        def told() -> int:
            """Serial of the next notification, which is acknowledged."""
            wire, address = secondary.recvfrom(4096)
            secondary.sendto(wire[:2] + bytes([wire[2] | 0x80]) + wire[3:], address)
            serial: int = dns.message.from_wire(wire).answer[0][0].serial
            return serial

        push(1)
        with serve(f"--remote={origin.bare}", "--poll=1d", "--workers=2") as server:
            first, second = transferred(server), transferred(server)
            for serial in range(2, 2 + TIMES):
                push(serial)
                reply = notify(server, dns.query.tcp if serial % 3 == 0 else dns.query.udp)
                assert reply.rcode() == dns.rcode.NOERROR
                assert f"serial {serial}; nothing is wrong" in str(reply.extended_errors()[0])
                assert addresses(server, "www") == {f"192.0.2.{serial}"}
            for number in range(TIMES):
                update = dns.update.UpdateMessage("example.com.")
                update.use_tsig(KEY)
                update.add(f"new{number}", 60, "A", "192.0.2.9")
                ask = dns.query.tcp if number % 3 == 0 else dns.query.udp
                assert ask(update, "127.0.0.1", port=server.port, timeout=60).rcode() == dns.rcode.NOERROR
                assert addresses(server, f"new{number}") == {"192.0.2.9"}
            newest = 1 + 2 * TIMES
            eventually(lambda: told() == newest)
            whole = transferred(server)
            assert transferred(server, first, dns.query.UDPMode.ONLY) == whole
            assert transferred(server, second) == whole
            assert server.wait_for("zone transferred", kind="IXFR")["serial"] == newest
            text = git(origin.bare, "show", "main:example.com")
            assert whole == dns.zone.from_text(text, "example.com.", relativize=False)
