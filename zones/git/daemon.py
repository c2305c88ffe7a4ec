"""Transport `git://`: one TCP connection to a git daemon. Read first: gitprotocol-pack(5), "Git Transport"."""

import asyncio
from types import TracebackType
from typing import Final, Self

from zones.git.limits import Limits
from zones.git.pktline import ByteStream, encode
from zones.git.transport import Connection, Service
from zones.git.url import RemoteUrl


class DaemonTransport:
    """A repository of a git daemon."""

    def __init__(self, url: RemoteUrl, limits: Limits) -> None:
        self._url: Final = url
        self._limits: Final = limits

    def session(self, service: Service) -> "DaemonSession":
        """A new connection for `service`."""
        return DaemonSession(self._url, self._limits, service)


class DaemonSession:
    """One connection; requests follow one another on it."""

    def __init__(self, url: RemoteUrl, limits: Limits, service: Service) -> None:
        self._url = url
        self._limits = limits
        self._service = service
        self._connection: Connection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    async def connect(self) -> None:
        """Open the connection."""
        async with asyncio.timeout(self._limits.connect_s):
            reader, writer = await asyncio.open_connection(self._url.host, self._url.port)
        self._connection = Connection(reader, writer, self._limits)

    async def advertisement(self) -> ByteStream:
        """Ask for the service; its answer begins with the advertisement."""
        # Version 2 is for fetching alone; a server that does not know it answers with version 0.
        version = b"\0version=2\0" if self._service is Service.UPLOAD_PACK else b""
        path, host = self._url.path.encode(), self._url.authority.encode()
        return await self.request(encode(b"%s %s\0host=%s\0%s" % (self._service.value.encode(), path, host, version)))

    async def request(self, body: bytes) -> ByteStream:
        """Send `body`; the answer is what comes next on the connection."""
        assert self._connection is not None, "the session is not connected"
        await self._connection.write(body)
        return self._connection
