"""What is measured of images, and of Linux with NSD beside them; each function yields its figures as it has them."""

import gzip
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dns_build import image
from dns_build.features import DEFAULT, Features
from dns_build.targets import PLATFORM, TARGETS
from tests.bench.harness.figure import Figure, Relation
from tests.bench.harness.machine import cpu_seconds
from tests.bench_image.machines import LOAD, QUERY, Machine, is_answer, least_memory_mb, machine
from tests.bench_image.systems import DEBIAN, TINY, ZONES, System
from tests.support.servers import free_port

_MB: Final = 1e6
_SIZE_GOALS: Final = (
    (DEFAULT, "git:// and UDP syslog", 9.0),
    (Features(("git", "https"), "tls"), "with TLS and https", 13.0),
)
_MEMORY_MB: Final = 256
"""Of machines that are measured for time, so that none lacks any."""
_MORE_STARTS: Final = 2
"""In each round: what else goes on where a host is a machine itself makes one in three of them half as long again."""
_START_GOAL_S: Final = 1.5
_DEBIAN_START_S: Final = 3.3
"""What Debian's kernel with NSD takes on q35 on the host for which `_START_GOAL_S` was set: hosts differ by 2."""


def sizes(folder: Path) -> Iterator[Figure]:
    """Images of virtio and hvt as they are shipped, and lines of the shim in each."""
    for name in ("virtio", "hvt"):
        for features, what, goal in _SIZE_GOALS:
            built = image.Build(TARGETS[name], features=features, output=folder / f"{name}-{features.tls}").run()
            yield Figure(f"{name} image, stripped, {what}", built.size / _MB, "MB", goal)
        files = [*(PLATFORM / "include").glob("*.h")]
        files += [path for part in TARGETS[name].folders for path in (PLATFORM / part).glob("*.[chS]")]
        yield Figure(f"lines of our C and assembly in a {name} image", sum(map(_lines, files)), "", 3500)
    every = sum(map(_lines, PLATFORM.rglob("*.[chS]")))
    yield Figure("lines of our C and assembly for all targets", every, "")


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def unix_start(folder: Path, rounds: int) -> Iterator[Figure]:
    """CPU time of the unix image until its first answer, with its zones in a git repository on this machine."""
    built = image.Build(TARGETS["unix"], output=folder).run()
    repository = folder / "zones"
    for command in (
        ["cp", "-r", str(ZONES), str(repository)],
        ["git", "-C", str(repository), "init", "-q", "-b", "main"],
        ["git", "-C", str(repository), "add", "."],
        ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "-m", "zones"],
    ):
        subprocess.run(command, check=True)
    taken = [_cpu_to_answer(built.path, repository) for _ in range(rounds)]
    best = f"best {min(taken) * 1e3:.0f}"
    name = "unix image: CPU from start to first answer, zones from git"
    yield Figure(name, statistics.median(taken) * 1e3, "ms", 150, note=best)


def _cpu_to_answer(program: Path, repository: Path) -> float:
    port = free_port()
    command = [str(program), "serve", f"--remote={repository}", f"--listen=127.0.0.1:{port}"]
    with (
        subprocess.Popen(command, env={}, stdout=subprocess.DEVNULL) as process,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker,
    ):
        try:
            asker.connect(("127.0.0.1", port))
            asker.settimeout(0.01)
            while process.poll() is None:
                try:
                    asker.send(QUERY)
                    if is_answer(asker.recv(4096)):
                        return cpu_seconds(process.pid)
                except TimeoutError:
                    pass
                except ConnectionError:
                    time.sleep(0.005)  # it does not listen yet
            raise ChildProcessError(f"{program} ended with code {process.returncode}")
        finally:
            process.kill()


