"""Replies in a form that can be compared: sections as sets, names in lower case and without compression."""

import struct
from dataclasses import dataclass

import dns.rcode

from dns_server.answer.protocol import HEADER_SIZE
from dns_server.answer.rdata import COMPRESSIBLE
from zones import rdtypes
from zones.name import MAX_NAME, fold, to_text
from zones.rdtypes import MNEMONICS

Record = tuple[bytes, int, int, bytes]
"""Folded owner, type, TTL, rdata with its names expanded and folded (RFC 4034 6.2)."""

FIELDS = ("rcode", "aa", "tc", "answer", "authority", "additional")
# Types beyond those of `COMPRESSIBLE` whose names are compared without letter case: octets before, number of names.
_NAMED = {**COMPRESSIBLE, rdtypes.SRV: (6, 1), rdtypes.DNAME: (0, 1), 17: (0, 2), 18: (2, 1), 36: (2, 1)}


class BadReply(Exception):
    """A reply breaks the format."""


@dataclass(frozen=True)
class Reply:
    """What a reply says; its OPT record is left out."""

    rcode: int
    aa: bool
    tc: bool
    answer: frozenset[Record]
    authority: frozenset[Record]
    additional: frozenset[Record]

    def differs(self, other: "Reply") -> set[str]:
        """Names of the fields that are not equal."""
        return {name for name in FIELDS if getattr(self, name) != getattr(other, name)}


def read(wire: bytes, *, distinct: bool = False) -> Reply:
    """The reply in `wire`; BadReply if it breaks the format or has octets behind its end.

    `distinct` also forbids a record to be there twice (NSD, Knot and BIND do that in loops of aliases).
    """
    try:
        flags, questions, *counts = struct.unpack_from("!HHHHH", wire, 2)
        position = HEADER_SIZE
        for _ in range(questions):
            position = _name(wire, position)[1] + 4
        sections: list[frozenset[Record]] = []
        rcode = flags & 0xF
        for count in counts:
            records: list[Record] = []
            for _ in range(count):
                owner, position = _name(wire, position)
                rdtype, _, ttl, length = struct.unpack_from("!HHIH", wire, position)
                position += 10
                if rdtype == rdtypes.OPT:
                    rcode |= ttl >> 24 << 4
                else:
                    records.append((owner, rdtype, ttl, _rdata(wire, rdtype, position, length)))
                position += length
            if distinct and len(set(records)) != len(records):
                raise BadReply(f"a record is there twice: {records}")
            sections.append(frozenset(records))
    except (struct.error, IndexError) as error:
        raise BadReply(f"cut off: {wire.hex()}") from error
    if position != len(wire):
        raise BadReply(f"length {len(wire)}, read {position}: {wire.hex()}")
    return Reply(rcode, bool(flags & 0x0400), bool(flags & 0x0200), *sections)


def _name(wire: bytes, position: int) -> tuple[bytes, int]:
    """The folded name at `position` with pointers followed, and where it ends."""
    parts: list[bytes] = []
    end = 0
    while length := wire[position]:
        if length >= 0xC0:
            end = end or position + 2
            target = (length & 0x3F) << 8 | wire[position + 1]
            if target >= position:
                raise BadReply(f"a pointer leads forward: {wire.hex()}")
            position = target
        else:
            parts.append(wire[position : position + 1 + length])
            position += 1 + length
    name = fold(b"".join(parts)) + b"\0"
    if len(name) > MAX_NAME:
        raise BadReply(f"a name is too long: {wire.hex()}")
    return name, end or position + 1


def _rdata(wire: bytes, rdtype: int, position: int, length: int) -> bytes:
    end = position + length
    if end > len(wire):
        raise BadReply(f"rdata runs over the end: {wire.hex()}")
    if rdtype not in _NAMED:
        return wire[position:end]
    before, count = _NAMED[rdtype]
    parts = [wire[position : position + before]]
    position += before
    for _ in range(count):
        name, position = _name(wire, position)
        parts.append(name)
    return b"".join((*parts, wire[position:end]))


def show(reply: Reply) -> str:
    """The reply in words, for the message of a failed comparison."""
    lines = [f"{dns.rcode.to_text(dns.rcode.Rcode(reply.rcode))} aa={reply.aa} tc={reply.tc}"]
    for section in ("answer", "authority", "additional"):
        lines += [
            f"  {section}: {to_text(owner)} {ttl} {MNEMONICS.get(rdtype, rdtype)} {rdata!r}"
            for owner, rdtype, ttl, rdata in sorted(getattr(reply, section))
        ]
    return "\n".join(lines)
