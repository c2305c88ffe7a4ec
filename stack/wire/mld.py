"""Multicast listener discovery version 2, as far as neighbour discovery needs it: reports, and queries to answer.

Read first: RFC 3810 5, RFC 9777 (its revision).
"""

import struct
from typing import NamedTuple

from stack.address import Address
from stack.wire.error import WireError
from stack.wire.icmpv6 import Message, Type

LAYER = "mld"

CHANGE_TO_EXCLUDE = 4
MODE_IS_EXCLUDE = 2

_RECORD = struct.Struct("!BBH16s")


class Query(NamedTuple):
    """A router asks who listens to `group`, or to any when it is unspecified; `delay_s` at most before the reply."""

    group: Address
    delay_s: float


def parse(message: Message) -> Query:
    """The query in `message`, version 1 or 2."""
    if message.type != Type.MLD_QUERY or message.code:
        raise WireError(LAYER, "not a query")
    if len(message.body) < 16:
        raise WireError(LAYER, "too short")
    return Query(bytes(message.body[:16]), _delay(message.rest >> 16, len(message.body)))


def emit(kind: int, groups: list[Address]) -> Message:
    """A version 2 report that we listen to `groups`, with records of `kind` (CHANGE_TO_EXCLUDE or MODE_IS_EXCLUDE)."""
    records = (_RECORD.pack(kind, 0, 0, group) for group in groups)
    return Message(Type.MLDV2_REPORT, 0, len(groups), b"".join(records))


def _delay(code: int, size: int) -> float:
    """Maximum response delay in seconds (RFC 3810 5.1.3; in version 1 it is plain milliseconds)."""
    if size > 16 and code >= 0x8000:
        code = (code & 0x0FFF | 0x1000) << ((code >> 12 & 7) + 3)
    return code / 1000
