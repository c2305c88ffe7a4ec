"""Transport `http://` and `https://`: git's smart protocol. Read first: gitprotocol-http(5), RFC 9110, RFC 9112."""

import asyncio
import base64
import zlib
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urljoin, urlsplit

import h11

from dns_platform import trust
from zones.git.errors import BadAnswer, Refused, quoted
from zones.git.limits import Limits
from zones.git.pktline import ByteStream
from zones.git.transport import Connection, Service
from zones.git.url import BadUrl, RemoteUrl, Scheme, parse_url

if TYPE_CHECKING:
    import ssl

_MAX_REDIRECTS: Final = 5
_MAX_HEAD: Final = 1 << 16  # octets of a response's status line and fields
_MAX_REST: Final = 1 << 16  # octets that are read past, so that a connection can be used again
_USER_AGENT: Final = b"git/unizone"  # some hosts speak the smart protocol with agents called git/ alone


class HttpTransport:
    """A repository of a smart HTTP server."""

    def __init__(self, url: RemoteUrl, limits: Limits, tls: "ssl.SSLContext | None" = None) -> None:
        """`tls` verifies certificates of `https://`; by default those that the system trusts."""
        self._url: Final = url
        self._limits: Final = limits
        self._tls = tls

    def session(self, service: Service) -> "HttpSession":
        """A new conversation with `service`."""
        return HttpSession(self._url, self._limits, service, self._tls)


class HttpSession:
    """Requests for one service, over one connection as long as the server keeps it open."""

    def __init__(self, url: RemoteUrl, limits: Limits, service: Service, tls: "ssl.SSLContext | None") -> None:
        self._url = url
        self._limits = limits
        self._service = service.value
        self._tls = tls
        self._connection: Connection | None = None
        self._exchange: _Exchange | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    async def connect(self) -> None:
        """Open a connection, in place of the one before."""
        self._close()
        tls = self._tls_context() if self._url.scheme is Scheme.HTTPS else None
        async with asyncio.timeout(self._limits.connect_s):
            reader, writer = await asyncio.open_connection(self._url.host, self._url.port, ssl=tls)
        self._connection = Connection(reader, writer, self._limits)

    async def advertisement(self) -> ByteStream:
        """What the server says about the service; redirects to other paths of the same host are followed."""
        suffix = f"/info/refs?service={self._service}"
        for _ in range(_MAX_REDIRECTS):
            response = await self._send("GET", f"{self._url.path}{suffix}", [], b"")
            location = response.location
            if location is None:
                response.expect(f"application/x-{self._service}-advertisement")
                return response
            before, self._url = self._url, self._redirected(location, suffix)
            if self._url.scheme is not before.scheme:
                await self.connect()
        raise BadAnswer(f"the server redirects more than {_MAX_REDIRECTS} times")

    async def request(self, body: bytes) -> ByteStream:
        """Post `body` to the service."""
        fields = [
            ("Content-Type", f"application/x-{self._service}-request"),
            ("Accept", f"application/x-{self._service}-result"),
            ("Content-Length", str(len(body))),
        ]
        response = await self._send("POST", f"{self._url.path}/{self._service}", fields, body)
        response.expect(f"application/x-{self._service}-result")
        return response

    async def _send(self, method: str, target: str, fields: list[tuple[str, str]], body: bytes) -> "_Exchange":
        """Send a request and read the head of its response."""
        common = [("Host", self._url.authority), ("User-Agent", _USER_AGENT.decode()), ("Accept-Encoding", "gzip")]
        if self._service == Service.UPLOAD_PACK.value:
            common.append(("Git-Protocol", "version=2"))
        if self._url.user or self._url.password:
            userinfo = f"{self._url.user}:{self._url.password}".encode()
            common.append(("Authorization", f"Basic {base64.b64encode(userinfo).decode()}"))
        request = h11.Request(method=method, target=target, headers=[*common, *fields])
        if self._exchange is not None:
            if await self._exchange.finish():
                following = self._exchange.follow_up()
                try:
                    await following.begin(request, body)
                    self._exchange = following
                    return following
                except (ConnectionError, BadAnswer):
                    pass  # the server closed the connection that it had promised to keep: open another
            await self.connect()
        assert self._connection is not None, "the session is not connected"
        self._exchange = _Exchange(self._connection, h11.Connection(h11.CLIENT, _MAX_HEAD))
        await self._exchange.begin(request, body)
        return self._exchange

    def _tls_context(self) -> "ssl.SSLContext":
        if self._tls is None:
            try:
                self._tls = trust.client_context()
            except ImportError as error:
                raise BadAnswer(str(error), "use git:// or an image with TLS") from None
        return self._tls

    def _redirected(self, location: str, suffix: str) -> RemoteUrl:
        """The repository's URL after a redirect. BadAnswer where it leads to another host, or down to http."""
        here = f"{self._url.scheme.value}://{self._url.authority}{self._url.path}{suffix}"
        target = urljoin(here, location)
        shown = quoted(target.encode("utf-8", "surrogateescape"))
        parts = urlsplit(target)
        if not f"{parts.path}?{parts.query}".endswith(suffix):
            raise BadAnswer(f"the server redirects to {shown}, which is no git repository")
        try:
            url = parse_url(target.removesuffix(suffix))
        except BadUrl as error:
            raise BadAnswer(f"the server redirects to {shown}: {error}") from None
        upgrade = (self._url.scheme, url.scheme) == (Scheme.HTTP, Scheme.HTTPS)
        same_port = (self._url.scheme, self._url.port) == (url.scheme, url.port)
        if url.host != self._url.host or not (upgrade or same_port):
            raise BadAnswer(f"the server redirects to {shown}, another host", "use that URL if it can be trusted")
        return replace(self._url, scheme=url.scheme, port=url.port, path=url.path)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._exchange = None


