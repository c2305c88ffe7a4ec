"""A device on a bad network: it loses, doubles, reorders, corrupts and delays what it receives, by a seed."""

import heapq
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

from dns_platform.protocols import BATCH, Clock, NetworkDevice, Octets
from dns_platform.wrapping.wrapper import Wrapper


@dataclass(frozen=True, slots=True)
class Faults:
    """How bad the network is: chances from 0 to 1, times in seconds."""

    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    """Chance that a frame comes `reordering_delay_s` later than it should, so that others overtake it."""
    reordering_delay_s: float = 0.01
    corruption: float = 0.0
    """Chance that one bit of a frame is flipped."""
    delay_s: float = 0.0
    jitter_s: float = 0.0
    """At most so much is added to the delay; this reorders too."""


class FaultDevice(Wrapper):
    """`device` with `faults` on the way in. The same `seed` and frames give the same faults.

    Frames that wait make no file descriptor readable: whoever polls asks `poll_at` too, as `UnixPoller` does.
    """

    def __init__(self, device: NetworkDevice, faults: Faults, seed: int, clock: Clock) -> None:
        super().__init__(device)
        self._faults = faults
        self._random = random.Random(seed)  # noqa: S311 - chance, not secrets
        self._clock = clock
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, bytes]] = []

    def poll_at(self) -> float | None:
        """See `Wrapper.poll_at`."""
        below = super().poll_at()
        if not self._waiting:
            return below
        due = self._waiting[0][0]
        return due if below is None else min(due, below)

    def receive(self, limit: int = BATCH) -> Sequence[Octets]:
        """See `NetworkDevice.receive`."""
        now = self._clock.monotonic()
        for frame in self.device.receive(limit):
            self._suffer(bytes(frame), now)
        frames: list[Octets] = []
        while self._waiting and self._waiting[0][0] <= now and len(frames) < limit:
            frames.append(heapq.heappop(self._waiting)[2])
        return frames

    def _suffer(self, frame: bytes, now: float) -> None:
        faults = self._faults
        if self._happens(faults.loss):
            return
        for _ in range(2 if self._happens(faults.duplication) else 1):
            arrived = self._flip(frame) if self._happens(faults.corruption) else frame
            due = now + faults.delay_s + self._random.random() * faults.jitter_s
            if self._happens(faults.reordering):
                due += faults.reordering_delay_s
            heapq.heappush(self._waiting, (due, next(self._numbers), arrived))

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self._random.random() < chance

    def _flip(self, frame: bytes) -> bytes:
        spoiled = bytearray(frame)
        spoiled[self._random.randrange(len(spoiled))] ^= 1 << self._random.randrange(8)
        return bytes(spoiled)
