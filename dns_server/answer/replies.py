"""Replies that carry no answer of a zone: refusals and acknowledgements; and OPT records with their options.

Read first: RFC 6891 6 and 7, RFC 8914 2.
"""

import struct
from typing import Final

from dns_server.answer.protocol import DO, HEADER_SIZE, OPCODE_SHIFT, QR, RD, UDP_PAYLOAD, Option
from dns_server.answer.request import Edns, Malformed, Request, question_end
from zones import rdtypes

_OPT: Final = struct.Struct("!xHHBBHH")  # root, type, payload, extended rcode, version, flags, RDLENGTH
_OPTION: Final = struct.Struct("!HH")
_EXTENDED_SHIFT: Final = 4  # the OPT record holds the rcode's bits above these
_MAX_TEXT: Final = 400  # octets, so that a reply fits a datagram
_OPCODE: Final = 0xF << OPCODE_SHIFT


def bare_reply(wire: bytes, rcode: int, question: bytes = b"") -> bytes:
    """A reply without records to `wire`, which has a header and is not taken apart: id, opcode and RD are its own."""
    flags = QR | int.from_bytes(wire[2:4], "big") & (_OPCODE | RD) | rcode
    return wire[:2] + flags.to_bytes(2, "big") + (b"\0\1" if question else b"\0\0") + bytes(6) + question


def question_of(wire: bytes) -> bytes:
    """The question section of `wire`; nothing where it has not one question that can be read."""
    if wire[4:6] != b"\0\1":
        return b""
    try:
        return wire[HEADER_SIZE : question_end(wire)]
    except Malformed:
        return b""


def reply(request: Request, rcode: int, options: bytes = b"", flags: int = 0) -> bytes:
    """A reply without records but OPT, where the request had that."""
    tail = opt(request.edns, options, rcode)
    bits = QR | request.flags & _OPCODE | request.recursion_desired | flags | rcode & 0xF
    counts = b"\0\1" + bytes(4) + (b"\0\1" if tail else b"\0\0")
    return request.id + bits.to_bytes(2, "big") + counts + request.question + tail


def opt(edns: Edns | None, options: bytes = b"", rcode: int = 0) -> bytes:
    """The OPT record for a reply with `rcode` to a request with `edns`; nothing where that had none (RFC 6891 7)."""
    if edns is None:
        return b""
    flags = DO if edns.do else 0
    return _OPT.pack(rdtypes.OPT, UDP_PAYLOAD, rcode >> _EXTENDED_SHIFT, 0, flags, len(options)) + options


def option(code: int, data: bytes) -> bytes:
    """An EDNS option."""
    return _OPTION.pack(code, len(data)) + data


def extended_error(code: int, text: str = "") -> bytes:
    """The option of an extended error (RFC 8914 2); a text that is too long is cut."""
    return option(Option.EDE, code.to_bytes(2, "big") + text.encode()[:_MAX_TEXT].decode(errors="ignore").encode())
