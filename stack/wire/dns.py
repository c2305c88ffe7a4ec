"""DNS messages of a stub resolver: queries out, responses in. dnspython reads the responses.

Read first: RFC 1035 4, RFC 6891 (EDNS), RFC 9715 (sizes over UDP).
"""

import enum
import struct
from typing import NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

from dns_platform.protocols import Octets
from stack.address import parse as parse_address
from stack.wire.error import WireError

LAYER = "dns"
PORT = 53
UDP_SIZE = 1232  # RFC 9715 3.1: no fragments on any usual path
_HEADER = struct.Struct("!HHHHHH")
MOST_RECORDS = 256
"""In a response that is looked at: dnspython takes up to a millisecond for each."""
_RECURSION_DESIRED = 0x0100
_OPT = struct.pack("!BHHIH", 0, 41, UDP_SIZE, 0, 0)
_IN = 1


class Type(enum.IntEnum):
    """Record types that the resolver looks at."""

    A = 1
    CNAME = 5
    SOA = 6
    AAAA = 28


class Rcode(enum.IntEnum):
    """Response codes that the resolver tells apart; all others are failures of the server."""

    NOERROR = 0
    NXDOMAIN = 3


class Query(NamedTuple):
    """A question for the wire name `name`, whose letter case is to come back as it is."""

    identifier: int
    name: bytes
    type: Type


class Record(NamedTuple):
    """A record of the answer: lower-case wire names; `data` is an address or the target of an alias."""

    name: bytes
    type: Type
    ttl_s: int
    data: bytes


class Response(NamedTuple):
    """What the resolver needs of a response; `negative_ttl_s` is that of RFC 2308 5, None without an SOA record."""

    identifier: int
    name: bytes
    type: int
    rcode: int
    truncated: bool
    records: tuple[Record, ...]
    negative_ttl_s: int | None


def parse_name(name: str) -> bytes:
    """Wire form of the absolute host name `name`, with or without a dot at its end. ValueError when it is none."""
    try:
        return dns.name.from_text(name, dns.name.root).to_wire() or b""
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(f"{name!r} is not a host name: {error}") from error


def text(name: bytes) -> str:
    """Wire name `name` for people."""
    return dns.name.from_wire(name, 0)[0].to_text(omit_final_dot=True)


def emit(query: Query) -> bytes:
    """Octets of `query`, recursion desired, with EDNS."""
    header = _HEADER.pack(query.identifier, _RECURSION_DESIRED, 1, 0, 0, 1)
    return b"".join((header, query.name, struct.pack("!HH", query.type, _IN), _OPT))


def parse(view: Octets) -> Response:
    """The response in `view`. WireError when it is none, or has more records than anybody needs: each costs time."""
    if len(view) < _HEADER.size:
        raise WireError(LAYER, "truncated")
    if sum(_HEADER.unpack_from(view)[3:]) > MOST_RECORDS:
        raise WireError(LAYER, "too many records")
    try:
        message = dns.message.from_wire(bytes(view), ignore_trailing=True)
    except dns.exception.DNSException as error:
        raise WireError(LAYER, "malformed") from error
    if not message.flags & dns.flags.QR or len(message.question) != 1:
        raise WireError(LAYER, "not a response to one question")
    question = message.question[0]
    records = tuple(record for rrset in message.answer for record in _records(rrset))
    negative = [
        min(rrset.ttl, rdata.minimum)
        for rrset in message.authority
        if rrset.rdtype == dns.rdatatype.SOA
        for rdata in rrset
    ]
    return Response(
        message.id,
        question.name.to_wire() or b"",
        int(question.rdtype),
        int(message.rcode()),
        bool(message.flags & dns.flags.TC),
        records,
        min(negative, default=None),
    )


def _records(rrset: dns.rrset.RRset) -> list[Record]:
    number = int(rrset.rdtype)
    if int(rrset.rdclass) != _IN or number not in (Type.A, Type.AAAA, Type.CNAME):
        return []
    kind = Type(number)
    name = fold(rrset.name.to_wire() or b"")
    if kind is Type.CNAME:
        return [Record(name, kind, rrset.ttl, fold(rdata.target.to_wire() or b"")) for rdata in rrset]
    return [Record(name, kind, rrset.ttl, parse_address(rdata.address)) for rdata in rrset]


def fold(name: bytes) -> bytes:
    """Lower-case form of the wire name `name`: lengths of labels are below 64, so no letter (RFC 4343)."""
    return name.lower()
