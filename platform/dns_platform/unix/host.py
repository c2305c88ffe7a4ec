"""Clock, entropy and console of a unix process."""

import os
import time

from dns_platform.protocols import Octets


class UnixClock:
    """The clocks of the kernel."""

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    def wall(self) -> float:
        """See `Clock.wall`."""
        return time.time()


class UnixEntropy:
    """The generator of the kernel."""

    def random(self, count: int) -> bytes:
        """See `Entropy.random`."""
        return os.urandom(count)


class UnixConsole:
    """Standard error, or another file descriptor."""

    def __init__(self, descriptor: int = 2) -> None:
        self._descriptor = descriptor

    def write(self, data: Octets) -> None:
        """See `Console.write`."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