class _Exchange:
    """One request and its response, which is a `ByteStream` of the decoded body."""

    def __init__(self, connection: Connection, protocol: h11.Connection) -> None:
        self._connection = connection
        self._protocol = protocol
        self._response: h11.Response | None = None
        self._inflater: zlib._Decompress | None = None
        self._compressed = b""
        self._ended = False

    async def begin(self, request: h11.Request, body: bytes) -> None:
        """Send the request and read the head of the response."""
        head = self._protocol.send(request)
        data = self._protocol.send(h11.Data(data=body)) if body else b""
        tail = self._protocol.send(h11.EndOfMessage())
        await self._connection.write((head or b"") + (data or b"") + (tail or b""))
        while not isinstance(event := await self._event(), h11.Response):
            if not isinstance(event, h11.InformationalResponse):
                raise BadAnswer("the server broke off", "see the server's log")
        self._response = event
        encoding = self._field(b"content-encoding").lower()
        if encoding in ("gzip", "x-gzip"):
            self._inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        elif encoding not in ("", "identity"):
            raise BadAnswer(f"content encoding {quoted(encoding.encode(), 40)} was not asked for")

    @property
    def location(self) -> str | None:
        """Where the response redirects to."""
        assert self._response is not None
        return self._field(b"location") if self._response.status_code in (301, 302, 303, 307, 308) else None

    def expect(self, content_type: str) -> None:
        """Refused or BadAnswer when the response is not of this type."""
        assert self._response is not None
        status = self._response.status_code
        said = f"the server says {status} {quoted(bytes(self._response.reason), 60)}".rstrip()
        if status == 401:
            raise Refused(said, "give a user and password or token in the URL, https://user:token@host/...")
        if status in (403, 404, 410):
            raise Refused(said, "check the path of the repository and what the user may read")
        if status != 200:
            raise Refused(said, "see the server's log")
        found = self._field(b"content-type").partition(";")[0].strip().lower()
        if found != content_type:
            hint = "is this the URL of a git repository? The dumb protocol is not supported"
            raise BadAnswer(f"the answer is {quoted(found.encode(), 60) or 'of no type'}, not {content_type}", hint)

    async def read(self, limit: int) -> bytes:
        """Octets of the body, unpacked."""
        if self._inflater is None:
            return await self._body()
        while not self._inflater.eof:
            compressed = self._compressed or await self._body()
            if not compressed:
                raise BadAnswer("the server broke off", "see the server's log")
            try:
                data = self._inflater.decompress(compressed, limit)
            except zlib.error as error:
                raise BadAnswer(f"the answer is no gzip ({error})") from None
            self._compressed = self._inflater.unconsumed_tail
            if data:
                return data
        return b""

    async def finish(self) -> bool:
        """Read past the end of the body; whether the connection may be used again."""
        past = 0
        try:
            while not self._ended and past < _MAX_REST:
                past += len(await self._body())
        except (BadAnswer, OSError):
            return False
        return self._protocol.our_state is h11.DONE and self._protocol.their_state is h11.DONE

    def follow_up(self) -> "_Exchange":
        """The next exchange on this connection."""
        self._protocol.start_next_cycle()
        return _Exchange(self._connection, self._protocol)

    async def _body(self) -> bytes:
        """Octets of the body as they were sent; empty at its end."""
        while not self._ended:
            event = await self._event()
            if isinstance(event, h11.Data) and event.data:
                return bytes(event.data)
            if isinstance(event, h11.EndOfMessage):
                self._ended = True
            elif not isinstance(event, h11.Data):
                raise BadAnswer("the server broke off", "see the server's log")
        return b""

    async def _event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            while (event := self._protocol.next_event()) is h11.NEED_DATA:
                self._protocol.receive_data(await self._connection.read(1 << 16))
        except h11.RemoteProtocolError as error:
            raise BadAnswer(f"the answer is no HTTP: {quoted(str(error).encode())}", "is it a web server?") from None
        return event

    def _field(self, name: bytes) -> str:
        """Value of a field of the response; empty where it has none."""
        assert self._response is not None
        values = [value for found, value in self._response.headers if found == name]
        return bytes(values[0]).decode("latin-1") if values else ""
