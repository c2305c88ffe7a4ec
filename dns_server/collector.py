"""When Python's garbage collector runs: never over the zones, and never for long.

Zones are millions of objects without cycles; a full collection would walk them all and stall answers for that time.
So the automatic collector is off. After each load what is left over in cycles is collected while that is little, and
everything that lives is frozen (left out of all later walks). A timer collects what comes in between.
"""

import asyncio
import gc
from typing import Final

INTERVAL_S: Final = 5.0
MAX_YOUNG: Final = 12_000
"""Objects to walk above which there is no collection: walking more would hold the loop for longer than a slice."""


class Collector:
    """Takes the place of the automatic collector while the service runs."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Turn the automatic collector off.

        What lives now is here to stay, and with it some 0.3 MB that imports left over in cycles: looking for them would
        take an image a thirtieth of its start.
        """
        gc.disable()
        gc.freeze()
        self._timer = self._loop.call_later(INTERVAL_S, self._collect)

    def stop(self) -> None:
        """Back to the automatic collector."""
        if self._timer is not None:
            self._timer.cancel()
        gc.enable()

    def freeze(self) -> None:
        """What lives now is here to stay: call it after a load. What goes all the same goes by reference counts."""
        self._collect_little()
        gc.freeze()

    def _collect(self) -> None:
        self._collect_little()
        self._timer = self._loop.call_later(INTERVAL_S, self._collect)

    @staticmethod
    def _collect_little() -> None:
        if gc.get_count()[0] <= MAX_YOUNG:
            gc.collect()
