"""IPv6 packets; what follows the fixed header is in `ipv6_extension`.

Read first: RFC 8200 3.
"""

import struct
from typing import NamedTuple

from dns_platform.protocols import Octets
from stack.address import Address
from stack.wire.error import WireError

LAYER = "ipv6"
HEADER = 40
MAXIMUM_PAYLOAD = 65535  # without RFC 2675
MINIMUM_MTU = 1280  # RFC 8200 5: every link carries as much

_FORMAT = struct.Struct("!IHBB16s16s")


class Packet(NamedTuple):
    """A packet; `payload` begins with the header that `next_header` names."""

    source: Address
    destination: Address
    next_header: int
    payload: Octets
    hop_limit: int = 64
    traffic_class: int = 0
    flow_label: int = 0


def parse(view: memoryview) -> Packet:
    """The packet in `view`, which may be padded."""
    if len(view) < HEADER:
        raise WireError(LAYER, "too short")
    first, length, next_header, hop_limit, source, destination = _FORMAT.unpack_from(view)
    if first >> 28 != 6:
        raise WireError(LAYER, "version is not 6")
    # A payload length of zero is a jumbogram (RFC 2675) or an empty packet; the first is not spoken here.
    if HEADER + length > len(view):
        raise WireError(LAYER, "truncated")
    if source[0] == 0xFF:  # RFC 4291 2.7: a group is never a source
        raise WireError(LAYER, "source is a group")
    payload = view[HEADER : HEADER + length]
    return Packet(source, destination, next_header, payload, hop_limit, first >> 20 & 0xFF, first & 0xFFFFF)


def emit(packet: Packet) -> bytes:
    """Octets of `packet`. The caller sees to it that the length of the payload fits 16 bits."""
    return b"".join((header(packet, len(packet.payload)), packet.payload))


def header(packet: Packet, length: int) -> bytes:
    """The header of `packet` as it is before `length` octets of payload, whatever its own."""
    return _FORMAT.pack(
        6 << 28 | packet.traffic_class << 20 | packet.flow_label,
        length,
        packet.next_header,
        packet.hop_limit,
        packet.source,
        packet.destination,
    )
