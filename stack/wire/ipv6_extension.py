"""IPv6 extension headers: walked with limits, so that a packet costs a bounded amount of work.

Read first: RFC 8200 4, RFC 8504 5.3 (limits).
"""

import enum
import struct
from typing import NamedTuple

from dns_platform.protocols import Octets
from stack.address import Address
from stack.wire.error import WireError
from stack.wire.ipv4 import Protocol, Quoted
from stack.wire.ipv6 import HEADER, Packet

LAYER = "ipv6"
FRAGMENT_HEADER = 8

HEADERS_LIMIT = 8  # extension headers in a packet
OPTIONS_LIMIT = 8  # options in a header, RFC 8504 5.3: at least as many
PADDING_LIMIT = 7  # octets of padding in a row, RFC 8504 5.3

_FRAGMENT = struct.Struct("!BBHI")
_PAD1 = 0
_PADN = 1
ROUTER_ALERT = bytes((5, 2, 0, 0, _PADN, 0))
"""Hop-by-hop options of an MLD message (RFC 2711, RFC 3810 5)."""


class ProblemCode(enum.IntEnum):
    """Codes of ICMPv6 parameter problems (RFC 4443 3.4)."""

    ERRONEOUS_FIELD = 0
    UNKNOWN_NEXT_HEADER = 1
    UNKNOWN_OPTION = 2


class ParameterProblem(WireError):
    """What is answered with an ICMPv6 parameter problem that points at octet `pointer` of the packet."""

    def __init__(self, reason: str, code: ProblemCode, pointer: int, *, even_to_group: bool = False) -> None:
        super().__init__(LAYER, reason)
        self.code = code
        self.pointer = pointer
        self.even_to_group = even_to_group


class Fragment(NamedTuple):
    """The fragment header (RFC 8200 4.5); `offset` is in octets."""

    next_header: int
    offset: int
    more_fragments: bool
    identification: int


class Chain(NamedTuple):
    """Where the extension headers of a packet end.

    `protocol` is what `payload` is of; `pointer` is the octet of the packet that names it. `fragment` is the last
    header walked when it was a fragment header: what follows it is part of something else.
    """

    protocol: int
    payload: memoryview
    pointer: int
    fragment: Fragment | None
    router_alert: bool


def parse(packet: Packet) -> Chain:
    """Walk the extension headers of `packet` up to the upper layer or the first fragment header."""
    payload = memoryview(packet.payload)
    kind, at, pointer, alert = packet.next_header, 0, 6, False
    for count in range(HEADERS_LIMIT + 1):
        if kind == Protocol.FRAGMENT:
            fragment, rest = parse_fragment(payload[at:])
            return Chain(fragment.next_header, rest, HEADER + at, fragment, alert)
        if kind not in (Protocol.HOP_BY_HOP, Protocol.DESTINATION_OPTIONS, Protocol.ROUTING):
            return Chain(kind, payload[at:], pointer, None, alert)
        if kind == Protocol.HOP_BY_HOP and count:
            # RFC 8200 4.1: only right after the IPv6 header; elsewhere it is an unrecognised next header
            raise ParameterProblem("hop-by-hop options not first", ProblemCode.UNKNOWN_NEXT_HEADER, pointer)
        header = _header(payload, at)
        if kind == Protocol.ROUTING:
            _check_routing(header, HEADER + at)
        else:
            alert |= _walk_options(header, HEADER + at)
        pointer, kind, at = HEADER + at, header[0], at + len(header)
    raise WireError(LAYER, "too many extension headers")


def parse_fragment(view: memoryview) -> tuple[Fragment, memoryview]:
    """The fragment header at the start of `view`, and what follows it."""
    if len(view) < FRAGMENT_HEADER:
        raise WireError(LAYER, "truncated fragment header")
    next_header, _, bits, identification = _FRAGMENT.unpack_from(view)
    return Fragment(next_header, bits & 0xFFF8, bool(bits & 1), identification), view[FRAGMENT_HEADER:]


def parse_quoted(view: memoryview) -> Quoted:
    """The packet of ours that `view` is the start of, as an ICMPv6 error quotes it.

    The only extension header that we send with what has an upper layer to tell is that of a fragment.
    """
    if len(view) < HEADER + 8 or view[0] >> 4 != 6:
        raise WireError(LAYER, "bad quotation")
    source, destination, protocol, payload = bytes(view[8:24]), bytes(view[24:40]), view[6], view[HEADER:]
    if protocol == Protocol.FRAGMENT:
        fragment, payload = parse_fragment(payload)
        if fragment.offset or len(payload) < 8:
            raise WireError(LAYER, "quotation is not of a first fragment")
        protocol = fragment.next_header
    return Quoted(source, destination, protocol, payload)


def emit_fragment(fragment: Fragment, payload: Octets) -> bytes:
    """Octets of the fragment header and of `payload`."""
    bits = fragment.offset | fragment.more_fragments
    return b"".join((_FRAGMENT.pack(fragment.next_header, 0, bits, fragment.identification), payload))


def emit_options(next_header: int, options: bytes) -> bytes:
    """A hop-by-hop or destination options header; `options` fill it: their length is 6 modulo 8."""
    assert len(options) % 8 == 6
    return bytes((next_header, len(options) // 8)) + options


def _header(payload: memoryview, at: int) -> memoryview:
    """The extension header at `at`: its second octet counts 8 octets beyond the first 8."""
    if at + 8 > len(payload):
        raise WireError(LAYER, "truncated extension header")
    size = 8 + payload[at + 1] * 8
    if at + size > len(payload):
        raise WireError(LAYER, "truncated extension header")
    return payload[at : at + size]


def _check_routing(header: memoryview, start: int) -> None:
    """RFC 8200 4.4: with no segments left the header is ignored, else the packet is refused; RFC 5095 for type 0."""
    if header[3]:
        raise ParameterProblem("routing header", ProblemCode.ERRONEOUS_FIELD, start + 2)


def _walk_options(header: memoryview, start: int) -> bool:
    """Walk the options of `header` (RFC 8200 4.2): is a router alert among them?"""
    at, count, padding, alert = 2, 0, 0, False
    while at < len(header):
        kind = header[at]
        if kind == _PAD1:
            size = 1
        else:
            size = 2 + header[at + 1] if at + 1 < len(header) else len(header)
            if at + size > len(header):
                raise WireError(LAYER, "bad option length")
        if kind in (_PAD1, _PADN):
            padding += size
            if padding > PADDING_LIMIT:
                raise WireError(LAYER, "too much padding")
        else:
            padding, count = 0, count + 1
            if count > OPTIONS_LIMIT:
                raise WireError(LAYER, "too many options")
            if kind == ROUTER_ALERT[0]:
                alert = True
            else:
                _unknown_option(kind, start + at)
        at += size
    return alert


def _unknown_option(kind: int, pointer: int) -> None:
    """RFC 8200 4.2: the two highest bits of an option that is not known say what to do with the packet."""
    match kind >> 6:
        case 0:
            return
        case 1:
            raise WireError(LAYER, "unknown option")
        case action:
            code = ProblemCode.UNKNOWN_OPTION
            raise ParameterProblem("unknown option", code, pointer, even_to_group=action == 2)


def is_local_scope(address: Address) -> bool:
    """May `address` only be used within a host (RFC 4291 2.5.3, 2.7: ::1, interface-local groups)?"""
    return address == bytes(15) + b"\x01" or (address[0] == 0xFF and address[1] & 0x0F <= 1)
