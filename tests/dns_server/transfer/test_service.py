"""Transfers with the whole program: dig and kdig as clients, and clients that misbehave."""

import contextlib
import socket
import struct
import urllib.request
from pathlib import Path

import dns.edns
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.zone
import pytest

from tests.dns_server.management.test_management import labels, samples
from tests.support.certificates import self_signed
from tests.support.dig import Client, ask
from tests.support.network import current
from tests.support.secondaries import KEY, SECRET, transferred
from tests.support.server import Server, eventually, serve
from tests.support.signing import dnspython

ZONE = """\
$TTL 300
@ SOA ns1 hostmaster {serial} 3600 600 86400 300
@ NS ns1
ns1 A 192.0.2.1
www A {address}
sub NS ns.sub
ns.sub A 192.0.2.53
below.ns.sub TXT "occluded"
"""
pytestmark = pytest.mark.usefixtures("network")

SIGNED = f"hmac-sha256:{KEY}:{SECRET}"


LONG = 40_000  # records of more than 250 octets: more than the buffers of two kernels take


def write_zone(folder: Path, serial: int = 1, address: str = "192.0.2.80", hosts: int = 0, texts: int = 0) -> None:
    more = "".join(f"host{number} A 192.0.2.{number % 250}\n" for number in range(hosts))
    more += "".join(f'text{number} TXT "{"x" * 250}"\n' for number in range(texts))
    (folder / "example.com").write_text(ZONE.format(serial=serial, address=address) + more)


def write_key(folder: Path) -> None:
    (folder / "_keys").write_text(f"{KEY}. DNSKEY 0 3 163 {SECRET}\n")


def change(server: Server, folder: Path, serial: int, address: str, texts: int = 0) -> None:
    """Have another version served."""
    write_zone(folder, serial, address, texts=texts)
    before = len(server.events)
    server.hang_up()
    server.wait_for("zone updated", before, serial=serial)


def records(printed: str) -> list[str]:
    """Records that dig or kdig printed, spaces made one."""
    return [" ".join(line.split()) for line in printed.splitlines() if line and line[0] != ";" and "TSIG" not in line]


class TestWithClients:
    @pytest.mark.parametrize("client", ["dig", "kdig"])
    def test_axfr_is_for_keys_alone_by_default(self, client: Client, tmp_path: Path) -> None:
        write_zone(tmp_path)
        write_key(tmp_path)
        with serve(f"--zones={tmp_path}") as server:
            question = ("example.com", "AXFR")
            found = records(ask(client, server.address, server.port, "-y", SIGNED, *question))
            assert len(found) == 8
            assert found[0] == found[-1]
            assert any("occluded" in record for record in found)
            assert any("192.0.2.53" in record for record in found)
            for key in ([], ["-y", SIGNED.replace(SECRET, "AAAA")]):
                refused = ask(client, server.address, server.port, *key, *question, may_fail=True)
                assert not records(refused)

    @pytest.mark.parametrize("client", ["dig", "kdig"])
    @pytest.mark.parametrize("transport", ["+tcp", "+notcp"])
    def test_ixfr_tells_what_changed(self, client: Client, transport: str, tmp_path: Path) -> None:
        write_zone(tmp_path)
        write_key(tmp_path)
        with serve(f"--zones={tmp_path}", "--poll=1d") as server:
            change(server, tmp_path, 2, "192.0.2.81")
            change(server, tmp_path, 3, "192.0.2.82")

            def ixfr(serial: int) -> list[str]:
                question = ("-y", SIGNED, "example.com", f"IXFR={serial}")
                return records(ask(client, server.address, server.port, transport, *question))

            found = ixfr(1)
            assert [record.split()[3] for record in found] == ["SOA", "SOA", "A", "SOA", "A", "SOA"]
            assert found[2].endswith("192.0.2.80")
            assert found[4].endswith("192.0.2.82")
            (soa,) = ixfr(3)
            assert " 3 3600 " in soa
            assert len(ixfr(0)) == (8 if transport == "+tcp" else 1)  # RFC 1995 2: ask again by TCP

    def test_who_may_is_the_operators_choice(self, tmp_path: Path) -> None:
        write_zone(tmp_path)
        for choice, opened in {
            "all": True,
            f"{current().here}/32,::1": True,
            "198.51.100.0/24": False,
            "none": False,
        }.items():
            with serve(f"--zones={tmp_path}", f"--axfr={choice}") as server:
                assert (transferred(server.port, "example.com") is not None) == opened

    def test_keys_can_be_kept_out_of_the_repository(self, tmp_path: Path) -> None:
        current().need_process("it reads the disk with its keys when it starts")
        (tmp_path / "zones").mkdir()
        write_zone(tmp_path / "zones")
        write_key(tmp_path)
        with serve(f"--zones={tmp_path}/zones", f"--tsig-keys={tmp_path}/_keys") as server:
            assert transferred(server.port, "example.com", KEY) is not None
            (tmp_path / "_keys").write_text("; none\n")
            server.hang_up()
            eventually(lambda: transferred(server.port, "example.com", KEY) is None)
        assert SECRET not in str(server.events)

    def test_over_tls(self, tmp_path: Path) -> None:
        (tmp_path / "zones").mkdir()
        write_zone(tmp_path / "zones", hosts=3000)
        files = self_signed(tmp_path)
        tls = (f"--tls-cert={files.chain}", f"--tls-key={files.key}", f"--tls-listen={current().listen}")
        with serve(f"--zones={tmp_path}/zones", "--axfr=all", *tls) as server:
            port = server.port_for("TLS")
            found = records(ask("kdig", server.address, port, "+tls", "example.com", "AXFR"))
            assert len(found) == 3008
            server.wait_for("zone transferred", tls=True)


