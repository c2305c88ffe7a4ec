"""An UPDATE message taken apart.

Read first: RFC 2136 2 (format), RFC 3597 4 (names in rdata may be compressed for old types alone, in what we send).
"""

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from dns_server.answer.protocol import CLASS_IN, CLASS_NONE, HEADER_SIZE
from dns_server.answer.request import Malformed, Request
from zones import name as names
from zones.rdtypes import is_meta
from zones.slices import Sliced

_COUNTS: Final = struct.Struct("!HHHH")
_RECORD: Final = struct.Struct("!HHIH")  # type, class, TTL, RDLENGTH


class Record(NamedTuple):
    """A record of the prerequisite or the update section."""

    owner: bytes
    """Folded wire name."""
    rdtype: int
    rdclass: int
    ttl: int
    rdata: bytes
    """Uncompressed; empty where the message has none."""


@dataclass(frozen=True, slots=True)
class UpdateMessage:
    """One message."""

    request: Request
    """What replies are made from; its question is the zone section."""
    prerequisites: tuple[Record, ...]
    updates: tuple[Record, ...]

    @property
    def zone(self) -> bytes:
        """ZNAME, folded."""
        return self.request.name


def read(wire: bytes, request: Request) -> Sliced[UpdateMessage]:
    """The message in `wire`, of which `request` is what was parsed before, and which has no TSIG record. Malformed.

    A message may have thousands of records with names of a hundred labels each, which takes seconds.
    """
    _, prerequisites, updates, _ = _COUNTS.unpack_from(wire, 4)
    reader = _Reader(wire, HEADER_SIZE + len(request.question))
    required: list[Record] = []
    wanted: list[Record] = []
    try:
        for _ in range(prerequisites):
            required.append(reader.record(is_update=False))
            yield
        for _ in range(updates):
            wanted.append(reader.record(is_update=True))
            yield
    except (struct.error, dns.exception.DNSException):
        raise Malformed("a record is out of form", request.question) from None
    return UpdateMessage(request, tuple(required), tuple(wanted))


class _Reader:
    """Records one after the other. struct.error, DNSException."""

    def __init__(self, wire: bytes, position: int) -> None:
        self._wire = wire
        self._position = position

    def record(self, *, is_update: bool) -> Record:
        """The next record of a section of RFC 2136."""
        name, used = dns.name.from_wire(self._wire, self._position)
        rdtype, rdclass, ttl, length = _RECORD.unpack_from(self._wire, self._position + used)
        start = self._position + used + _RECORD.size
        self._position = start + length
        raw = self._wire[start : self._position]
        # RFC 2136 2.4, 2.5: rdata of classes ANY and NONE is mostly empty, and then means all of a type or name.
        has_rdata = not is_meta(rdtype) and (rdclass == CLASS_IN or (rdclass == CLASS_NONE and (raw or is_update)))
        if has_rdata:
            known = dns.rdatatype.RdataType.make(rdtype)
            rdata = dns.rdata.from_wire(dns.rdataclass.IN, known, self._wire, start, length)
            raw = rdata.to_wire() or b""
        return Record(names.fold(name.to_wire() or b""), rdtype, rdclass, ttl, raw)
