"""Replies to messages that are not taken apart: a header, and the question where it can be read."""

from dns_server.answer.protocol import HEADER_SIZE, OPCODE_SHIFT, QR, RD
from dns_server.answer.request import Malformed, question_end


def bare_reply(wire: bytes, rcode: int, question: bytes = b"") -> bytes:
    """A reply without records to `wire`, which has a header: id, opcode and RD are its own."""
    flags = QR | int.from_bytes(wire[2:4], "big") & (0xF << OPCODE_SHIFT | RD) | rcode
    return wire[:2] + flags.to_bytes(2, "big") + (b"\0\1" if question else b"\0\0") + bytes(6) + question


def question_of(wire: bytes) -> bytes:
    """The question section of `wire`; nothing where it has not one question that can be read."""
    if wire[4:6] != b"\0\1":
        return b""
    try:
        return wire[HEADER_SIZE : question_end(wire)]
    except Malformed:
        return b""
