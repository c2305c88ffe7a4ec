"""The program end to end: the real command as a subprocess, asked by dig and kdig."""

import contextlib
import re
import socket
import subprocess
import sys
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from dns_server.cli import main
from tests.support.dig import Client, ask, short
from tests.support.network import HOST, Network, needs_ipv6
from tests.support.server import Server, eventually, serve
from tests.support.servers import free_port

ZONE = """\
$TTL 300
@ SOA ns1 hostmaster {serial} 3600 600 86400 300
@ NS ns1
ns1 A 192.0.2.1
www A {address}
big TXT {text}
"""


def write_zone(folder: Path, name: str = "example.com", serial: int = 1, address: str = "192.0.2.80") -> None:
    text = " ".join(f'"{"x" * 250}"' for _ in range(20))
    (folder / name).write_text(ZONE.format(serial=serial, address=address, text=text))


@needs_ipv6
@pytest.mark.parametrize("client", ["dig", "kdig"])
def test_answers_over_both_transports_and_both_families(client: Client, network: Network, tmp_path: Path) -> None:
    write_zone(tmp_path)
    with serve(f"--zones={tmp_path}", listen=(network.listen, f"[{network.server_6}]:0")) as server:
        assert server.wait_for("ready")["records"] == 5
        for address, port in server.ports.items():
            for transport in ("+notcp", "+tcp"):
                printed = ask(client, address, port, transport, "www.example.com", "A")
                assert "192.0.2.80" in printed
                assert "status: NOERROR" in printed
                assert re.search("flags: qr aa", printed, re.IGNORECASE)


@pytest.mark.usefixtures("network")
def test_truncated_answer_is_fetched_over_tcp(tmp_path: Path) -> None:
    write_zone(tmp_path)
    with serve(f"--zones={tmp_path}") as server:
        printed = ask("dig", server.address, server.port, "big.example.com", "TXT")
        assert "Truncated, retrying in TCP mode" in printed
        assert printed.count("x" * 250) == 20


@pytest.mark.usefixtures("network")
def test_pipelined_queries_of_kdig_are_answered(tmp_path: Path) -> None:
    write_zone(tmp_path)
    with serve(f"--zones={tmp_path}") as server:
        questions = ["www.example.com", "A", "ns1.example.com", "A", "example.com", "SOA"]
        printed = ask("kdig", server.address, server.port, "+tcp", "+keepopen", *questions)
        assert printed.count("status: NOERROR") == 3


@pytest.mark.parametrize("wildcard", ["0.0.0.0:0", pytest.param("[::]:0", marks=needs_ipv6)])
def test_answer_leaves_from_the_address_that_was_asked(wildcard: str, network: Network, tmp_path: Path) -> None:
    write_zone(tmp_path)
    asked = [network.server_6 if "::" in wildcard else network.server]
    if network is HOST and "::" not in wildcard:
        asked.append("127.0.0.53")
    with serve(f"--zones={tmp_path}", listen=(wildcard,)) as server:
        (port,) = server.ports.values()
        # dig takes an answer from no other address than the one it asked; 127.0.0.1 is what the kernel would choose.
        for address in asked:
            assert short(address, port, "www.example.com", "A") == ["192.0.2.80"]


@pytest.mark.parametrize("workers", [1, 2])
def test_who_asks_while_zones_of_this_machine_are_loaded_is_not_refused(
    workers: int, network: Network, tmp_path: Path
) -> None:
    network.need_process("its zones are elsewhere, and it refuses until it has them")
    if workers > 1 and network is not HOST:
        pytest.skip("workers are for sockets of the host")
    write_zone(tmp_path)
    hosts = "$GENERATE 1-50000 h$ A 192.0.2.2\n"  # it takes a moment
    (tmp_path / "example.org").write_text(ZONE.format(serial=1, address="192.0.2.1", text="x") + hosts)
    query, port = dns.message.make_query("www.example.com", "A").to_wire(), free_port()
    parameters = f"--zones={tmp_path}", f"--workers={workers}"
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker,
        serve(*parameters, listen=(f"{network.server}:{port}",), until="starting") as server,
    ):
        asker.connect((network.server, port))
        asker.settimeout(0.002)
        replies = 0
        while not server.has("ready") or not replies:
            with contextlib.suppress(ConnectionError, TimeoutError):  # it does not listen yet
                asker.send(query)
                assert dns.message.from_wire(asker.recv(512)).rcode() == dns.rcode.NOERROR
                replies += 1
        assert server.wait_for("zones in service")["records"] == 50_010


def test_a_signal_ends_it_while_it_loads_zones_of_this_machine(network: Network, tmp_path: Path) -> None:
    network.need_process("its zones are elsewhere, and it listens first")
    (tmp_path / "example.org").write_text(
        ZONE.format(serial=1, address="192.0.2.1", text="x") + "$GENERATE 1-200000 h$ A 192.0.2.2\n"  # a second or more
    )
    with serve(f"--zones={tmp_path}", until="fetched") as server:
        assert server.stop() == 0
        assert server.has("stopped")
        assert not server.has("listening")


