"""When which secondary is told of which zone: a ladder of attempts, one for each pair, the newest version alone.

Sans-I/O. Read first: RFC 1996 3.6 (retransmission), 4.3.
"""

import heapq
from dataclasses import dataclass
from typing import Final

from dns_server.notify.targets import Target

LADDER_S: Final = (2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0)
"""Seconds after each attempt without a reply; the last is repeated."""
GIVE_UP_S: Final = 86400.0
"""Seconds after which nobody is told any more: the secondary's own refresh has long been due."""


@dataclass(slots=True, eq=False)
class Job:
    """One zone for one secondary."""

    zone: bytes
    target: Target
    serial: int
    since: float
    due: float
    attempts: int = 0
    is_over: bool = False
    """Whether it was answered, given up, or a newer version took its place."""


class Schedule:
    """All jobs."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[bytes, Target], Job] = {}
        self._heap: list[tuple[float, int, Job]] = []
        self._number = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def want(self, zone: bytes, target: Target, serial: int, now: float) -> None:
        """Tell `target` of version `serial`; what was to be told of the zone before is dropped."""
        self._end(self._jobs.get((zone, target)))
        job = self._jobs[zone, target] = Job(zone, target, serial, now, now)
        self._push(job)

    def forget(self, zone: bytes) -> None:
        """The zone is gone."""
        for key in [key for key in self._jobs if key[0] == zone]:
            self._end(self._jobs[key])

    def next_due(self) -> float | None:
        """When the next attempt is due; None when there is none."""
        while self._heap and self._heap[0][2].is_over:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, now: float) -> Job | None:
        """A job whose attempt is due; it comes back with `failed`."""
        due = self.next_due()
        if due is None or due > now:
            return None
        job = heapq.heappop(self._heap)[2]
        job.attempts += 1
        return job

    def failed(self, job: Job, now: float) -> bool:
        """There was no reply; whether it is given up."""
        if job.is_over:
            return False
        if now - job.since >= GIVE_UP_S:
            self._end(job)
            return True
        job.due = now + LADDER_S[min(job.attempts, len(LADDER_S)) - 1]
        self._push(job)
        return False

    def done(self, job: Job) -> None:
        """There was a reply."""
        self._end(job)

    def _push(self, job: Job) -> None:
        self._number += 1
        heapq.heappush(self._heap, (job.due, self._number, job))

    def _end(self, job: Job | None) -> None:
        if job is not None and not job.is_over:
            job.is_over = True
            del self._jobs[job.zone, job.target]
