"""IPv4 packets. Options are walked for safety and otherwise ignored.

Read first: RFC 791 3.1, RFC 1122 3.2.1, RFC 7126 (options).
"""

import enum
import struct
from typing import NamedTuple

from dns_platform.protocols import Octets
from stack.address import Address
from stack.wire import checksum
from stack.wire.error import WireError

LAYER = "ipv4"
HEADER = 20
MINIMUM_MTU = 68  # RFC 791 3.2: every link carries as much
MAXIMUM = 65535

_FORMAT = struct.Struct("!BBHHHBBH4s4s")
_DO_NOT_FRAGMENT = 0x4000
_MORE_FRAGMENTS = 0x2000
_END_OF_OPTIONS = 0
_NO_OPERATION = 1
_SOURCE_ROUTES = (131, 137)


class Protocol(enum.IntEnum):
    """Protocol numbers and IPv6 next headers of what this stack speaks (IANA's one registry)."""

    HOP_BY_HOP = 0
    ICMP = 1
    TCP = 6
    UDP = 17
    ROUTING = 43
    FRAGMENT = 44
    ICMPV6 = 58
    NO_NEXT_HEADER = 59
    DESTINATION_OPTIONS = 60


class Packet(NamedTuple):
    """A packet or a fragment of one. `offset` is in octets; `options` are padded to whole 32-bit words."""

    source: Address
    destination: Address
    protocol: int
    payload: Octets
    ttl: int = 64
    identification: int = 0
    do_not_fragment: bool = False
    more_fragments: bool = False
    offset: int = 0
    tos: int = 0
    options: bytes = b""


def parse(view: memoryview) -> Packet:
    """The packet in `view`, which may be padded."""
    if len(view) < HEADER:
        raise WireError(LAYER, "too short")
    first, tos, length, identification, fragment, ttl, protocol, _, source, destination = _FORMAT.unpack_from(view)
    if first >> 4 != 4:
        raise WireError(LAYER, "version is not 4")
    header = (first & 0x0F) * 4
    if header < HEADER or header > length:
        raise WireError(LAYER, "bad header length")
    if length > len(view):
        raise WireError(LAYER, "truncated")
    # RFC 1122 3.2.1.2: verify the checksum and silently discard what does not match
    if not checksum.is_valid(view[:header]):
        raise WireError(LAYER, "bad checksum")
    options = bytes(view[HEADER:header])
    if options:
        _check_options(options)
    offset = (fragment & 0x1FFF) * 8
    more = bool(fragment & _MORE_FRAGMENTS)
    size = length - header
    if more and (size == 0 or size & 7):
        raise WireError(LAYER, "fragment is not a multiple of 8")  # RFC 791 3.2: only the last may be
    if header + offset + size > MAXIMUM:
        raise WireError(LAYER, "fragment past the end")
    return Packet(
        source,
        destination,
        protocol,
        view[header:length],
        ttl,
        identification,
        bool(fragment & _DO_NOT_FRAGMENT),
        more,
        offset,
        tos,
        options,
    )


class Quoted(NamedTuple):
    """The start of a packet of ours, as an ICMP error quotes it; nothing of it is verified."""

    source: Address
    destination: Address
    protocol: int
    payload: memoryview


def parse_quoted(view: memoryview) -> Quoted:
    """The packet that `view` is the start of. RFC 792 quotes its header and 8 octets more at least."""
    header = (view[0] & 0x0F) * 4 if view else 0
    if header < HEADER or len(view) < header + 8 or view[0] >> 4 != 4:
        raise WireError(LAYER, "bad quotation")
    if int.from_bytes(view[6:8]) & 0x1FFF:
        raise WireError(LAYER, "quotation is not of a first fragment")
    return Quoted(bytes(view[12:16]), bytes(view[16:20]), view[9], view[header:])


def emit(packet: Packet) -> bytes:
    """Octets of `packet`. The caller sees to it that the length fits 16 bits and that offsets are multiples of 8."""
    return b"".join((header(packet, len(packet.payload)), packet.payload))


def header(packet: Packet, length: int) -> bytes:
    """The header of `packet` as it is before `length` octets of payload, whatever its own."""
    octets = HEADER + len(packet.options)
    fragment = (
        packet.offset >> 3
        | (_DO_NOT_FRAGMENT if packet.do_not_fragment else 0)
        | (_MORE_FRAGMENTS if packet.more_fragments else 0)
    )
    fixed = _FORMAT.pack(
        0x40 | octets >> 2,
        packet.tos,
        octets + length,
        packet.identification,
        fragment,
        packet.ttl,
        packet.protocol,
        0,
        packet.source,
        packet.destination,
    )
    made = checksum.checksum(fixed + packet.options)
    return b"".join((fixed[:10], made.to_bytes(2), fixed[12:], packet.options))


def _check_options(options: bytes) -> None:
    """Walk `options`; WireError when one runs over the end, or is a source route."""
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == _END_OF_OPTIONS:
            return
        if kind == _NO_OPERATION:
            at += 1
            continue
        if kind in _SOURCE_ROUTES:
            raise WireError(LAYER, "source route")  # RFC 7126 4.3, 4.4: drop by default
        length = options[at + 1] if at + 1 < len(options) else 0
        if length < 2 or at + length > len(options):
            raise WireError(LAYER, "bad option length")
        at += length  # RFC 1122 3.2.1.8: ignore options that are not understood
