"""A small HTTP/1.1 server over any asyncio loop, by h11: reads, and what is posted to few paths; bounded everywhere.

Read first: RFC 9110, RFC 9112.
"""

import asyncio
import hmac
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

import h11

from dns_server.listeners.clients import Clients
from dns_server.values import Network

MAX_CONNECTIONS: Final = 32
MAX_PER_CLIENT: Final = 8
MAX_HEADER: Final = 8192
"""Octets of a request's line and fields."""
MAX_BODY: Final = 1 << 20
"""Octets of what is posted."""
PATIENCE_S: Final = 10.0
"""Seconds that a whole request, or the taking of a whole answer, may last."""
MAX_REQUESTS: Final = 100
"""Requests of one connection."""
_READ: Final = 4096
_LINGER: Final = 65_536
_LINGER_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Response:
    """What a route gives."""

    status: HTTPStatus
    content_type: str
    body: bytes
    fields: Mapping[str, str] = field(default_factory=dict)


Route = Callable[[], Awaitable[Response]]
Post = Callable[[Mapping[str, str], bytes, str], Awaitable[Response]]
"""Takes the fields of a request (names in lower case), its body and the address of who sent it."""

_ALWAYS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def plain(status: HTTPStatus, text: str, **fields: str) -> Response:
    """A response of one text."""
    names = {name.replace("_", "-"): value for name, value in fields.items()}
    return Response(status, "text/plain; charset=utf-8", f"{text}\n".encode(), names)


@dataclass(slots=True)
class HttpServer:
    """Routes for GET and HEAD. `protocol` makes protocols for `create_server`."""

    loop: asyncio.AbstractEventLoop
    routes: Mapping[str, Route]
    allowed: Sequence[Network]
    """Who may connect; others are closed without a word."""
    token: str | None
    """Needed as bearer token, or as the password of basic authentication so that a browser can ask for it."""
    report: Callable[..., None]
    """Called with an event and fields for what a peer can cause at will."""
    posts: Mapping[str, Post] = field(default_factory=dict)
    """Routes for POST. They judge by themselves who may: the token is not for them."""
    _clients: Clients[asyncio.Task[None]] = field(default_factory=lambda: Clients(MAX_PER_CLIENT))

    def protocol(self) -> asyncio.Protocol:
        """A protocol for one connection."""
        reader = asyncio.StreamReader(limit=MAX_HEADER, loop=self.loop)
        return asyncio.StreamReaderProtocol(reader, self._connected, loop=self.loop)

    def close(self) -> None:
        """End every connection."""
        for task in self._clients.all():
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        task = asyncio.current_task()
        assert task is not None
        if not peer or not self._admit(peer[0]):
            writer.transport.abort()
            return
        self._clients.add(task, peer[0], self.loop.time())
        try:
            await _Connection(self, reader, writer, peer[0]).run()
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # it left, or was too slow, or the service ends
        finally:
            self._clients.remove(task)
            writer.transport.abort()

    def _admit(self, address: str) -> bool:
        host = ip_address(address.partition("%")[0])
        if not any(host in network for network in self.allowed):
            self.report("HTTP connection refused: the address is not in --http-allow", peer=address)
            return False
        if len(self._clients) >= MAX_CONNECTIONS or not self._clients.may_come(address):
            self.report("HTTP connection refused: there are too many", peer=address)
            return False
        return True

    def post_of(self, request: h11.Request) -> Post | None:
        """What takes the body of `request`; None where nothing does."""
        if request.method != b"POST":
            return None
        return self.posts.get(_path(request))

    async def respond(self, request: h11.Request, body: bytes, address: str) -> Response:
        """The response to a request of `address`, whatever it asks for."""
        post = self.post_of(request)
        if post is not None:
            fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
            return await post(fields, body, address)
        if not self._is_authorized(request):
            return plain(HTTPStatus.UNAUTHORIZED, "a token is needed", WWW_Authenticate='Basic realm="unizone"')
        if request.method not in (b"GET", b"HEAD"):
            return plain(HTTPStatus.METHOD_NOT_ALLOWED, "read only", Allow="GET, HEAD")
        route = self.routes.get(_path(request))
        if route is None:
            return plain(HTTPStatus.NOT_FOUND, f"there are: {', '.join(self.routes)}")
        return await route()

    def _is_authorized(self, request: h11.Request) -> bool:
        if self.token is None:
            return True
        given = next((value for name, value in request.headers if name == b"authorization"), b"")
        scheme, _, credentials = given.partition(b" ")
        if scheme.lower() == b"basic":
            try:
                credentials = b64decode(credentials, validate=True).partition(b":")[2]
            except ValueError:
                return False
        elif scheme.lower() != b"bearer":
            return False
        return hmac.compare_digest(credentials, self.token.encode())


