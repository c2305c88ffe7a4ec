"""One question to one server: over UDP, and over TCP where UDP is not enough.

What makes a forged answer hard: a random port, a random identifier, random letter case in the name, and only the
server's address (RFC 5452). A server that does not give the case back is asked over TCP, never trusted over UDP.
"""

import asyncio
import struct

from stack.address import Endpoint, text
from stack.draw import Draw
from stack.wire import dns
from stack.wire.dns import Query, Response, Type
from stack.wire.error import WireError

FORGERIES_LIMIT = 32
"""Datagrams that don't fit the question, after which TCP is used."""


class NeedTcp(Exception):
    """UDP can't answer this: the response is truncated, or not to be trusted."""


async def ask(server: Endpoint, name: bytes, kind: Type, draw: Draw, timeout_s: float) -> Response:
    """What `server` says about `name`. TimeoutError, OSError or WireError when it says nothing usable."""
    query = Query(draw.number(16), randomise_case(name, draw), kind)
    async with asyncio.timeout(timeout_s):
        try:
            return await _ask_udp(server, query)
        except NeedTcp:
            return await _ask_tcp(server, query)


def randomise_case(name: bytes, draw: Draw) -> bytes:
    """`name` with each letter in a random case."""
    coins = draw.octets(len(name))
    # No length of a label is a letter: they are below 64, and A is 65.
    return bytes(
        octet ^ 0x20 if chr(octet).isalpha() and octet < 128 and coin & 1 else octet
        for octet, coin in zip(name, coins, strict=True)
    )


def fits(query: Query, response: Response) -> bool:
    """Does `response` answer `query`? NeedTcp when it may, but the case of the name did not come back."""
    if response.identifier != query.identifier or response.type != query.type:
        return False
    if response.name == query.name:
        return True
    if dns.fold(response.name) == dns.fold(query.name):
        raise NeedTcp
    return False


class _UdpExchange(asyncio.DatagramProtocol):
    """Waits for the one datagram that fits."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._forgeries = 0
        self.response: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002
        if self.response.done():
            return
        try:
            if data[:2] != self._query.identifier.to_bytes(2):
                raise WireError(dns.LAYER, "answer to another question")  # which is not worth the time to parse it
            response = dns.parse(data)
            if fits(self._query, response):
                if response.truncated:
                    raise NeedTcp
                self.response.set_result(response)
                return
        except WireError:
            pass  # what can't be read doesn't fit: it counts as a forgery below
        except NeedTcp as reason:
            self.response.set_exception(reason)
            return
        self._forgeries += 1
        if self._forgeries >= FORGERIES_LIMIT:
            self.response.set_exception(NeedTcp())

    def error_received(self, exc: Exception) -> None:
        if not self.response.done():
            self.response.set_exception(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.response.done():
            self.response.set_exception(exc or ConnectionError("the socket was closed"))


async def _ask_udp(server: Endpoint, query: Query) -> Response:
    loop = asyncio.get_running_loop()
    where = text(server.address), server.port
    transport, protocol = await loop.create_datagram_endpoint(lambda: _UdpExchange(query), remote_addr=where)
    try:
        transport.sendto(dns.emit(query))
        return await protocol.response
    finally:
        if not protocol.response.done():
            protocol.response.cancel()
        transport.close()


async def _ask_tcp(server: Endpoint, query: Query) -> Response:
    """RFC 7766: a length of two octets before each message."""
    reader, writer = await asyncio.open_connection(text(server.address), server.port)
    try:
        message = dns.emit(query)
        writer.write(struct.pack("!H", len(message)) + message)
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        response = dns.parse(await reader.readexactly(length))
    except asyncio.IncompleteReadError as error:
        raise ConnectionError(f"{server} closed the connection before it answered") from error
    finally:
        writer.close()
    if response.identifier != query.identifier or response.type != query.type:
        raise WireError(dns.LAYER, "answer to another question")
    if dns.fold(response.name) != dns.fold(query.name):
        raise WireError(dns.LAYER, "answer to another question")
    return response
