"""A message that came in, taken apart as far as answering needs.

Read first: RFC 1035 4, RFC 6891 6, RFC 9619.
"""

import struct
from dataclasses import dataclass
from typing import Final

from dns_server.answer.core.cookies import is_size
from dns_server.answer.protocol import DO, HEADER_SIZE, RD, UDP_MINIMUM, Option
from zones import rdtypes
from zones.name import MAX_LABEL, MAX_NAME, ROOT, fold

_COUNTS: Final = struct.Struct("!HHHH")
_PAIR: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")  # type, class, TTL, RDLENGTH
_POINTER: Final = 0xC0


class Malformed(Exception):
    """The message breaks a rule of its format: a FORMERR. `question` is what may be echoed of it."""

    def __init__(self, reason: str, question: bytes = b"") -> None:
        super().__init__(reason)
        self.question = question


@dataclass(frozen=True, slots=True)
class Edns:
    """The OPT record of a request (RFC 6891 6.1)."""

    version: int
    payload: int
    """Octets that the asker takes over UDP, at least 512 (RFC 6891 6.2.3)."""
    do: bool
    """DNSSEC OK (RFC 3225)."""
    options: tuple[tuple[int, bytes], ...] = ()

    @property
    def cookie(self) -> bytes:
        """Data of the COOKIE option; of several the first counts (RFC 7873 5.2). Empty where there is none."""
        return next((data for code, data in self.options if code == Option.COOKIE), b"")

    def has(self, code: int) -> bool:
        """Whether an option with `code` is there."""
        return any(option == code for option, _ in self.options)


@dataclass(slots=True)
class Request:
    """A request with one question. Nobody changes it; frozen dataclasses take too long to make."""

    id: bytes
    """Two octets."""
    flags: int
    """Octets 2 and 3 of the header."""
    qname: bytes
    """Wire name in the asker's letter case."""
    qtype: int
    qclass: int
    edns: Edns | None
    tsig: bool
    """Whether a TSIG record ends the message (RFC 8945 5.1)."""
    name: bytes
    """`qname` folded."""

    @property
    def question(self) -> bytes:
        """The question section."""
        return self.qname + _PAIR.pack(self.qtype, self.qclass)

    @property
    def recursion_desired(self) -> int:
        """The RD bit, which replies copy (RFC 1035 4.1.1)."""
        return self.flags & RD


def parse(wire: bytes, *, tells: bool = False) -> Request:
    """The request in `wire`, which has at least a header. Malformed if it is none that can be answered.

    `tells` is for requests that tell something in their answer and authority sections, as NOTIFY does (RFC 1996 3.7).

    The question's name may not be compressed: there is nothing that it could point to.
    """
    questions, answers, authorities, additionals = _COUNTS.unpack_from(wire, 4)
    if questions != 1:  # RFC 9619: never more than one; none at all asks nothing
        raise Malformed("the question count is not 1")
    end = question_end(wire)
    qtype, qclass = _PAIR.unpack_from(wire, end - 4)
    qname = wire[HEADER_SIZE : end - 4]
    flags = int.from_bytes(wire[2:4], "big")
    question = wire[HEADER_SIZE:end]
    if not tells and (
        answers or (authorities and qtype != rdtypes.IXFR)
    ):  # RFC 1995 3: IXFR brings its SOA in the authority section
        raise Malformed("records in the answer or authority section of a query", question)
    edns: Edns | None = None
    tsig = False
    try:
        position = end
        for _ in range(answers + authorities):
            position = skip_name(wire, position)
            position += _RECORD.size + _RECORD.unpack_from(wire, position)[3]
        for index in range(additionals):
            start, position = position, skip_name(wire, position)
            rdtype, rdclass, ttl, length = _RECORD.unpack_from(wire, position)
            position += _RECORD.size
            rdata = wire[position : position + length]
            position += length
            if position > len(wire):
                raise Malformed("a record runs over the end", question)
            if rdtype == rdtypes.OPT:
                if edns is not None or wire[start : start + 1] != ROOT:  # RFC 6891 6.1.1, 6.1.2
                    raise Malformed("a second OPT, or one that is not the root's", question)
                edns = _edns(rdclass, ttl, rdata, question)
            elif rdtype == rdtypes.TSIG:
                if index != additionals - 1:  # RFC 8945 5.1
                    raise Malformed("TSIG is not the last record", question)
                tsig = True
    except struct.error:
        raise Malformed("a record runs over the end", question) from None
    if position != len(wire):
        raise Malformed("octets behind the last record", question)
    return Request(wire[:2], flags, qname, qtype, qclass, edns, tsig, fold(qname))


def question_end(wire: bytes) -> int:
    """Where the one question ends."""
    position, end = HEADER_SIZE, len(wire)
    while position < end:
        length = wire[position]
        position += 1 + length
        if not length:
            break
        if length > MAX_LABEL:
            raise Malformed("compression or an unknown label type in the question")
    if position - HEADER_SIZE > MAX_NAME:
        raise Malformed("the question's name is longer than 255 octets")
    if position + 4 > end:
        raise Malformed("the question runs over the end")
    return position + 4


def skip_name(wire: bytes, position: int) -> int:
    """Where the name at `position` ends; pointers are not followed, for no such name is looked at."""
    end = len(wire)
    while position < end:
        length = wire[position]
        if length >= _POINTER:
            return position + 2
        if length > MAX_LABEL:
            raise Malformed("unknown label type")
        position += 1 + length
        if not length:
            return position
    raise Malformed("a name runs over the end")


def _edns(payload: int, ttl: int, rdata: bytes, question: bytes) -> Edns:
    """An OPT record: CLASS is the payload, TTL is extended rcode, version and flags (RFC 6891 6.1.3)."""
    options: list[tuple[int, bytes]] = []
    position = 0
    while position < len(rdata):
        if position + 4 > len(rdata):
            raise Malformed("an EDNS option is cut off", question)
        code, length = _PAIR.unpack_from(rdata, position)
        position += 4 + length
        if position > len(rdata):
            raise Malformed("an EDNS option runs over its record", question)
        if code == Option.COOKIE and not is_size(length):  # RFC 7873 5.2.2
            raise Malformed(f"a cookie of {length} octets", question)
        options.append((code, rdata[position - length : position]))
    return Edns((ttl >> 16) & 0xFF, max(payload, UDP_MINIMUM), bool(ttl & DO), tuple(options))
