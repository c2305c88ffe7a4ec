"""UDP datagrams over IPv4 and IPv6.

Read first: RFC 768, RFC 8200 8.1, RFC 1122 4.1.3.4.
"""

import struct
from typing import NamedTuple

from dns_platform.protocols import Octets
from stack.address import Address
from stack.wire import checksum
from stack.wire.error import WireError
from stack.wire.ipv4 import Protocol

LAYER = "udp"
HEADER = 8

_FORMAT = struct.Struct("!HHHH")


class Datagram(NamedTuple):
    """A datagram; `source` 0 means that no reply is wanted (RFC 768)."""

    source: int
    destination: int
    payload: Octets


def parse(view: memoryview, source: Address, destination: Address) -> Datagram:
    """The datagram in `view`, which came from address `source` to `destination`."""
    if len(view) < HEADER:
        raise WireError(LAYER, "too short")
    source_port, destination_port, length, made = _FORMAT.unpack_from(view)
    if not HEADER <= length <= len(view):
        raise WireError(LAYER, "bad length")
    if not destination_port:
        raise WireError(LAYER, "destination port 0")
    view = view[:length]
    if made == 0:
        # RFC 768: over IPv4 zero means that the sender made no checksum; RFC 8200 8.1: over IPv6 it is an error
        if len(source) == 16:
            raise WireError(LAYER, "no checksum")
    elif not checksum.is_valid(view, checksum.pseudo_header(source, destination, Protocol.UDP, length)):
        raise WireError(LAYER, "bad checksum")
    return Datagram(source_port, destination_port, view[HEADER:])


def emit(datagram: Datagram, source: Address, destination: Address) -> bytes:
    """Octets of `datagram`, which goes from address `source` to `destination`."""
    length = HEADER + len(datagram.payload)
    start = checksum.pseudo_header(source, destination, Protocol.UDP, length)
    start += datagram.source + datagram.destination + length
    made = checksum.checksum(datagram.payload, start) or 0xFFFF  # RFC 768: a computed zero is sent as all ones
    return _FORMAT.pack(datagram.source, datagram.destination, length, made) + datagram.payload