@pytest.mark.usefixtures("network")
def test_hangup_reads_the_folder_again(tmp_path: Path) -> None:
    write_zone(tmp_path)
    with serve(f"--zones={tmp_path}", "--poll=1d") as server:
        write_zone(tmp_path, serial=2, address="192.0.2.81")
        server.hang_up()
        eventually(lambda: short(server.address, server.port, "www.example.com", "A") == ["192.0.2.81"])


@pytest.mark.usefixtures("network")
def test_change_in_the_folder_is_found_by_polling(tmp_path: Path) -> None:
    write_zone(tmp_path)
    with serve(f"--zones={tmp_path}", "--poll=200ms") as server:
        write_zone(tmp_path, serial=2, address="192.0.2.81")
        eventually(lambda: short(server.address, server.port, "www.example.com", "A") == ["192.0.2.81"])


@pytest.mark.usefixtures("network")
def test_broken_zone_is_reported_and_others_served(tmp_path: Path) -> None:
    write_zone(tmp_path)
    (tmp_path / "example.org").write_text("@ SOA ns1 hostmaster 1 3600 600 86400\n")
    with serve(f"--zones={tmp_path}", "--poll=200ms") as server:
        refused = server.wait_for("zone refused", zone="example.org.")
        assert refused["finding"].startswith("example.org:1:")
        assert short(server.address, server.port, "www.example.com", "A") == ["192.0.2.80"]
        write_zone(tmp_path, "example.org")
        eventually(lambda: short(server.address, server.port, "www.example.org", "A") == ["192.0.2.80"])
        server.wait_for("zone mended", zone="example.org.")


@pytest.mark.usefixtures("network")
def test_says_who_it_is_only_as_told(tmp_path: Path) -> None:
    write_zone(tmp_path)
    with serve(f"--zones={tmp_path}", "--name=ns1-fra", "--version-text=hello") as server:
        assert short(server.address, server.port, "id.server", "TXT", "CH") == ['"ns1-fra"']
        assert short(server.address, server.port, "version.bind", "TXT", "CH") == ['"hello"']
        assert "ns1-fra" in ask("dig", server.address, server.port, "+nsid", "www.example.com", "A")
    with serve(f"--zones={tmp_path}", "--version-text=") as server:
        for name in ("id.server", "version.bind"):
            assert "status: REFUSED" in ask("dig", server.address, server.port, name, "TXT", "CH")


def test_taken_port_is_told_with_a_remedy(tmp_path: Path) -> None:
    write_zone(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.9", 0))  # where no client of another test has the port over TCP
        port = taken.getsockname()[1]
        server = Server(["serve", "--log-format=json", f"--zones={tmp_path}", f"--listen=127.0.0.9:{port}"])
        assert server.process.wait(60) == 69
        event = server.wait_for("stopped")
        assert f"127.0.0.9:{port} over UDP" in event["reason"]
        assert "--listen" in event["reason"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["serve"], "give either --remote or --zones"),
        (["serve", "--zones=/nowhere"], "--zones=/nowhere: there is no such folder"),
        (["serve", "--zones=.", "--listen=127.0.0.9"], "--listen=127.0.0.9: the port is missing"),
        (["serve", "--zones=.", "--lisen=127.0.0.9:53"], "did you mean --listen?"),
    ],
)
def test_bad_parameter_stops_the_start(arguments: list[str], message: str) -> None:
    result = subprocess.run([sys.executable, "-m", "dns_server", *arguments], capture_output=True, text=True)
    assert result.returncode == 64
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_ask_prints_the_stages_and_the_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_zone(tmp_path)
    assert main(["ask", "www.example.com", "A", f"--zones={tmp_path}"]) == 0
    printed = capsys.readouterr().out
    assert ";; zone: example.com. serial 1" in printed
    assert "www.example.com. 300 IN A 192.0.2.80" in printed
    assert main(["ask", "nothing.example.com", "AAAA", f"--zones={tmp_path}"]) == 0
    assert "status: NXDOMAIN" in capsys.readouterr().out


def test_ask_shows_what_is_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "example.com").write_text("@ SOA\n")
    assert main(["ask", "www.example.com", "A", f"--zones={tmp_path}"]) == 1
    printed = capsys.readouterr()
    assert "example.com:1:" in printed.err


@pytest.mark.parametrize("operands", [["www..example.com", "A"], ["www.example.com", "NOTYPE"], ["www.example.com"]])
def test_bad_question_stops_with_64(operands: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", *operands, f"--zones={tmp_path}"]) == 64
    assert "unizone ask" in capsys.readouterr().err
