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

from dns_server.answer.protocol import CLASS_IN, HEADER_SIZE, UDP_MINIMUM, Type
from dns_server.answer.request import Edns, Malformed, Request, question_end
from zones import name as names
from zones.rdtypes import is_meta

CLASS_NONE: Final = 254
CLASS_ANY: Final = 255
_COUNTS: Final = struct.Struct("!HHHH")
_PAIR: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")  # type, class, TTL, RDLENGTH
_DO: Final = 0x8000
_VERSION_SHIFT: Final = 16  # RFC 6891 6.1.3: extended rcode, version and flags stand in the TTL


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


def parse(wire: bytes) -> UpdateMessage:
    """The message in `wire`, which has a header and no TSIG record. Malformed."""
    zones, prerequisites, updates, additionals = _COUNTS.unpack_from(wire, 4)
    if zones != 1:  # RFC 2136 3.1.1
        raise Malformed("the zone section has not exactly one record")
    end = question_end(wire)
    question = wire[HEADER_SIZE:end]
    zone_type, zone_class = _PAIR.unpack_from(wire, end - 4)
    flags = int.from_bytes(wire[2:4], "big")
    try:
        reader = _Reader(wire, end)
        required = tuple([reader.record(is_update=False) for _ in range(prerequisites)])
        wanted = tuple([reader.record(is_update=True) for _ in range(updates)])
        edns = None
        for _ in range(additionals):
            found = reader.additional()
            if found is not None:
                if edns is not None:  # RFC 6891 6.1.1
                    raise Malformed("a second OPT record", question)
                edns = found
    except (struct.error, dns.exception.DNSException):
        raise Malformed("a record is out of form", question) from None
    if reader.position != len(wire):
        raise Malformed("octets behind the last record", question)
    name = question[:-4]
    request = Request(wire[:2], flags, name, zone_type, zone_class, edns, tsig=False, name=names.fold(name))
    return UpdateMessage(request, required, wanted)


class _Reader:
    """Records one after the other. struct.error, DNSException, Malformed."""

    def __init__(self, wire: bytes, position: int) -> None:
        self._wire = wire
        self.position = position

    def record(self, *, is_update: bool) -> Record:
        """The next record of a section of RFC 2136."""
        owner, rdtype, rdclass, ttl, length = self._head()
        start = self.position - length
        raw = self._wire[start : self.position]
        # RFC 2136 2.4, 2.5: rdata of classes ANY and NONE is mostly empty, and then means all of a type or name.
        has_rdata = not is_meta(rdtype) and (rdclass == CLASS_IN or (rdclass == CLASS_NONE and (raw or is_update)))
        if has_rdata:
            known = dns.rdatatype.RdataType.make(rdtype)
            rdata = dns.rdata.from_wire(dns.rdataclass.IN, known, self._wire, start, length)
            raw = rdata.to_wire() or b""
        return Record(owner, rdtype, rdclass, ttl, raw)

    def additional(self) -> Edns | None:
        """The next record if it is an OPT record."""
        owner, rdtype, payload, ttl, _ = self._head()
        if rdtype != Type.OPT:
            return None
        if owner != names.ROOT:  # RFC 6891 6.1.2
            raise Malformed("an OPT record that is not the root's")
        return Edns(ttl >> _VERSION_SHIFT & 0xFF, max(payload, UDP_MINIMUM), bool(ttl & _DO))

    def _head(self) -> tuple[bytes, int, int, int, int]:
        """Owner, type, class, TTL and length of rdata of the next record, which is passed."""
        name, used = dns.name.from_wire(self._wire, self.position)
        self.position += used
        rdtype, rdclass, ttl, length = _RECORD.unpack_from(self._wire, self.position)
        self.position += _RECORD.size + length
        if self.position > len(self._wire):
            raise Malformed("a record runs over the end")
        return names.fold(name.to_wire() or b""), rdtype, rdclass, ttl, length
