"""The seam between the git protocol and the network: a transport opens sessions, a session asks and answers.

`git://` keeps one connection for a session, `http(s)://` makes a request for each step; `ssh://` will be one more
module of this shape.
"""

import asyncio
import enum
from types import TracebackType
from typing import Protocol, Self

from zones.git.limits import Limits
from zones.git.pktline import ByteStream


class Service(enum.Enum):
    """What a session is for; the value is the name of git's program."""

    UPLOAD_PACK = "git-upload-pack"
    RECEIVE_PACK = "git-receive-pack"


class Session(Protocol):
    """One conversation. Raises `BadAnswer` and `OSError`."""

    async def __aenter__(self) -> Self:
        """Nothing yet."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""

    async def connect(self) -> None:
        """Reach the server."""

    async def advertisement(self) -> ByteStream:
        """What the server begins with: capabilities (version 2) or refs."""

    async def request(self, body: bytes) -> ByteStream:
        """Send `body` and read what comes back."""


class Transport(Protocol):
    """A way to one repository."""

    def session(self, service: Service) -> Session:
        """A new conversation with `service`."""


class Connection:
    """A TCP (or TLS) connection whose waits are bounded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits) -> None:
        self._reader = reader
        self._writer = writer
        self._limits = limits

    async def read(self, limit: int) -> bytes:
        """As in `ByteStream`. TimeoutError when nothing comes for the limit's `stall_s`."""
        async with asyncio.timeout(self._limits.stall_s):
            return await self._reader.read(limit)

    async def write(self, data: bytes) -> None:
        """Send all of `data`. TimeoutError when the peer takes nothing for `stall_s`."""
        view = memoryview(data)
        for start in range(0, len(data), 1 << 16):
            self._writer.write(view[start : start + (1 << 16)])
            async with asyncio.timeout(self._limits.stall_s):
                await self._writer.drain()

    def close(self) -> None:
        """Drop the connection; nothing that matters is in flight any more."""
        self._writer.transport.abort()