@dataclass
class Runs:
    """What was measured of one system on one kind of machine, round by round."""

    system: System
    kind: str
    starts: list[float] = field(default_factory=list)
    """Seconds from QEMU's start to the first answer."""
    start_costs: list[float] = field(default_factory=list)
    """CPU time of QEMU for that."""
    rates: list[float] = field(default_factory=list)
    """Answers a second."""
    costs: list[float] = field(default_factory=list)
    """Microseconds of QEMU's CPU for each answer."""

    def measure(self, queries: int) -> None:
        """One round. ChildProcessError when there is no answer."""
        with self._started() as running:
            running.load(LOAD)  # to get warm: QEMU translates code when it first runs
            before, cpu = time.monotonic(), running.cpu_s
            answered = running.load(queries)
            self.rates.append(answered / (time.monotonic() - before))
            self.costs.append((running.cpu_s - cpu) / max(answered, 1) * 1e6)

    def start(self) -> None:
        """One more start. ChildProcessError when there is no answer."""
        with self._started():
            pass

    @contextmanager
    def _started(self) -> Iterator[Machine]:
        with machine(self.system, self.kind, _MEMORY_MB) as running:
            seconds = running.wait_for_answer()
            if seconds is None:
                raise ChildProcessError(f"{self.system.name} on {self.kind} does not answer")
            self.starts.append(seconds)
            self.start_costs.append(running.cpu_s)
            yield running


def beside_linux(ours: System, rivals: Sequence[System], rounds: int, queries: int) -> Iterator[Figure]:
    """Our image and each Linux in the same machine, in turns: start, answers, memory, size."""
    everything = [Runs(system, kind) for system in (ours, *rivals) for kind in system.machines]
    for _ in range(rounds):
        for runs in everything:
            runs.measure(queries)
        for _ in range(_MORE_STARTS):
            for runs in everything:
                runs.start()
    host = next(statistics.median(runs.starts) for runs in everything if runs.system.name == DEBIAN) / _DEBIAN_START_S
    for runs in everything:
        if runs.system is ours:
            name, seconds = f"virtio, {runs.kind}: QEMU start to first answer", statistics.median(runs.starts)
            note = f"best {min(runs.starts):.2f}, QEMU's CPU {statistics.median(runs.start_costs):.2f} s"
            yield Figure(name, seconds, "s", _START_GOAL_S, note=note)
            note = f"Debian kernel + NSD takes {_DEBIAN_START_S} s there, here {host:.2f} times that"
            yield Figure(f"{name}, told for the host of the goal", seconds / host, "s", _START_GOAL_S, note=note)
    shared = [runs for runs in everything if runs.kind == "q35"]
    memory = {runs.system.name: least_memory_mb(runs.system) for runs in shared}
    size = {runs.system.name: sum(path.stat().st_size for path in runs.system.files) / _MB for runs in shared}
    table = {
        runs.system.name: {
            "QEMU's CPU from start to first answer": (statistics.median(runs.start_costs), "s"),
            "least memory that survives load": (memory[runs.system.name], "MB"),
            "size of what is started": (size[runs.system.name], "MB"),
            "QEMU's CPU for an answer": (statistics.median(runs.costs), "us"),
        }
        for runs in shared
    }
    for title in table[ours.name]:
        for runs in shared:
            value, unit = table[runs.system.name][title]
            yield Figure(runs.system.name, value, unit, note=_note(title, runs), panel=f"q35: {title}")
    yield Figure("least memory that serves the examples under load", memory[ours.name], "MB", 32)
    for rival in rivals:
        for title, (mine, _) in table[ours.name].items():
            theirs = table[rival.name][title][0]
            goal = 2.0 if rival.name == DEBIAN else None
            if rival.name == TINY and title in ("least memory that survives load", "size of what is started"):
                goal = 1.0
            yield Figure(f"{title}: {rival.name}, of ours", theirs / mine, "", goal, Relation.AT_LEAST)


def _note(title: str, runs: Runs) -> str:
    if title.endswith("first answer"):
        return f"{statistics.median(runs.starts):.2f} s by the clock"
    if title.endswith("an answer"):
        return f"{statistics.median(runs.rates):,.0f} answers/s"
    if title.startswith("size"):
        return f"{sum(len(gzip.compress(path.read_bytes(), 6)) for path in runs.system.files) / _MB:.1f} MB with gzip"
    return ""
