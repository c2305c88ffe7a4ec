"""Neighbour discovery: the bodies of ICMPv6 types 133 to 136 and their options.

Read first: RFC 4861 4.
"""

import struct
from typing import NamedTuple

from stack.address import Address, is_multicast
from stack.wire.error import WireError
from stack.wire.icmpv6 import Message, Type

LAYER = "ndp"
OPTIONS_LIMIT = 32

_SOURCE_MAC = 1
_TARGET_MAC = 2
_PREFIX = 3
_MTU = 5
_PREFIX_FORMAT = struct.Struct("!BBBBIII16s")


class Prefix(NamedTuple):
    """Prefix information (RFC 4861 4.6.2); lifetimes in seconds, ffffffff is for ever."""

    prefix: Address
    length: int
    on_link: bool
    autonomous: bool
    valid_s: int
    preferred_s: int


class Options(NamedTuple):
    """The options that mean something here; others are ignored (RFC 4861 4.6)."""

    source_mac: bytes | None = None
    target_mac: bytes | None = None
    prefixes: tuple[Prefix, ...] = ()
    mtu: int | None = None


class RouterSolicitation(NamedTuple):
    """Please advertise now (RFC 4861 4.1)."""

    options: Options


class RouterAdvertisement(NamedTuple):
    """What a router offers (RFC 4861 4.2); the lifetime in seconds, 0 of a router that is no default router."""

    hop_limit: int
    lifetime_s: int
    reachable_ms: int
    retransmit_ms: int
    options: Options


class NeighbourSolicitation(NamedTuple):
    """Who has `target` (RFC 4861 4.3)?"""

    target: Address
    options: Options


class NeighbourAdvertisement(NamedTuple):
    """I have `target` (RFC 4861 4.4)."""

    target: Address
    router: bool
    solicited: bool
    override: bool
    options: Options


Body = RouterSolicitation | RouterAdvertisement | NeighbourSolicitation | NeighbourAdvertisement

_ROUTER = 1 << 31
_SOLICITED = 1 << 30
_OVERRIDE = 1 << 29


def parse(message: Message) -> Body:
    """The body of `message`, whose type is one of these four."""
    body = memoryview(message.body)
    if message.code:
        raise WireError(LAYER, "code is not 0")
    match message.type:
        case Type.ROUTER_SOLICITATION:
            return RouterSolicitation(_parse_options(body))
        case Type.ROUTER_ADVERTISEMENT:
            if len(body) < 8:
                raise WireError(LAYER, "too short")
            reachable, retransmit = struct.unpack_from("!II", body)
            return RouterAdvertisement(
                message.rest >> 24, message.rest & 0xFFFF, reachable, retransmit, _parse_options(body[8:])
            )
        case Type.NEIGHBOUR_SOLICITATION:
            return NeighbourSolicitation(_target(body), _parse_options(body[16:]))
        case Type.NEIGHBOUR_ADVERTISEMENT:
            flags = message.rest
            return NeighbourAdvertisement(
                _target(body),
                bool(flags & _ROUTER),
                bool(flags & _SOLICITED),
                bool(flags & _OVERRIDE),
                _parse_options(body[16:]),
            )
        case _:
            raise WireError(LAYER, "not a message of neighbour discovery")


def emit(body: Body) -> Message:
    """The message that carries `body`."""
    match body:
        case RouterSolicitation(options):
            return Message(Type.ROUTER_SOLICITATION, 0, 0, _emit_options(options))
        case RouterAdvertisement(hop_limit, lifetime, reachable, retransmit, options):
            times = struct.pack("!II", reachable, retransmit)
            return Message(Type.ROUTER_ADVERTISEMENT, 0, hop_limit << 24 | lifetime, times + _emit_options(options))
        case NeighbourSolicitation(target, options):
            return Message(Type.NEIGHBOUR_SOLICITATION, 0, 0, target + _emit_options(options))
        case NeighbourAdvertisement(target, router, solicited, override, options):
            flags = (_ROUTER if router else 0) | (_SOLICITED if solicited else 0) | (_OVERRIDE if override else 0)
            return Message(Type.NEIGHBOUR_ADVERTISEMENT, 0, flags, target + _emit_options(options))


def _target(body: memoryview) -> Address:
    if len(body) < 16:
        raise WireError(LAYER, "too short")
    target = bytes(body[:16])
    if is_multicast(target):  # RFC 4861 7.1.1, 7.1.2
        raise WireError(LAYER, "target is a group")
    return target


def _parse_options(view: memoryview) -> Options:
    """RFC 4861 4.6: each option is (type, length in 8 octets, value); a length of 0 spoils the packet."""
    source_mac = target_mac = mtu = None
    prefixes = []
    at = count = 0
    while at < len(view):
        size = view[at + 1] * 8 if at + 1 < len(view) else 0
        if size == 0 or at + size > len(view):
            raise WireError(LAYER, "bad option length")
        count += 1
        if count > OPTIONS_LIMIT:
            raise WireError(LAYER, "too many options")
        option = view[at : at + size]
        match option[0], size:
            case (1, 8):
                source_mac = _mac(option)
            case (2, 8):
                target_mac = _mac(option)
            case (3, 32):
                prefixes.append(_parse_prefix(option))
            case (5, 8):
                mtu = int.from_bytes(option[4:8])
        at += size
    return Options(source_mac, target_mac, tuple(prefixes), mtu)


def _mac(option: memoryview) -> bytes:
    if option[2] & 1:
        raise WireError(LAYER, "link-layer address is a group")
    return bytes(option[2:8])


def _parse_prefix(option: memoryview) -> Prefix:
    _, _, length, flags, valid, preferred, _, prefix = _PREFIX_FORMAT.unpack(option)
    if length > 128:
        raise WireError(LAYER, "bad prefix length")
    return Prefix(prefix, length, bool(flags & 0x80), bool(flags & 0x40), valid, preferred)


def _emit_options(options: Options) -> bytes:
    parts = []
    if options.source_mac is not None:
        parts.append(bytes((_SOURCE_MAC, 1)) + options.source_mac)
    if options.target_mac is not None:
        parts.append(bytes((_TARGET_MAC, 1)) + options.target_mac)
    for prefix in options.prefixes:
        flags = (0x80 if prefix.on_link else 0) | (0x40 if prefix.autonomous else 0)
        parts.append(
            _PREFIX_FORMAT.pack(_PREFIX, 4, prefix.length, flags, prefix.valid_s, prefix.preferred_s, 0, prefix.prefix)
        )
    if options.mtu is not None:
        parts.append(struct.pack("!BBHI", _MTU, 1, 0, options.mtu))
    return b"".join(parts)
