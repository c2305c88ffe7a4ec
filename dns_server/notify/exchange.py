"""One NOTIFY and its reply, over UDP, TCP or TLS, on any asyncio loop."""

import asyncio
import functools
import secrets
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dns_platform import trust
from dns_server.notify.messages import BadReply, Said, is_reply, notify, read_reply
from dns_server.notify.targets import Target
from dns_server.reasons import reason
from dns_server.tsig.exchange import NotBelieved, Request
from zones.keys import TsigKey
from zones.rrset import RRset

if TYPE_CHECKING:  # images without TLS have no ssl
    import ssl


class NoReply(Exception):
    """There was no reply, or none that can be believed; says why."""


async def tell(
    target: Target, zone: bytes, soa: RRset | None, key: TsigKey | None, patience_s: float, *, stream: bool = False
) -> Said:
    """Tell `target` that `zone` has changed; what it says in `patience_s` seconds. NoReply.

    By a datagram, unless `stream` asks for TCP or the target for TLS.
    """
    message = notify(secrets.randbits(16), zone, soa)
    request = None if key is None else Request(key, message, time.time())
    wire = message if request is None else request.wire

    def accept(reply: bytes) -> Said:
        if not is_reply(reply, wire):
            raise BadReply("something else came than a reply")
        return read_reply(reply if request is None else request.verify(reply, time.time()))

    doubts: list[Exception] = []
    try:
        async with asyncio.timeout(patience_s):
            if stream or target.tls is not None:
                return accept(await _by_stream(target, wire))
            return await _by_datagram(target, wire, accept, doubts.append)
    except TimeoutError:
        raise NoReply(str(doubts[-1]) if doubts else "no reply in time") from None
    except (OSError, ImportError, BadReply, NotBelieved, asyncio.IncompleteReadError) as error:
        raise NoReply(reason(error)) from None


class _Waiting(asyncio.DatagramProtocol):
    """Waits for a reply that can be believed; others may come, for anybody can send them."""

    def __init__(self, accept: Callable[[bytes], Said], doubt: Callable[[Exception], None]) -> None:
        self._accept = accept
        self._doubt = doubt
        self.said: asyncio.Future[Said] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _address: object) -> None:
        """A datagram from the target, or in its name."""
        try:
            said = self._accept(data)
        except (BadReply, NotBelieved) as error:
            self._doubt(error)
        else:
            if not self.said.done():
                self.said.set_result(said)

    def error_received(self, error: Exception) -> None:
        """Nobody listens there."""
        if not self.said.done():
            self.said.set_exception(error)


async def _by_datagram(
    target: Target, wire: bytes, accept: Callable[[bytes], Said], doubt: Callable[[Exception], None]
) -> Said:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in target.address else socket.AF_INET
    transport, waiting = await loop.create_datagram_endpoint(
        lambda: _Waiting(accept, doubt), remote_addr=(target.address, target.port), family=family
    )
    try:
        transport.sendto(wire)
        return await waiting.said
    finally:
        transport.close()


async def _by_stream(target: Target, wire: bytes) -> bytes:
    context = None
    if target.tls is not None:
        context = _context()
    reader, writer = await asyncio.open_connection(target.address, target.port, ssl=context, server_hostname=target.tls)
    try:
        writer.write(len(wire).to_bytes(2, "big") + wire)
        return await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
    finally:
        writer.close()


@functools.cache
def _context() -> "ssl.SSLContext":
    """To believe a secondary's certificate. ImportError in an image without TLS."""
    context = trust.client_context()
    context.set_alpn_protocols(["dot"])  # RFC 9103 7.1
    return context
