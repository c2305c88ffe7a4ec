"""Log lines that a peer can cause, one of a kind in each interval."""

import time
from collections.abc import Callable
from typing import Any


class Throttle:
    """Passes one log line of a kind in each interval, and tells in the next how many were left out.

    What a peer can cause at will is logged through this, so that a flood does not fill a disk.
    """

    def __init__(
        self, write: Callable[..., Any], every_s: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._every_s = every_s
        self._clock = clock
        self._open_at: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def __call__(self, event: str, **fields: object) -> None:
        """Log `event` (the kind, a constant of ours) with `fields`, or count it."""
        now = self._clock()
        if now < self._open_at.get(event, now):
            self._left_out[event] = self._left_out.get(event, 0) + 1
            return
        self._open_at[event] = now + self._every_s
        left_out = self._left_out.pop(event, 0)
        if left_out:
            fields["left_out"] = left_out
        self._write(event, **fields)
