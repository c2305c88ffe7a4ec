"""ICMP messages.

Read first: RFC 792, RFC 1122 3.2.2, RFC 1191 4 (MTU in destination unreachable).
"""

import enum
from typing import NamedTuple

from dns_platform.protocols import Octets
from stack.wire import checksum
from stack.wire.error import WireError

LAYER = "icmp"
HEADER = 8


class Type(enum.IntEnum):
    """Message types of RFC 792 that mean something here."""

    ECHO_REPLY = 0
    DESTINATION_UNREACHABLE = 3
    ECHO = 8
    TIME_EXCEEDED = 11
    PARAMETER_PROBLEM = 12


class UnreachableCode(enum.IntEnum):
    """Codes of DESTINATION_UNREACHABLE (RFC 792; RFC 1812 5.2.7.1 from 9 on)."""

    NETWORK = 0
    HOST = 1
    PROTOCOL = 2
    PORT = 3
    FRAGMENTATION_NEEDED = 4
    SOURCE_ROUTE_FAILED = 5
    NETWORK_PROHIBITED = 9
    HOST_PROHIBITED = 10
    PROHIBITED = 13


class Message(NamedTuple):
    """A message; `rest` is the second 32-bit word: identifier and sequence number, or what the type says."""

    type: int
    code: int
    rest: int
    body: Octets


def parse(view: memoryview) -> Message:
    """The message in `view`, a whole IPv4 payload."""
    if len(view) < HEADER:
        raise WireError(LAYER, "too short")
    if not checksum.is_valid(view):
        raise WireError(LAYER, "bad checksum")
    return Message(view[0], view[1], int.from_bytes(view[4:8]), view[HEADER:])


def emit(message: Message) -> bytes:
    """Octets of `message`."""
    rest = message.rest.to_bytes(4)
    start = (message.type << 8 | message.code) + checksum.ones_sum(rest)
    made = checksum.checksum(message.body, start)
    return b"".join((bytes((message.type, message.code)), made.to_bytes(2), rest, message.body))
