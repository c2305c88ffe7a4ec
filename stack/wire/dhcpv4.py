"""DHCP messages for IPv4.

Read first: RFC 2131 2, RFC 2132, RFC 3396 (long and split options).
"""

import enum
import struct
from collections.abc import Mapping
from typing import NamedTuple

from dns_platform.protocols import Octets
from stack.address import IPV4_UNSPECIFIED, Address
from stack.wire.error import WireError

LAYER = "dhcpv4"
SERVER_PORT = 67
CLIENT_PORT = 68
FIXED = 236
COOKIE = bytes((99, 130, 83, 99))
MINIMUM = 300  # RFC 1542 2.1: what every relay and server takes; shorter messages are padded

BROADCAST_FLAG = 0x8000
_FORMAT = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
_ETHERNET = (1, 6)


class Direction(enum.IntEnum):
    """The `op` field."""

    REQUEST = 1
    REPLY = 2


class Kind(enum.IntEnum):
    """Option 53 (RFC 2132 9.6)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


class Option(enum.IntEnum):
    """Options that mean something here (RFC 2132)."""

    PAD = 0
    SUBNET_MASK = 1
    ROUTER = 3
    NAME_SERVERS = 6
    HOST_NAME = 12
    DOMAIN_NAME = 15
    INTERFACE_MTU = 26
    REQUESTED_ADDRESS = 50
    LEASE_TIME = 51
    OVERLOAD = 52
    MESSAGE_TYPE = 53
    SERVER_IDENTIFIER = 54
    PARAMETER_REQUEST = 55
    MESSAGE = 56
    MAXIMUM_SIZE = 57
    RENEWAL_TIME = 58
    REBINDING_TIME = 59
    CLIENT_IDENTIFIER = 61
    END = 255


class Message(NamedTuple):
    """A message. `options` are as they come off the wire, split ones joined, without pad, end and overload."""

    direction: Direction
    transaction: int
    client_mac: bytes
    options: Mapping[int, bytes]
    seconds: int = 0
    broadcast: bool = False
    client: Address = IPV4_UNSPECIFIED
    yours: Address = IPV4_UNSPECIFIED
    server: Address = IPV4_UNSPECIFIED
    relay: Address = IPV4_UNSPECIFIED

    @property
    def kind(self) -> Kind | None:
        """Option 53, None when it is missing or unknown."""
        value = self.options.get(Option.MESSAGE_TYPE, b"")
        return Kind(value[0]) if len(value) == 1 and value[0] in Kind._value2member_map_ else None

    def address(self, option: Option) -> Address | None:
        """Value of `option`: the first address in it, None when it is missing or too short."""
        value = self.options.get(option, b"")
        return value[:4] if len(value) >= 4 else None

    def addresses(self, option: Option) -> tuple[Address, ...]:
        """Value of `option`: all whole addresses in it."""
        value = self.options.get(option, b"")
        return tuple(value[at : at + 4] for at in range(0, len(value) - 3, 4))

    def number(self, option: Option, octets: int) -> int | None:
        """Value of `option` as a number of `octets`, None when it is missing or has another length."""
        value = self.options.get(option, b"")
        return int.from_bytes(value) if len(value) == octets else None


def parse(view: memoryview) -> Message:
    """The message in `view`, a UDP payload."""
    if len(view) < FIXED + len(COOKIE):
        raise WireError(LAYER, "too short")
    (
        direction,
        *hardware,
        _,
        transaction,
        seconds,
        flags,
        client,
        yours,
        server,
        relay,
        client_mac,
        server_name,
        file,
    ) = _FORMAT.unpack_from(view)
    if direction not in (Direction.REQUEST, Direction.REPLY):
        raise WireError(LAYER, "neither request nor reply")
    if tuple(hardware) != _ETHERNET:
        raise WireError(LAYER, "not Ethernet")
    if view[FIXED : FIXED + 4] != COOKIE:
        raise WireError(LAYER, "no magic cookie")
    options: dict[int, bytes] = {}
    _parse_options(bytes(view[FIXED + 4 :]), options)
    overload = options.pop(Option.OVERLOAD, b"\0")
    if len(overload) != 1 or overload[0] > 3:
        raise WireError(LAYER, "bad overload")
    # RFC 2131 4.1: the file field first, then the server name
    if overload[0] & 1:
        _parse_options(file, options)
    if overload[0] & 2:
        _parse_options(server_name, options)
    return Message(
        Direction(direction),
        transaction,
        client_mac[:6],
        options,
        seconds,
        bool(flags & BROADCAST_FLAG),
        client,
        yours,
        server,
        relay,
    )


def emit(message: Message) -> bytes:
    """Octets of `message`, at least 300 of them."""
    fixed = _FORMAT.pack(
        message.direction,
        *_ETHERNET,
        0,
        message.transaction,
        message.seconds,
        BROADCAST_FLAG if message.broadcast else 0,
        message.client,
        message.yours,
        message.server,
        message.relay,
        message.client_mac,
        b"",
        b"",
    )
    parts = [fixed, COOKIE]
    for option, value in message.options.items():
        # RFC 3396 7: what is longer than 255 octets is split over several options of the same code
        for at in range(0, len(value) or 1, 255):
            piece = value[at : at + 255]
            parts.append(bytes((option, len(piece))) + piece)
    parts.append(bytes((Option.END,)))
    return b"".join(parts).ljust(MINIMUM, b"\0")


def _parse_options(data: Octets, options: dict[int, bytes]) -> None:
    """Add the options in `data` to `options`; RFC 3396 5: those that come several times are joined."""
    at = 0
    while at < len(data):
        code = data[at]
        at += 1
        if code == Option.PAD:
            continue
        if code == Option.END:
            return
        if at >= len(data) or at + 1 + data[at] > len(data):
            raise WireError(LAYER, "truncated option")
        size = data[at]
        options[code] = options.get(code, b"") + bytes(data[at + 1 : at + 1 + size])
        at += 1 + size
