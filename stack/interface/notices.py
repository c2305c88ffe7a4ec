"""What the operator should know, for whoever runs the interface to log."""

from collections import deque
from typing import NamedTuple


class Notice(NamedTuple):
    """Something rare: an address came, went, or is contested. `detail` is for people."""

    event: str
    detail: str


class Notices:
    """The last notices that nobody has taken yet."""

    LIMIT = 64

    def __init__(self) -> None:
        self._notices: deque[Notice] = deque(maxlen=self.LIMIT)

    def add(self, event: str, detail: str) -> None:
        """Note `event`; the oldest notice makes room."""
        self._notices.append(Notice(event, detail))

    def take(self) -> list[Notice]:
        """All notices, oldest first; none remain."""
        taken = list(self._notices)
        self._notices.clear()
        return taken
