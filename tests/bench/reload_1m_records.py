"""Reload of a zone of 1,000,000 records while it is asked.

It comes from a folder, and from a git server on the same machine. The server has one core; who asks it, and the git
server, which packs a file of 26 MB, have the other. Waits are by the clock of who asks, who goes before the git server:
its own waits for the core would count as the server's.
"""

import asyncio
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

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
from tests.support.git import daemon, git
from tests.support.server import serve
from zones.folder import FolderSource
from zones.loader import Options
from zones.sync import Sync

TIMES = 30
RELOADS = 3
QUIET_S = 3
GOAL_MS = 5.0


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures."""
    times = 1 if quick else TIMES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "zones")
        folder.mkdir()
        file = folder / ORIGIN.rstrip(".")

        def write(serial: int) -> None:
            write_zone(file, serial, times)

        write(1)
        yield from _waits_of_queries("", f"--zones={folder}", write, is_first=True)
        yield from _holds_of_the_loop(file, times)
        bare = Path(name, "zones.git")
        git(Path(name), "init", "--quiet", "--bare", "--initial-branch=main", str(bare))

        def commit(serial: int) -> None:
            commit_files(bare, {file.name: zone_text(times, serial).encode()})

        commit(1)
        with daemon(Path(name)) as base:
            yield from _waits_of_queries(" from git", f"--remote={base}/{bare.name}", commit, is_first=False)


def write_zone(file: Path, serial: int, times: int) -> None:
    """A zone in which a third of the records changes with the serial."""
    partial = file.with_name(f".{file.name}")
    partial.write_text(zone_text(times, serial))
    partial.rename(file)


class Asker:
    """Asks one question after the other, and keeps the longest wait."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(5)
        self._queries = queries(negative=0.1, do=False)
        self._running = True
        self.longest_s = 0.0
        self.count = 0
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self) -> None:
        while self._running:
            started = time.perf_counter()
            self._socket.send(self._queries[self.count % len(self._queries)])
            self._socket.recv(4096)
            self.longest_s = max(self.longest_s, time.perf_counter() - started)
            self.count += 1
            time.sleep(0.0005)

    def stop(self) -> None:
        """No more questions."""
        self._running = False
        self._thread.join()
        self._socket.close()


def _measure(port: int, work: Callable[[], None]) -> tuple[float, int]:
    asker = Asker(port)
    try:
        work()
    finally:
        asker.stop()
    return asker.longest_s * 1000, asker.count


def _waits_of_queries(label: str, source: str, write: Callable[[int], None], *, is_first: bool) -> Iterator[Figure]:
    """Seen from outside. What a machine that has other work adds shows in a quiet time, which is measured first."""
    with serve(source, "--poll=1d", patience_s=600) as server, pinned([server.process.pid]):
        if is_first:
            longest, count = _measure(server.port, lambda: time.sleep(QUIET_S))
            yield Figure("longest wait of a query, no reload", longest, "ms", note=f"{count:,} queries")
        waits, asked, used = [], 0, 0.0
        for serial in range(2, 2 + RELOADS):
            write(serial)
            before = server.cpu_s()

            def reload() -> None:
                seen = len(server.events)
                server.hang_up()
                server.wait_for("loaded", seen)

            longest, count = _measure(server.port, reload)
            used += server.cpu_s() - before
            waits.append(longest)
            asked += count
        note = f"median of {RELOADS} reloads, {asked:,} queries, none lost; all of them: "
        note += ", ".join(f"{wait:.1f}" for wait in waits)
        yield Figure(f"longest wait of a query, reload{label}", statistics.median(waits), "ms", GOAL_MS, note=note)
        yield Figure(f"CPU of a reload{label}", used / RELOADS, "s")


class _MeteredLoop(asyncio.SelectorEventLoop):
    """Notes the most CPU time that one turn of the loop took: what other programs do is not in it."""

    longest_s = 0.0

    def _run_once(self) -> None:
        started = time.thread_time()
        super()._run_once()  # type: ignore[misc]  # typeshed leaves private methods out
        self.longest_s = max(self.longest_s, time.thread_time() - started)


def _holds_of_the_loop(file: Path, times: int) -> Iterator[Figure]:
    map_large_buffers()  # as `unizone serve` does
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
