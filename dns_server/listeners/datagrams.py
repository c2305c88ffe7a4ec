"""DNS over datagrams, over any asyncio loop that has `create_datagram_endpoint`."""

import asyncio

from dns_server.listeners.answering import Answer


class Datagrams(asyncio.DatagramProtocol):
    """Answers each datagram to whom it came from."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The endpoint is open."""
        assert isinstance(transport, asyncio.DatagramTransport)
        self._transport = transport

    def datagram_received(self, data: bytes, peer: tuple[str | int, ...]) -> None:
        """One query."""
        reply = self._answer(data)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, peer)
