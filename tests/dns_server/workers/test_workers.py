"""Several processes that answer over UDP: the real program, asked, changed, killed and ended."""

import os
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.opcode
import dns.query
import dns.rcode
import pytest

from dns_server.cli import main
from dns_server.workers.pool import MANY_RECORDS
from tests.support.server import Server, eventually, serve

WORKERS = 3
ZONE = "$TTL 60\n@ SOA ns1 h {serial} 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.{serial}\n"


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    folder = tmp_path / "zones"
    folder.mkdir()
    write(folder, 1)
    return folder


@pytest.fixture
def server(zones: Path) -> Iterator[Server]:
    with serve(f"--zones={zones}", "--poll=1d", f"--workers={WORKERS}", "--http=127.0.0.1:0") as server:
        yield server


def write(folder: Path, serial: int, extra: str = "") -> None:
    partial = folder / ".partial"
    partial.write_text(ZONE.format(serial=serial) + extra)
    partial.rename(folder / "example.com")


def change(server: Server, folder: Path, serial: int, extra: str = "") -> None:
    write(folder, serial, extra)
    server.hang_up()
    server.wait_for("zone updated", serial=serial)


def workers(server: Server) -> set[int]:
    pid = server.process.pid
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def address(reply: bytes) -> str:
    return str(dns.message.from_wire(reply).answer[0][0])


def ask(server: Server, query: dns.message.Message) -> bytes:
    """Asked from a port of its own, so that any of the workers may get it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", server.port))
        client.settimeout(30)
        client.send(query.to_wire())
        return client.recv(4096)


def answers(server: Server, count: int = 12 * WORKERS) -> set[str]:
    return {address(ask(server, dns.message.make_query("www.example.com", "A"))) for _ in range(count)}


def metric(server: Server, name: str) -> float:
    port = server.ports_for("HTTP")["127.0.0.1"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as response:
        lines = response.read().decode().splitlines()
    return sum(
        float(line.rpartition(" ")[2]) for line in lines if line.split("{")[0].split(" ")[0] == f"unizone_{name}"
    )


class Asker:
    """Asks all the time, each time from another port; every question must be answered."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stopping = False
        self.seen: list[str] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        query = dns.message.make_query("www.example.com", "A")
        while not self._stopping:
            self.seen.append(address(ask(self._server, query)))

    def stop(self) -> None:
        self._stopping = True
        self._thread.join()


def test_each_worker_is_a_process_with_its_own_sockets(server: Server) -> None:
    assert len(workers(server)) == WORKERS
    assert answers(server) == {"192.0.2.1"}
    reading = set()
    for pid in workers(server):
        links = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()]
        own = [link for link in links if link.startswith("socket:")]
        assert len(own) == 5, links  # two of one address, the one to the main process, and two of its own loop
        reading |= set(own)
    assert len(reading) == 5 * WORKERS
    assert metric(server, "workers") == WORKERS


def test_a_change_reaches_all_workers_before_it_is_reported(server: Server, zones: Path) -> None:
    before = workers(server)
    for serial in range(2, 6):
        change(server, zones, serial)
        assert answers(server) == {f"192.0.2.{serial}"}
    assert workers(server) == before


def test_zones_that_come_and_go_do_so_in_all_workers(server: Server, zones: Path) -> None:
    query = dns.message.make_query("www.example.org", "A")

    def rcodes() -> set[dns.rcode.Rcode]:
        return {dns.message.from_wire(ask(server, query)).rcode() for _ in range(4 * WORKERS)}

    for name in ("example.net", "example.org"):
        (zones / name).write_text(ZONE.format(serial=1))
    server.hang_up()
    server.wait_for("zones in service", zones=3)
    assert rcodes() == {dns.rcode.NOERROR}
    (zones / "example.org").unlink()
    server.hang_up()
    server.wait_for("zones in service", zones=2)
    assert rcodes() == {dns.rcode.REFUSED}


def test_a_large_change_renews_the_workers_and_loses_no_query(server: Server, zones: Path) -> None:
    before = workers(server)
    asker = Asker(server)
    try:
        change(server, zones, 2, "".join(f"host-{number} A 192.0.2.1\n" for number in range(MANY_RECORDS)))
        eventually(lambda: len(workers(server)) == WORKERS)
    finally:
        asker.stop()
    assert not before & workers(server)
    assert asker.seen.index("192.0.2.2") > 0
    assert "192.0.2.1" not in asker.seen[asker.seen.index("192.0.2.2") + 1 :] or len(set(asker.seen)) == 2
    assert answers(server) == {"192.0.2.2"}
    assert metric(server, "workers_renewed_total") >= WORKERS
    assert metric(server, "workers_lost_total") == 0


def test_a_worker_that_dies_is_told_counted_and_replaced_with_what_is_served_now(server: Server, zones: Path) -> None:
    change(server, zones, 2)
    victim = min(workers(server))
    os.kill(victim, signal.SIGSEGV)
    lost = server.wait_for("a worker ended, another takes its place")
    assert (lost["pid"], lost["killed_by"]) == (victim, "SIGSEGV")
    eventually(lambda: len(workers(server)) == WORKERS and victim not in workers(server))
    assert answers(server) == {"192.0.2.2"}
    assert metric(server, "workers_lost_total") == 1
    change(server, zones, 3)
    assert answers(server) == {"192.0.2.3"}


