"""How many queries come from clients that did not prove their address."""


class Load:
    """A measure by the second. Sans-I/O: `now` is in seconds and never goes back by more than a step of a clock."""

    def __init__(self, limit: int) -> None:
        """More than `limit` queries a second are too many; 0: never."""
        self._limit = limit
        self._began = 0.0
        self._count = 0
        self.is_high = False
        """Whether there were too many in the second before this one."""

    def note(self, count: int, now: float) -> None:
        """`count` more have come by `now`."""
        passed = now - self._began
        if not 0 <= passed < 1:
            self.is_high = 0 < self._limit * max(passed, 1) < self._count
            self._began = now
            self._count = 0
        self._count += count
