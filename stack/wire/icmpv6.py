"""ICMPv6 messages; the bodies of neighbour discovery and MLD are in `ndp` and `mld`.

Read first: RFC 4443.
"""

import enum
from typing import NamedTuple

from dns_platform.protocols import Octets
from stack.address import Address
from stack.wire import checksum
from stack.wire.error import WireError
from stack.wire.ipv4 import Protocol

LAYER = "icmpv6"
HEADER = 8


class Type(enum.IntEnum):
    """Message types that mean something here; below 128 they are errors (RFC 4443 2.1)."""

    DESTINATION_UNREACHABLE = 1
    PACKET_TOO_BIG = 2
    TIME_EXCEEDED = 3
    PARAMETER_PROBLEM = 4
    ECHO_REQUEST = 128
    ECHO_REPLY = 129
    MLD_QUERY = 130
    ROUTER_SOLICITATION = 133
    ROUTER_ADVERTISEMENT = 134
    NEIGHBOUR_SOLICITATION = 135
    NEIGHBOUR_ADVERTISEMENT = 136
    REDIRECT = 137
    MLDV2_REPORT = 143


class UnreachableCode(enum.IntEnum):
    """Codes of DESTINATION_UNREACHABLE (RFC 4443 3.1)."""

    NO_ROUTE = 0
    PROHIBITED = 1
    BEYOND_SCOPE = 2
    ADDRESS = 3
    PORT = 4
    POLICY = 5
    REJECT_ROUTE = 6


class Message(NamedTuple):
    """A message; `rest` is the second 32-bit word: identifier and sequence number, or what the type says."""

    type: int
    code: int
    rest: int
    body: Octets


def parse(view: memoryview, source: Address, destination: Address) -> Message:
    """The message in `view`, a whole upper layer payload, that came from `source` to `destination`."""
    if len(view) < HEADER:
        raise WireError(LAYER, "too short")
    if not checksum.is_valid(view, checksum.pseudo_header(source, destination, Protocol.ICMPV6, len(view))):
        raise WireError(LAYER, "bad checksum")
    return Message(view[0], view[1], int.from_bytes(view[4:8]), view[HEADER:])


def emit(message: Message, source: Address, destination: Address) -> bytes:
    """Octets of `message`, which goes from `source` to `destination`."""
    rest = message.rest.to_bytes(4)
    start = checksum.pseudo_header(source, destination, Protocol.ICMPV6, HEADER + len(message.body))
    start += (message.type << 8 | message.code) + checksum.ones_sum(rest)
    made = checksum.checksum(message.body, start)
    return b"".join((bytes((message.type, message.code)), made.to_bytes(2), rest, message.body))


def is_error(kind: int) -> bool:
    """Is a message of type `kind` an error message?"""
    return kind < 128