def stream(server: Server) -> socket.socket:
    return socket.create_connection((server.address, server.port), timeout=60)


def framed(message: dns.message.Message) -> bytes:
    wire = message.to_wire()
    return struct.pack("!H", len(wire)) + wire


def read(channel: socket.socket) -> bytes:
    with channel.makefile("rb", buffering=0) as source:
        size = int.from_bytes(_exactly(source.read, 2), "big")
        return _exactly(source.read, size)


def _exactly(read_some: object, size: int) -> bytes:
    assert callable(read_some)
    parts = b""
    while len(parts) < size:
        part = read_some(size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return parts


AXFR = dns.message.make_query("example.com.", dns.rdatatype.AXFR)


def test_messages_are_full_and_compressed(tmp_path: Path) -> None:
    write_zone(tmp_path, hosts=5000)
    with serve(f"--zones={tmp_path}", "--axfr=all") as server, stream(server) as channel:
        channel.sendall(framed(AXFR))
        sizes = []
        soas = 0
        while soas < 2:
            wire = read(channel)
            sizes.append(len(wire))
            soas += sum(len(rrset) for rrset in dns.message.from_wire(wire).answer if rrset.rdtype == dns.rdatatype.SOA)
        assert min(sizes[:-1]) > 15_000
        assert sum(sizes) < 5010 * 26  # owner of 4 to 8 octets and a pointer, 10 octets, an address


def test_a_transfer_finishes_with_the_version_it_began_with(tmp_path: Path) -> None:
    write_zone(tmp_path, texts=LONG)
    with serve(f"--zones={tmp_path}", "--axfr=all", "--poll=1d", "--tcp-idle=3m") as server, stream(server) as channel:
        channel.sendall(framed(AXFR))
        first = dns.message.from_wire(read(channel))
        assert first.answer[0][0].serial == 1
        change(server, tmp_path, 2, "192.0.2.81", LONG)
        count = sum(len(rrset) for rrset in first.answer)
        while True:
            message = dns.message.from_wire(read(channel))
            count += sum(len(rrset) for rrset in message.answer)
            last = message.answer[-1]
            if last.rdtype == dns.rdatatype.SOA:
                assert last[0].serial == 1
                break
        assert count == LONG + 8


def test_transfers_that_nobody_reads_are_cut_off_and_others_are_served(tmp_path: Path) -> None:
    write_zone(tmp_path, texts=LONG)
    with serve(f"--zones={tmp_path}", "--axfr=all", "--tcp-idle=5s", *current().http) as server:
        channels = [stream(server) for _ in range(12)]
        for channel in channels:
            channel.sendall(framed(AXFR))
        question = dns.message.make_query("www.example.com.", "A")
        for _ in range(20):
            assert dns.query.udp(question, server.address, port=server.port, timeout=60).answer
        source = (current().here_too, 0)
        with socket.create_connection((server.address, server.port), timeout=60, source_address=source) as other:
            other.sendall(framed(AXFR))
            assert drained(other, LONG * 250) >= LONG * 250
        eventually(lambda: samples(server)["stream_closed_total", labels(reason="idle")] >= len(channels))
        assert samples(server)["transfers_running", labels()] == 0
        # Each was closed while most of the zone had not left; what the kernels hold can still be read.
        for channel in channels:
            with channel:
                assert drained(channel, LONG * 250) < LONG * 250


def drained(channel: socket.socket, enough: int) -> int:
    """Octets that come until there are `enough`, or no more."""
    received = 0
    with contextlib.suppress(ConnectionResetError):
        while received < enough and (part := channel.recv(1 << 20)):
            received += len(part)
    return received


def test_queries_overtake_a_transfer(tmp_path: Path) -> None:
    write_zone(tmp_path, hosts=5000)
    with serve(f"--zones={tmp_path}", "--axfr=all") as server, stream(server) as channel:
        question = dns.message.make_query("www.example.com.", "A")
        channel.sendall(framed(AXFR) + framed(question))
        before = 0
        while int.from_bytes(read(channel)[:2], "big") != question.id:
            before += 1
        assert before < 5


@pytest.mark.parametrize(
    ("qname", "rcode"), [("www.example.com.", dns.rcode.NOTAUTH), ("elsewhere.test.", dns.rcode.NOTAUTH)]
)
def test_only_whole_zones_are_transferred(qname: str, rcode: int, tmp_path: Path) -> None:
    write_zone(tmp_path)
    with serve(f"--zones={tmp_path}", "--axfr=all") as server:
        query = dns.message.make_query(qname, dns.rdatatype.AXFR)
        assert dns.query.tcp(query, server.address, port=server.port, timeout=60).rcode() == rcode


def test_a_signed_zone_is_transferred_with_all_that_a_signer_made(tmp_path: Path) -> None:
    (tmp_path / "zones").mkdir()
    write_zone(tmp_path)
    signed = dnspython(tmp_path / "example.com", "example.com.", tmp_path)
    (tmp_path / "zones" / "example.com").write_bytes(signed.read_bytes())
    with serve(f"--zones={tmp_path}/zones", "--axfr=all") as server:
        zone = dns.zone.from_file(str(signed), "example.com.", relativize=False)
        assert transferred(server.port, "example.com") == zone
        assert any(zone.find_rdataset(name, "NSEC") for name in zone.nodes)


def test_axfr_over_udp_is_refused(tmp_path: Path) -> None:
    write_zone(tmp_path)
    with serve(f"--zones={tmp_path}", "--axfr=all") as server:
        reply = dns.query.udp(AXFR, server.address, port=server.port, timeout=60)
        assert (reply.rcode(), reply.answer) == (dns.rcode.REFUSED, [])


def test_an_ixfr_without_a_version_is_formerr(tmp_path: Path) -> None:
    write_zone(tmp_path)
    with serve(f"--zones={tmp_path}", "--axfr=all") as server:
        query = dns.message.make_query("example.com.", dns.rdatatype.IXFR)
        for ask_server in (dns.query.tcp, dns.query.udp):
            reply = ask_server(query, server.address, port=server.port, timeout=60)
            assert reply.rcode() == dns.rcode.FORMERR


def test_expire_and_version_are_told_to_who_asks(tmp_path: Path) -> None:
    current().need_process("its folder is a repository, whose versions are commits")
    write_zone(tmp_path, serial=7)
    options: list[dns.edns.Option] = [dns.edns.GenericOption(dns.edns.OptionType.make(code), b"") for code in (9, 19)]
    with serve(f"--zones={tmp_path}") as server:
        for transport in (dns.query.udp, dns.query.tcp):
            query = dns.message.make_query("example.com.", "SOA", use_edns=0, options=options)
            reply = transport(query, server.address, port=server.port, timeout=60)
            told = {int(option.otype): option.to_wire() for option in reply.options}
            assert told == {9: (86400).to_bytes(4, "big"), 19: b"\x02\x00" + (7).to_bytes(4, "big")}
            query = dns.message.make_query("www.example.com.", "A", use_edns=0, options=options)
            reply = transport(query, server.address, port=server.port, timeout=60)
            assert [int(option.otype) for option in reply.options] == [19]


def test_what_happened_is_counted(tmp_path: Path) -> None:
    write_zone(tmp_path)
    write_key(tmp_path)
    with serve(f"--zones={tmp_path}", *current().http) as server:
        assert transferred(server.port, "example.com", KEY) is not None
        assert transferred(server.port, "example.com") is None
        query = dns.message.make_query("www.example.com.", "A")
        query.use_tsig(dns.tsig.Key("unknown.", SECRET, "hmac-sha256"))
        with pytest.raises(dns.tsig.PeerBadKey):
            dns.query.udp(query, server.address, port=server.port, timeout=60)
        port = server.port_for("HTTP")
        with urllib.request.urlopen(f"http://{server.address}:{port}/metrics", timeout=60) as response:
            metrics = response.read().decode()
        for line in (
            'unizone_transfers_total{kind="AXFR"} 1',
            'unizone_not_permitted_total{operation="transfer"} 1',
            'unizone_tsig_failures_total{reason="BADKEY"} 1',
            "unizone_transfers_running 0",
        ):
            assert line in metrics


def test_signed_queries_are_answered_signed(tmp_path: Path) -> None:
    write_zone(tmp_path)
    write_key(tmp_path)
    with serve(f"--zones={tmp_path}") as server:
        for transport in (dns.query.udp, dns.query.tcp):
            query = dns.message.make_query("www.example.com.", "A")
            query.use_tsig(dns.tsig.Key(KEY, SECRET, "hmac-sha256"))
            reply = transport(query, server.address, port=server.port, timeout=60)
            assert reply.had_tsig
            assert reply.answer[0][0].address == "192.0.2.80"