def test_what_waits_in_the_socket_of_a_dead_worker_is_answered_by_the_next(server: Server) -> None:
    for pid in workers(server):
        os.kill(pid, signal.SIGKILL)
    assert answers(server) == {"192.0.2.1"}


def test_a_worker_that_stands_still_holds_up_nobody_else(server: Server, zones: Path) -> None:
    stopped = min(workers(server))
    os.kill(stopped, signal.SIGSTOP)
    try:
        query = dns.message.make_query("www.example.com", "A")
        assert dns.query.tcp(query, "127.0.0.1", port=server.port, timeout=30).answer
        os.kill(stopped, signal.SIGKILL)
        change(server, zones, 2)
        eventually(lambda: len(workers(server)) == WORKERS and stopped not in workers(server))
        assert answers(server) == {"192.0.2.2"}
    finally:
        if stopped in workers(server):
            os.kill(stopped, signal.SIGCONT)


def test_no_worker_outlives_the_main_process(zones: Path) -> None:
    server = Server(["serve", "--log-format=json", "--listen=127.0.0.1:0", f"--zones={zones}", f"--workers={WORKERS}"])
    server.wait_for("ready")
    left = workers(server)
    server.process.kill()
    server.process.wait()
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))


def test_connections_live_through_changes_and_get_what_is_served_now(server: Server, zones: Path) -> None:
    query = dns.message.make_query("www.example.com", "A")
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        for serial in (1, 2, 3):
            if serial > 1:
                many = MANY_RECORDS if serial == 3 else 0
                change(server, zones, serial, "".join(f"host-{number} A 192.0.2.1\n" for number in range(many)))
            dns.query.send_tcp(connection, query)
            assert str(dns.query.receive_tcp(connection)[0].answer[0][0]) == f"192.0.2.{serial}"


def test_requests_that_are_not_for_workers_are_passed_on(server: Server) -> None:
    notify = dns.message.make_query("example.com", "SOA")
    notify.flags = 0
    notify.set_opcode(dns.opcode.NOTIFY)
    replies = {ask(server, notify)[2:4] for _ in range(4 * WORKERS)}
    over_tcp = dns.query.tcp(notify, "127.0.0.1", port=server.port, timeout=30).to_wire()
    assert replies == {over_tcp[2:4]}


def test_counts_of_all_workers_are_added_up(server: Server) -> None:
    answers(server, 50)
    eventually(lambda: metric(server, "udp_received_total") == 50)
    eventually(lambda: metric(server, "queries_total") == 50)
    os.kill(min(workers(server)), signal.SIGKILL)
    server.wait_for("a worker ended, another takes its place")
    answers(server, 50)
    eventually(lambda: metric(server, "udp_sent_total") == 100)


def test_rates_are_limited_over_all_workers_together(zones: Path) -> None:
    rate = ["--rate-limit=5", "--rate-limit-slip=0", "--rate-limit-exempt=192.0.2.0/24"]
    with serve(f"--zones={zones}", f"--workers={WORKERS}", *rate) as server:
        query = dns.message.make_query("www.example.com", "A").to_wire()
        clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(200)]
        try:
            started = time.monotonic()
            for client in clients:
                client.connect(("127.0.0.1", server.port))
                client.send(query)
            server.wait_for("answers over the rate limit were dropped or truncated")
            eventually(lambda: sum(_has_answer(client) for client in clients) >= 5)
            bound = 5 * (2 + time.monotonic() - started)
            assert sum(_has_answer(client) for client in clients) <= bound
        finally:
            for client in clients:
                client.close()


def _has_answer(client: socket.socket) -> bool:
    try:
        return bool(client.recv(4096, socket.MSG_DONTWAIT | socket.MSG_PEEK))
    except BlockingIOError:
        return False


def test_the_status_told_by_the_dns_is_that_of_the_service(zones: Path) -> None:
    with serve(f"--zones={zones}", "--poll=1d", f"--workers={WORKERS}", "--dns-status=on") as server:
        query = dns.message.make_query("status.server", "TXT", "CH")
        (zones / "example.net").write_text(ZONE.format(serial=1))
        server.hang_up()
        server.wait_for("zones in service", zones=2)

        def told() -> set[bool]:
            return {b"zones 2" in ask(server, query) for _ in range(2 * WORKERS)}

        eventually(lambda: told() == {True})


def test_they_end_with_the_service(zones: Path) -> None:
    with serve(f"--zones={zones}", f"--workers={WORKERS}") as server:
        left = workers(server)
    assert not any(Path(f"/proc/{pid}").exists() for pid in left)


def test_a_port_that_workers_share_is_not_shared_with_another_server(server: Server, zones: Path) -> None:
    line = ["serve", "--log-format=json", f"--listen=127.0.0.1:{server.port}", f"--zones={zones}", "--workers=2"]
    other = Server(line)
    assert "another program has it" in other.wait_for("stopped")["reason"]
    assert other.process.wait(60) == 69


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (["--workers=0"], "a whole number from 1 to 256"),
        (["--workers=many"], "a whole number from 1 to 256"),
        (["--workers=2", "--net=direct", "--interface=eth0"], "--net=direct has none"),
    ],
)
def test_workers_that_cannot_be_are_a_bad_parameter(
    given: list[str], problem: str, zones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", f"--zones={zones}", *given]) == 64
    said = capsys.readouterr().err
    assert "--workers" in said
    assert problem in said
