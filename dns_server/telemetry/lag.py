"""How late the event loop is: the time by which a timer misses its moment is what any query may have to wait."""

import asyncio
from typing import Final

from dns_server.telemetry.statistics import Histogram

INTERVAL_S: Final = 0.25
LAG_BOUNDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0)


class LoopLag:
    """A timer that notes its own lateness."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self.histogram = Histogram(LAG_BOUNDS)
        """Seconds."""
        self.longest_s = 0.0
        """Since the start."""

    def start(self) -> None:
        """Begin to measure."""
        due = self._loop.time() + INTERVAL_S
        self._timer = self._loop.call_at(due, self._note, due)

    def stop(self) -> None:
        """No more."""
        if self._timer is not None:
            self._timer.cancel()

    def _note(self, due: float) -> None:
        late = max(0.0, self._loop.time() - due)
        self.histogram.add(late)
        self.longest_s = max(self.longest_s, late)
        self.start()
