"""Ethernet II frames. The frame check sequence and padding to 60 octets are the device's.

Read first: RFC 894, RFC 2464; IEEE 802.3 3.2.
"""

import enum
from typing import NamedTuple

from dns_platform.protocols import Octets
from stack.wire.error import WireError

LAYER = "ethernet"
HEADER = 14


class EtherType(enum.IntEnum):
    """What a frame carries, of what this stack speaks."""

    IPV4 = 0x0800
    ARP = 0x0806
    IPV6 = 0x86DD


class Frame(NamedTuple):
    """A frame; the addresses are six octets each."""

    destination: bytes
    source: bytes
    ether_type: int
    payload: Octets


def parse(view: memoryview) -> Frame:
    """The frame in `view`; its payload is a view with whatever padding there is."""
    if len(view) < HEADER:
        raise WireError(LAYER, "too short")
    source = bytes(view[6:12])
    if source[0] & 1:  # IEEE 802.3 3.2.3: a group can't send
        raise WireError(LAYER, "source is a group")
    return Frame(bytes(view[:6]), source, view[12] << 8 | view[13], view[HEADER:])


def emit(frame: Frame) -> bytes:
    """Octets of `frame`."""
    return b"".join((frame.destination, frame.source, frame.ether_type.to_bytes(2), frame.payload))
