"""What the main process and a worker tell each other, over a pair of connected sockets.

Downwards go pickled objects, upwards JSON: a worker, which reads what strangers send, could do nothing to the main
process by what it says. Each message stands behind four octets of its length.
"""

import asyncio
import json
import pickle
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from zones.zone import Zone

_LENGTH: Final = 4
_LIMIT: Final = 1 << 20
"""Octets of a message from a worker."""


@dataclass(frozen=True, slots=True)
class Update:
    """Another version of the zones: how it differs from the one before."""

    changes: Mapping[bytes, Zone]
    removed: frozenset[bytes]
    broken: frozenset[bytes]
    """Zones that are configured and have no good version."""
    revision: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A message of the reply to a request that a worker passed on."""

    request: int
    message: bytes
    """Empty: there is to be no reply."""


@dataclass(frozen=True, slots=True)
class Status:
    """How the service goes, for `status.server`."""

    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Finish:
    """Read no more, answer what is read, tell the last counts, and end."""


Order = Update | Reply | Status | Finish
Report = Mapping[str, Any]
"""What a worker says; `what` tells which kind it is."""


class Channel:
    """One end of the connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, connected: socket.socket) -> "Channel":
        """The end of a connected socket, which it takes."""
        connected.setblocking(False)
        return cls(*await asyncio.open_connection(sock=connected))

    def order(self, order: Order) -> None:
        """Send an order to the worker."""
        self._send(pickle.dumps(order, pickle.HIGHEST_PROTOCOL))

    def report(self, report: Report) -> None:
        """Send a report to the main process."""
        self._send(json.dumps(report).encode())

    async def next_order(self) -> Order:
        """The next order. EOFError when the main process is gone."""
        order: Order = pickle.loads(await self._receive(1 << 32))  # noqa: S301  the main process made it
        return order

    async def next_report(self) -> Report:
        """The next report. EOFError when the worker is gone, ValueError for what is none."""
        report: Report = json.loads(await self._receive(_LIMIT))
        if not isinstance(report, dict) or not isinstance(report.get("what"), str):
            raise ValueError("this is no report of a worker")
        return report

    async def drain(self) -> None:
        """Wait until the other side has taken most of what was sent. OSError."""
        await self._writer.drain()

    async def close(self) -> None:
        """Send what is left, and close."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return  # it was closed by the other side

    def _send(self, payload: bytes) -> None:
        self._writer.write(len(payload).to_bytes(_LENGTH, "big") + payload)

    async def _receive(self, limit: int) -> bytes:
        try:
            length = int.from_bytes(await self._reader.readexactly(_LENGTH), "big")
            if length > limit:
                raise ValueError(f"a message of {length} octets is too long")
            return await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise EOFError from error