def _path(request: h11.Request) -> str:
    target = request.target
    if target.startswith((b"http://", b"https://")):  # RFC 9112 3.2.2: as to a proxy; every server must take it
        target = b"/" + target.partition(b"://")[2].partition(b"/")[2]
    return target.partition(b"?")[0].decode("latin-1")


class _Connection:
    """One connection, request after request."""

    def __init__(
        self, server: HttpServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str
    ) -> None:
        self._server = server
        self._address = address
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEADER)

    async def run(self) -> None:
        """Answer requests until either side ends it."""
        for _ in range(MAX_REQUESTS):
            try:
                async with asyncio.timeout(PATIENCE_S):
                    received = await self._request()
            except h11.RemoteProtocolError as error:
                status = HTTPStatus(error.error_status_hint)
                await self._send(plain(status, status.phrase, Connection="close"), head=False)
                break
            if received is None:
                break
            request, body = received
            response = await self._server.respond(request, body, self._address)
            await self._send(response, head=request.method == b"HEAD")
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                break
            self._http.start_next_cycle()
        await self._hang_up()

    async def _request(self) -> tuple[h11.Request, bytes] | None:
        """The next request and its body, if somebody takes that; None when the peer has no more."""
        request: h11.Request | None = None
        body = bytearray()
        limit = MAX_HEADER
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(_READ))
            elif isinstance(event, h11.Request):
                request = event
                if not event.http_version.startswith(b"1."):
                    what = "only versions 1.0 and 1.1 are spoken here"
                    raise h11.RemoteProtocolError(what, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
                is_post = self._server.post_of(request) is not None
                limit = MAX_BODY if is_post else MAX_HEADER
                if self._http.they_are_waiting_for_100_continue:
                    if not is_post:
                        raise h11.RemoteProtocolError("no bodies here", HTTPStatus.EXPECTATION_FAILED)
                    await self._continue()
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > limit:
                    raise h11.RemoteProtocolError("the body is too long", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            elif isinstance(event, h11.EndOfMessage):
                assert request is not None
                return request, bytes(body)
            else:  # ConnectionClosed, or PAUSED after it
                return None

    async def _continue(self) -> None:
        go_on = h11.InformationalResponse(status_code=HTTPStatus.CONTINUE, headers=[])
        self._writer.write(self._http.send(go_on) or b"")
        await self._writer.drain()

    async def _send(self, response: Response, *, head: bool) -> None:
        fields = {
            **_ALWAYS,
            "Content-Type": response.content_type,
            "Content-Length": str(len(response.body)),
            **response.fields,
        }
        status = response.status
        head_of = h11.Response(status_code=status, headers=list(fields.items()), reason=status.phrase.encode())
        start = self._http.send(head_of)
        body = None if head else self._http.send(h11.Data(data=response.body))
        self._http.send(h11.EndOfMessage())
        self._writer.write((start or b"") + (body or b""))
        async with asyncio.timeout(PATIENCE_S):
            await self._writer.drain()

    async def _hang_up(self) -> None:
        """Close so that what was sent is not lost to a reset: take a little of what the peer still sends."""
        self._writer.write_eof()
        left = _LINGER
        async with asyncio.timeout(_LINGER_S):
            while left > 0 and (octets := await self._reader.read(_READ)):
                left -= len(octets)
