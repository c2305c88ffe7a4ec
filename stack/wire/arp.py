"""ARP for IPv4 over Ethernet.

Read first: RFC 826, RFC 5227 1.1.
"""

import enum
import struct
from typing import NamedTuple

from stack.address import Address
from stack.wire.error import WireError
from stack.wire.ethernet import EtherType

LAYER = "arp"
LENGTH = 28
HARDWARE_ETHERNET = 1

_FORMAT = struct.Struct("!HHBBH6s4s6s4s")
_KIND = (HARDWARE_ETHERNET, int(EtherType.IPV4), 6, 4)


class Operation(enum.IntEnum):
    """The two operations of RFC 826."""

    REQUEST = 1
    REPLY = 2


class Packet(NamedTuple):
    """An ARP packet; MACs of 6 octets, addresses of 4."""

    operation: Operation
    sender_mac: bytes
    sender: Address
    target_mac: bytes
    target: Address


def parse(view: memoryview) -> Packet:
    """The packet in `view`, which may be padded."""
    if len(view) < LENGTH:
        raise WireError(LAYER, "too short")
    *kind, operation, sender_mac, sender, target_mac, target = _FORMAT.unpack_from(view)
    if tuple(kind) != _KIND:
        raise WireError(LAYER, "not Ethernet and IPv4")
    if operation not in (Operation.REQUEST, Operation.REPLY):
        raise WireError(LAYER, "unknown operation")
    if sender_mac[0] & 1:
        raise WireError(LAYER, "sender is a group")
    return Packet(Operation(operation), sender_mac, sender, target_mac, target)


def emit(packet: Packet) -> bytes:
    """Octets of `packet`, 28 of them."""
    return _FORMAT.pack(*_KIND, *packet)
