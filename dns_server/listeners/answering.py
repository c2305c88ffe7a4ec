"""What listeners ask for answers."""

from collections.abc import Callable

from dns_server.answer.batch import Batch
from stack.address import Address

Answer = Callable[[bytes, Address], bytes | None]
"""The reply to one query message from an address, or nothing; never raises."""

BatchAnswer = Callable[[Batch, int], None]
"""Puts the replies to the first datagrams of a batch, as many as the number says, into it; never raises."""
