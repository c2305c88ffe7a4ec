"""Each way to be a secondary that is told, with the whole program: NS set, key name, policy, a signed SOA query."""

import errno
import socket
from pathlib import Path

import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.tsig
import pytest

from tests.support.network import Network
from tests.support.secondaries import SECRET
from tests.support.server import Server, eventually, serve

KEY = "secondary._transfer"
ZONE = """\
$TTL 300
@ SOA ns1 hostmaster {serial} 3600 600 86400 300
@ NS ns1
@ NS ns2
ns1 A {primary}
ns2 A {secondary}
"""
NOBODY = "192.0.2.250"


def listener(address: str, port: int) -> socket.socket:
    """Where notifications come, when no other test listens there; skipped where port 53 can't be had."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.settimeout(60)

    def is_bound() -> bool:
        try:
            bound.bind((address, port))
        except PermissionError as error:
            bound.close()
            pytest.skip(f"{address}:{port}: {error.strerror}")
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
        return True

    eventually(is_bound)
    return bound


def told(secondary: socket.socket, key: str | None) -> int:
    """Serial of the next notification, which is signed with `key` or not at all, and acknowledged."""
    ring = {} if key is None else {dns.name.from_text(key): dns.tsig.Key(key, SECRET)}
    wire, address = secondary.recvfrom(4096)
    message = dns.message.from_wire(wire, keyring=ring)
    assert message.opcode() == dns.opcode.NOTIFY
    assert message.had_tsig == (key is not None)
    reply = dns.message.make_response(message)
    secondary.sendto(reply.to_wire(), address)
    serial: int = message.answer[0][0].serial
    return serial


def write(folder: Path, serial: int, network: Network, name_server: str) -> None:
    (folder / "example.com").write_text(ZONE.format(serial=serial, primary=network.server, secondary=name_server))


def changed(server: Server, folder: Path, serial: int, network: Network, name_server: str) -> None:
    write(folder, serial, network, name_server)
    server.hang_up()
    server.wait_for("zone updated", serial=serial)


@pytest.mark.parametrize("way", ["NS set", "key name", "policy"])
def test_a_secondary_is_told_because_of_its(way: str, network: Network, tmp_path: Path) -> None:
    with listener(network.here_too, 53 if way == "NS set" else 0) as secondary:
        port = secondary.getsockname()[1]
        key, name_server = None, NOBODY
        match way:
            case "NS set":
                name_server = network.here_too
            case "key name":
                key = f"{network.server}.{network.here_too}_{port}._transfer.example.com"
                (tmp_path / "_keys").write_text(f"{key}. DNSKEY 0 3 163 {SECRET}\n")
            case _:
                key = "plain"
                (tmp_path / "_keys").write_text(f"{key}. DNSKEY 0 3 163 {SECRET}\n")
                rule = f'[[notify]]\naddress = "{network.here_too}"\nport = {port}\nkey = "{key}"\n'
                (tmp_path / "_policy.toml").write_text(rule)
        write(tmp_path, 1, network, name_server)
        with serve(f"--zones={tmp_path}", "--poll=1d") as server:
            assert told(secondary, key) == 1
            changed(server, tmp_path, 2, network, name_server)
            assert told(secondary, key) == 2


def test_who_asks_for_the_soa_over_tcp_with_a_key_for_transfers_is_told(network: Network, tmp_path: Path) -> None:
    (tmp_path / "_keys").write_text(
        f"{KEY}. DNSKEY 0 3 163 {SECRET}\nother._transfer.example.org. DNSKEY 0 3 163 {SECRET}\n"
    )
    write(tmp_path, 1, network, NOBODY)
    with listener(network.here_too, 53) as secondary, serve(f"--zones={tmp_path}", "--poll=1d") as server:

        def show(key: str | None) -> None:
            query = dns.message.make_query("example.com.", "SOA")
            if key is not None:
                query.use_tsig(dns.tsig.Key(key, SECRET))
            assert dns.query.tcp(query, server.address, port=server.port, timeout=60, source=network.here_too).answer

        show(None)
        show("other._transfer.example.org")  # for another zone
        changed(server, tmp_path, 2, network, NOBODY)
        show(KEY)
        changed(server, tmp_path, 3, network, NOBODY)
        assert told(secondary, KEY) == 3  # and not 2
