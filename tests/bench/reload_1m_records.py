"""Reload of a zone of 1,000,000 records while it is asked.

It comes from a folder, and from a git server on the same machine. The server has one core; who asks it, and the git
server, which packs a file of 26 MB, have the other. Waits are by the clock of who asks, a process that goes before all
others as far as it may. What either waits for its core, as others have it, is part of a wait and told beside it. What
the machine itself adds is seen where nothing is reloaded, and in NSD and Knot, which do the same in the same way.
"""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from io import FileIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import dns.message

from dns_platform.unix.memory import map_large_buffers
from dns_server.answer.chaos import Identity
from dns_server.listeners.streams import StreamLimits
from dns_server.logs.console import Console
from dns_server.logs.pipeline import configure
from dns_server.parameters.logs import Level, LogFormat
from dns_server.service import Plan, Service
from tests.bench.harness.figure import Figure
from tests.bench.harness.machine import pinned
from tests.bench.harness.questions import ORIGIN, queries, zone_text
from tests.bench.start_100000_zones import commit_files
from tests.support.debian import Unavailable
from tests.support.git import daemon, git
from tests.support.server import serve
from tests.support.servers import running
from zones.folder import FolderSource
from zones.loader import Options
from zones.sync import Sync

TIMES = 30
RELOADS = 5
QUIET_S = 3
GOAL_MS = 5.0
_WAIT = "longest wait of a query, reload"


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures."""
    map_large_buffers()  # as `unizone serve` does, first of all: what was freed before would be used again for them
    times = 1 if quick else TIMES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "zones")
        folder.mkdir()
        file = folder / ORIGIN.rstrip(".")

        def write(serial: int) -> None:
            write_zone(file, serial, times)

        write(1)
        yield from _waits_of_queries("", f"--zones={folder}", write, is_first=True)
        bare = Path(name, "zones.git")
        git(Path(name), "init", "--quiet", "--bare", "--initial-branch=main", str(bare))

        def commit(serial: int) -> None:
            commit_files(bare, {file.name: zone_text(times, serial).encode()})

        commit(1)
        with daemon(Path(name)) as base:
            yield from _waits_of_queries(" from git", f"--remote={base}/{bare.name}", commit, is_first=False)

        for rival in ("NSD", "Knot"):
            with contextlib.suppress(Unavailable):
                yield from _waits_of_rival(rival, Path(name, rival), file, write)
        yield from _holds_of_the_loop(file, times)


def write_zone(file: Path, serial: int, times: int) -> None:
    """A zone in which a third of the records changes with the serial."""
    partial = file.with_name(f".{file.name}")
    partial.write_text(zone_text(times, serial))
    partial.rename(file)


class Waits(NamedTuple):
    """What one who asked saw."""

    asked: int
    longest_ms: float
    core_ms: float
    """Of the longest wait, time for which the server or who asks waited for a core that others had."""


def _measure(port: int, server: int, work: Callable[[], None]) -> Waits:
    """Have a process of its own ask the process `server` at its `port` during `work`. EOFError where a query is lost.

    A thread would wait for this process, too: for its lock, and while it starts the git server. A fork of this process
    would wait for the copies of its pages.
    """
    context = multiprocessing.get_context("spawn")
    end, other_end = context.Pipe()
    process = context.Process(target=_ask, args=(port, server, end))
    process.start()
    end.close()
    other_end.recv()
    try:
        work()
    finally:
        other_end.send(None)
    with other_end:
        found: Waits = other_end.recv()
    process.join()
    return found


def _ask(port: int, server: int, stop: Connection) -> None:
    """Ask one question after the other, until something comes from `stop`; what was seen goes there."""
    asked = queries(negative=0.1, do=False)
    longest_s = core_s = 0.0
    count = 0
    with contextlib.suppress(PermissionError):  # for root
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        schedulings = [
            stack.enter_context(Path(f"/proc/{pid}/schedstat").open("rb", buffering=0)) for pid in (server, os.getpid())
        ]
        client.connect(("127.0.0.1", port))
        client.settimeout(5)
        stop.send(None)
        while not stop.poll():
            before = _waited_s(schedulings)
            started = time.perf_counter()
            client.send(asked[count % len(asked)])
            client.recv(4096)
            wait_s = time.perf_counter() - started
            if wait_s > longest_s:
                longest_s, core_s = wait_s, _waited_s(schedulings) - before
            count += 1
            time.sleep(0.0005)
    stop.send(Waits(count, longest_s * 1000, core_s * 1000))


def _waited_s(schedulings: list[FileIO]) -> float:
    """For how long processes have waited for a core, of which these are the files that tell it."""
    total = 0
    for scheduling in schedulings:
        scheduling.seek(0)
        total += int(scheduling.read(100).split()[1])
    return total * 1e-9


def _waits_of_queries(label: str, source: str, write: Callable[[int], None], *, is_first: bool) -> Iterator[Figure]:
    """Seen from outside. What a machine that has other work adds shows in a quiet time, which is measured first."""
    with serve(source, "--poll=1d", patience_s=600) as server, pinned([server.process.pid]):
        if is_first:
            quiet = _measure(server.port, server.process.pid, lambda: time.sleep(QUIET_S))
            yield Figure("longest wait of a query, no reload", quiet.longest_ms, "ms", note=f"{quiet.asked:,} queries")
        waits, used = [], 0.0
        for serial in range(2, 2 + RELOADS):
            write(serial)
            before = server.cpu_s()

            def reload() -> None:
                seen = len(server.events)
                server.hang_up()
                server.wait_for("loaded", seen)

            waits.append(_measure(server.port, server.process.pid, reload))
            used += server.cpu_s() - before
        each = ", ".join(f"{found.longest_ms:.1f} ({found.core_ms:.1f})" for found in waits)
        note = f"{sum(found.asked for found in waits):,} queries, none lost; median of {each}; time without a core"
        longest = statistics.median(found.longest_ms for found in waits)
        if is_first:
            yield Figure("unizone", longest, "ms", panel=_WAIT)
        yield Figure(f"longest wait of a query, reload{label}", longest, "ms", GOAL_MS, note=f"{note} in parentheses")
        yield Figure(f"CPU of a reload{label}", used / RELOADS, "s")


def _waits_of_rival(name: str, folder: Path, file: Path, write: Callable[[int], None]) -> Iterator[Figure]:
    """Seen from outside, of a server that reads the file again on SIGHUP, on one core as ours has it."""
    folder.mkdir()
    question = dns.message.make_query(ORIGIN, "SOA").to_wire()
    with running(name, folder, {ORIGIN: file}) as server, pinned([server.pid]):

        def serial() -> int:
            reply = server.ask(question)
            assert reply is not None, f"{name} does not answer while it reloads"
            return int(dns.message.from_wire(reply).answer[0][0].serial)

        waits = []
        for number in range(20, 20 + RELOADS):
            write(number)

            def reload(expected: int = number) -> None:
                os.kill(server.pid, signal.SIGHUP)
                while serial() != expected:
                    time.sleep(0.05)

            waits.append(_measure(server.address[1], server.pid, reload).longest_ms)
    each = ", ".join(f"{wait:.1f}" for wait in waits)
    yield Figure(name, statistics.median(waits), "ms", panel=_WAIT, note=f"median of {each}")


class _MeteredLoop(asyncio.SelectorEventLoop):
    """Notes the most CPU time that one turn of the loop took: what other programs do is not in it."""

    longest_s = 0.0

    def _run_once(self) -> None:
        started = time.thread_time()
        super()._run_once()  # type: ignore[misc]  # typeshed leaves private methods out
        self.longest_s = max(self.longest_s, time.thread_time() - started)


def _holds_of_the_loop(file: Path, times: int) -> Iterator[Figure]:
    loop = _MeteredLoop()
    configure(Level.WARNING, [Console(sys.stderr, LogFormat.TEXT)])

    async def scenario() -> list[float]:
        service = Service(Plan((), frozenset(), StreamLimits(1, 1, 1.0), Identity()), lambda _: None)
        source = FolderSource(file.parent)
        sync = Sync(source, service.apply, options=Options(), poll_s=86400)
        service.collector.start()
        holds = []
        task = asyncio.create_task(sync.run())
        for serial in range(10, 10 + RELOADS + 1):
            write_zone(file, serial, times)
            await asyncio.sleep(0)  # the writing itself is in the turn before
            loop.longest_s = 0.0
            await sync.trigger()
            await asyncio.sleep(0)
            holds.append(loop.longest_s * 1000)
        task.cancel()
        service.collector.stop()
        return holds

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        first, *later = runner.run(scenario())
    yield Figure(
        "longest turn of the loop, reload", max(later), "ms of CPU", GOAL_MS, note=f"first load {first:.1f} ms"
    )
