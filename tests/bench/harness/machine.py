"""The machine: which core is whose, CPU time and memory of processes."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

SERVER_CORE, CLIENT_CORE = 0, 1
"""Servers have one core, those who load them the other."""
_FIRST = -20  # as of setpriority(2)
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def processes(pid: int) -> list[int]:
    """The process, its children and theirs."""
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [pid, *(found for child in children for found in processes(child))]


def cpu_seconds(pid: int) -> float:
    """User and system time of the process and those below it, which may have ended."""
    while True:
        try:
            return sum(map(_own_cpu_seconds, processes(pid)))
        except (FileNotFoundError, ProcessLookupError):
            if not Path(f"/proc/{pid}").exists():
                raise
            # One below it ended just now: its time is among that of its parent's children.


def _own_cpu_seconds(pid: int) -> float:
    nanoseconds = sum(
        int((thread / "schedstat").read_text().split()[0]) for thread in Path(f"/proc/{pid}/task").iterdir()
    )
    values = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(values[13]) + int(values[14])  # of children that it has waited for
    return nanoseconds * 1e-9 + ticks * TICK_S


def resident_mb(pid: int) -> float:
    """Memory that the process and those below it have for themselves or share: each shared page counts once in all."""
    total = 0
    for each in processes(pid):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / 1e6


@contextlib.contextmanager
def pinned(servers: Sequence[int]) -> Iterator[None]:
    """Keep each of the processes `servers`, with its children and threads, on their core, and this one on the other.

    All of them, and what this one starts meanwhile, go before whatever else runs, where this one may say so: who shares
    a core with others finds the caches full of what is theirs, and larger batches the longer it waits for its turn.
    """
    if (os.cpu_count() or 1) < 2:
        yield
        return
    before = os.sched_getaffinity(0)
    groups = _groups([os.getpid(), *servers])
    for server in servers:
        for pid in processes(server):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {SERVER_CORE})
    os.sched_setaffinity(0, {CLIENT_CORE})
    try:
        for group in groups:
            _set_priority(group, _FIRST)
        yield
    finally:
        for group, priority in groups.items():
            _set_priority(group, priority)
        os.sched_setaffinity(0, before)


def _groups(pids: Iterable[int]) -> dict[Path, int]:
    """Scheduling groups of processes (sched(7), "The autogroup feature"), with their priorities."""
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):  # Linux may be built without them
            group = Path(f"/proc/{pid}/autogroup")
            found[group] = int(group.read_text().split()[-1])
    return found


def _set_priority(group: Path, priority: int) -> None:
    """Say how much of a core the group of a process gets beside others."""
    with contextlib.suppress(OSError):  # higher ones are for root, and a process may have ended
        group.write_text(str(priority))
