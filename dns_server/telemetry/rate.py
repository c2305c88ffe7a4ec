"""How quickly a counter has grown of late."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

INTERVAL_S: Final = 5.0
SAMPLES: Final = 13
"""Together a minute."""


class RecentRate:
    """Looks at a counter every few seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop, read: Callable[[], int]) -> None:
        self._loop = loop
        self._read = read
        self._samples: deque[tuple[float, int]] = deque(maxlen=SAMPLES)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to look."""
        self._samples.append((self._loop.time(), self._read()))
        self._timer = self._loop.call_later(INTERVAL_S, self.start)

    def stop(self) -> None:
        """No more."""
        if self._timer is not None:
            self._timer.cancel()

    @property
    def per_second(self) -> float:
        """Over the last minute, or since the start."""
        if not self._samples:
            return 0.0
        then, before = self._samples[0]
        seconds = self._loop.time() - then
        return (self._read() - before) / seconds if seconds > 0 else 0.0
