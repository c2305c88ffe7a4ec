"""NOTIFY messages, and what is said in reply.

Read first: RFC 1996 3, RFC 8914 (the text beside the response code).
"""

import struct
from dataclasses import dataclass
from typing import Final

import dns.edns
import dns.exception
import dns.message

from dns_server.answer.protocol import AA, CLASS_IN, HEADER_SIZE, OPCODE_SHIFT, QR, UDP_PAYLOAD, Opcode
from zones import rdtypes
from zones.rrset import RRset

_FIXED: Final = struct.Struct("!HHIH")  # type, class, TTL, RDLENGTH
_COUNTS: Final = struct.Struct("!HHHH")
_MOST_RECORDS: Final = 8
"""Question, copied SOA, OPT and TSIG, and some to spare: thousands of records would take seconds to parse."""
_QUESTION: Final = struct.Struct("!HH").pack(rdtypes.SOA, CLASS_IN)
_OPT: Final = struct.Struct("!xHHIH").pack(rdtypes.OPT, UDP_PAYLOAD, 0, 0)


class BadReply(Exception):
    """A message is no reply to our NOTIFY."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a server said to a NOTIFY."""

    rcode: int
    texts: tuple[str, ...]
    """Of extended errors."""


def notify(identity: int, zone: bytes, soa: RRset | None) -> bytes:
    """A NOTIFY for `zone` (wire name); `soa` tells which version there is (RFC 1996 3.7)."""
    flags = Opcode.NOTIFY << OPCODE_SHIFT | AA
    head = struct.pack("!HHHHHH", identity, flags, 1, 0 if soa is None else 1, 0, 1)
    record = b""
    if soa is not None:
        rdata = soa.rdatas[0]
        record = b"\xc0\x0c" + _FIXED.pack(rdtypes.SOA, CLASS_IN, soa.ttl, len(rdata)) + rdata
    return head + zone + _QUESTION + record + _OPT


def is_reply(wire: bytes, request: bytes) -> bool:
    """Whether `wire` has the header and the question of a reply to our `request`."""
    if len(wire) < HEADER_SIZE or wire[:2] != request[:2] or not wire[2] & QR >> 8:
        return False
    end = request.index(_QUESTION, HEADER_SIZE) + len(_QUESTION)
    question = wire[HEADER_SIZE:end]
    return (wire[2] ^ request[2]) & 0x78 == 0 and (wire[4:6] == b"\0\0" or question == request[HEADER_SIZE:end])


def read_reply(wire: bytes) -> Said:
    """What a reply says. BadReply when it is out of form."""
    if sum(_COUNTS.unpack_from(wire, 4)) > _MOST_RECORDS:
        raise BadReply("the reply has more records than one to a NOTIFY")
    try:
        message = dns.message.from_wire(wire, ignore_trailing=False, keyring=False)
    except (dns.exception.DNSException, ValueError) as error:
        raise BadReply(f"the reply is out of form: {error}") from None
    texts = tuple(
        option.text or f"extended error {option.code}"
        for option in message.options
        if isinstance(option, dns.edns.EDEOption)
    )
    return Said(int(message.rcode()), texts)
