"""What listeners ask for answers."""

from collections.abc import AsyncGenerator, Callable, Sequence

from dns_server.answer.batch import Batch
from dns_server.answer.engine import Kind
from dns_server.client import Client
from stack.address import Address

Answer = Callable[[bytes, Address], bytes | Kind | None]
"""The reply to one query message from an address, nothing, or the kind of a request to `Handle`; never raises."""

BatchAnswer = Callable[[Batch, int], Sequence[tuple[int, Kind]]]
"""Puts the replies to the first datagrams of a batch, as many as the number says, into it; the indices of requests to
`Handle`, with their kinds. Never raises."""

Handle = Callable[[Kind, bytes, Client], AsyncGenerator[bytes, None]]
"""The messages of the reply to a request, which may take their time; the next is asked for when the one before could be
sent. Raises `Aborted` where the rest must not follow."""


class Aborted(Exception):
    """A reply ends in its middle, so a connection must end with it; says why."""
