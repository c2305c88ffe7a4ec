"""Replies that carry no answer of a zone: refusals and acknowledgements, with OPT where the request had it."""

import struct
from typing import Final

from dns_server.answer.protocol import OPCODE_SHIFT, QR, UDP_PAYLOAD, Option, Type
from dns_server.answer.request import Request

_OPT: Final = struct.Struct("!xHHBBHH")  # root, type, payload, extended rcode, version, flags, RDLENGTH
_OPTION: Final = struct.Struct("!HH")
_DO: Final = 0x8000
_MAX_TEXT: Final = 400  # octets, so that a reply fits a datagram
_OPCODE: Final = 0xF << OPCODE_SHIFT


def option(code: int, data: bytes) -> bytes:
    """An EDNS option."""
    return _OPTION.pack(code, len(data)) + data


def extended_error(code: int, text: str = "") -> bytes:
    """The option of an extended error (RFC 8914 2); a text that is too long is cut."""
    return option(Option.EDE, code.to_bytes(2, "big") + text.encode()[:_MAX_TEXT].decode(errors="ignore").encode())


def opt(request: Request, options: bytes = b"", rcode: int = 0) -> bytes:
    """The OPT record for a reply with `rcode` to `request`; nothing where that had none (RFC 6891 7)."""
    if request.edns is None:
        return b""
    return _OPT.pack(Type.OPT, UDP_PAYLOAD, rcode >> 4, 0, _DO if request.edns.do else 0, len(options)) + options


def reply(request: Request, rcode: int, options: bytes = b"", flags: int = 0) -> bytes:
    """A reply without records but OPT."""
    tail = opt(request, options, rcode)
    bits = QR | request.flags & _OPCODE | request.recursion_desired | flags | rcode & 0xF
    counts = b"\0\1" + bytes(4) + (b"\0\1" if tail else b"\0\0")
    return request.id + bits.to_bytes(2, "big") + counts + request.question + tail
