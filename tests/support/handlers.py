"""Handlers of requests that the engine leaves to others."""

from collections.abc import AsyncGenerator

from dns_server.answer.engine import Kind
from dns_server.client import Client


async def nothing(_kind: Kind, _wire: bytes, _client: Client) -> AsyncGenerator[bytes, None]:
    """No reply."""
    messages: tuple[bytes, ...] = ()
    for message in messages:
        yield message
