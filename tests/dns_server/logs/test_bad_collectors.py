"""Collectors that are frozen, hostile or somebody else: lines wait or are counted; the DNS does not notice."""

import asyncio
import contextlib
import signal
import ssl
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from structlog.typing import EventDict

from dns_server.logs.authenticator import Authenticator, Trust
from dns_server.logs.syslog import QUEUE, Collector, Syslog
from dns_server.parameters.logs import Framing, SyslogProtocol
from tests.dns_server.logs.test_syslog import authenticator_for, logging_to
from tests.support import hostile_collector, rsyslog, syslog_ng
from tests.support.certificates import Files
from tests.support.collected import Collected
from tests.support.dig import short
from tests.support.hostile_collector import MANNERS, closes_after_each_message, in_tls, stalls
from tests.support.network import current
from tests.support.server import Server, eventually
from tests.support.servers import free_port

pytestmark = pytest.mark.usefixtures("network")

Opened = AbstractContextManager[Collected]
COLLECTORS: dict[str, Callable[[Path, str, int, Files], Opened]] = {
    "rsyslog": rsyslog.collector,
    "syslog-ng": syslog_ng.collector,
}


def options(protocol: str, files: Files) -> list[str]:
    trust = [f"--tls-authenticator={authenticator_for('key-fp', files)}"] if protocol == "tls" else []
    return [f"--syslog-proto={protocol}", *trust, f"--http={current().listen}", f"--http-allow={current().here}"]


def trouble(server: Server, zones: Path) -> None:
    """A dozen lines, the last of which says how many zones more are broken."""
    for each in range(50):
        (zones / f"bad{each}.example").write_text("@ SOA\n")
    server.hang_up()
    server.wait_for("more zones refused")


def answers(server: Server) -> None:
    for transport in ("+notcp", "+tcp"):
        assert short(server.address, server.port, transport, "ns1.example.com", "A") == ["192.0.2.1"]


def metric(server: Server, name: str) -> float:
    port = server.ports_for("HTTP")[server.address]
    with urllib.request.urlopen(f"http://{server.address}:{port}/metrics", timeout=60) as response:
        lines = response.read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.split()[0] == f"unizone_{name}")


@pytest.mark.parametrize("protocol", ["tcp", "tls"])
@pytest.mark.parametrize("kind", COLLECTORS)
def test_a_collector_that_freezes_for_a_while_gets_all_lines(
    kind: str, protocol: str, zones: Path, tmp_path: Path, files: Files
) -> None:
    port = free_port()
    with (
        COLLECTORS[kind](tmp_path, protocol, port, files) as collected,
        logging_to(zones, port, *options(protocol, files)) as server,
    ):
        eventually(lambda: collected.has("ready"))
        collected.send_signal(signal.SIGSTOP)
        try:
            trouble(server, zones)
            answers(server)
        finally:
            collected.send_signal(signal.SIGCONT)
        eventually(lambda: collected.has("more zones refused"))
        assert metric(server, "syslog_dropped_total") == 0


@pytest.mark.parametrize("protocol", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("kind", COLLECTORS)
def test_a_collector_that_is_killed_and_comes_back_gets_lines_again(
    kind: str, protocol: str, zones: Path, tmp_path: Path, files: Files
) -> None:
    port = free_port()
    open_collector = COLLECTORS[kind]
    with contextlib.ExitStack() as stack:
        with open_collector(tmp_path, protocol, port, files) as collected:
            server = stack.enter_context(logging_to(zones, port, *options(protocol, files)))
            eventually(lambda: collected.has("ready"))
            collected.send_signal(signal.SIGKILL)
            collected.process.wait()
        trouble(server, zones)
        server.wait_for("the log collector can't be reached")
        answers(server)
        with open_collector(tmp_path, protocol, port, files) as collected:
            if protocol != "udp":  # what waited comes; over UDP it left for nobody
                eventually(lambda: collected.has("more zones refused"))
            known = len(collected.messages())

            def tells_more() -> bool:
                server.hang_up()  # which is logged
                return len(collected.messages()) > known

            eventually(tells_more)
            answers(server)


@pytest.mark.parametrize("is_tls", [False, True], ids=["tcp", "tls"])
@pytest.mark.parametrize("manner", MANNERS)
def test_hostile_collectors_cost_no_answers(manner: str, is_tls: bool, zones: Path, files: Files) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.chain, files.key)
    way = in_tls(MANNERS[manner], context) if is_tls else MANNERS[manner]
    with (
        hostile_collector.collector(way) as collector,
        logging_to(zones, collector.port, *options("tls" if is_tls else "tcp", files)) as server,
    ):
        eventually(lambda: collector.connections > 0)
        trouble(server, zones)
        answers(server)
        assert metric(server, "syslog_queued") <= QUEUE
        assert not [event for event in server.events if event["level"] == "critical"]
        assert server.stop() == 0


@pytest.mark.parametrize("manner", [stalls, hostile_collector.talks_without_end, hostile_collector.resets])
def test_who_does_not_speak_tls_gets_no_line(manner: hostile_collector.Manner, zones: Path, files: Files) -> None:
    with (
        hostile_collector.collector(manner) as collector,
        logging_to(zones, collector.port, *options("tls", files)) as server,
    ):
        server.wait_for("the log collector can't be reached")
        answers(server)
        assert metric(server, "syslog_sent_total") == 0


def test_what_finds_no_room_is_counted_and_told() -> None:
    rendered: list[EventDict] = []

    def render(event: EventDict) -> bytes:
        rendered.append(event)
        return b"line"

    def line(number: int) -> EventDict:
        return {"timestamp": "2026-01-05T03:04:05.678901Z", "level": "info", "event": f"line {number}"}

    async def scenario() -> None:
        with hostile_collector.collector(closes_after_each_message) as there:
            trust = Authenticator(Trust.SYSTEM)
            to = Collector(current().here, there.port, SyslogProtocol.TCP, Framing.NEWLINE, trust, None)
            syslog = Syslog(to, render)
            for number in range(QUEUE + 5):
                syslog(line(number))
            assert (syslog.queued, syslog.counters.lost, len(rendered)) == (QUEUE, 5, QUEUE)
            sending = asyncio.create_task(syslog.run())
            while syslog.queued >= QUEUE:  # noqa: ASYNC110  the queue tells nobody
                await asyncio.sleep(0.01)
            syslog(line(QUEUE + 5))
            assert rendered[-2]["event"].startswith("log lines were lost")
            assert rendered[-2]["lines"] == 5
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    asyncio.run(scenario())


def test_a_collector_that_closes_after_each_message_gets_them_in_pieces(zones: Path, files: Files) -> None:
    with (
        hostile_collector.collector(closes_after_each_message) as collector,
        logging_to(zones, collector.port, *options("tcp", files)) as server,
    ):
        eventually(lambda: collector.connections > 3)
        assert b" unizone " in collector.received
        answers(server)
