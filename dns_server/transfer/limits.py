"""Bounds of what secondaries can take."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

AT_ONCE: Final = 20
"""Transfers that run at the same time; others wait."""
PER_CLIENT: Final = 8
"""Of these, those to one address."""
GRACE_S: Final = 30.0
LEAST_RATE: Final = 8192
"""Octets a second that a client must take on average, once its transfer has lasted for the grace."""


@dataclass(slots=True)
class Counters:
    """What happened since the start."""

    axfr: int = 0
    ixfr: int = 0
    current: int = 0
    """IXFR of clients that had the newest version, or could not have the difference by UDP."""
    fallbacks: int = 0
    """IXFR that were answered with the whole zone."""
    cut_off: int = 0
    octets: int = 0
    running: int = 0


@dataclass(slots=True)
class Turns:
    """Lets so many transfers run at once, and so many of one client."""

    at_once: int = AT_ONCE
    per_client: int = PER_CLIENT
    _all: asyncio.Semaphore = field(init=False)
    _clients: dict[str, tuple[asyncio.Semaphore, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._all = asyncio.Semaphore(self.at_once)

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Wait for a turn of the client at an address."""
        own, users = self._clients.get(client) or (asyncio.Semaphore(self.per_client), 0)
        self._clients[client] = own, users + 1
        try:
            async with own, self._all:
                yield
        finally:
            own, users = self._clients.pop(client)
            if users > 1:
                self._clients[client] = own, users - 1


def must_have_taken(seconds: float) -> float:
    """Octets that a client must have taken after `seconds`."""
    return max(0.0, seconds - GRACE_S) * LEAST_RATE
