"""UPDATE messages made by hand: also those that no library would make."""

import random
import struct
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import dns.name
import dns.rdata
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from dns_server.answer.protocol import CLASS_ANY, CLASS_IN, CLASS_NONE
from zones import name as names
from zones import rdtypes

ANY = 255


@dataclass(frozen=True)
class Item:
    """A record of a section."""

    owner: str
    rdtype: int
    rdclass: int
    ttl: int = 0
    rdata: bytes = b""

    def to_wire(self) -> bytes:
        head = struct.pack("!HHIH", self.rdtype, self.rdclass, self.ttl, len(self.rdata))
        return names.from_text(self.owner) + head + self.rdata


def rdata(rdtype: int, text: str, origin: str = "example.com.") -> bytes:
    """Wire format of `text`."""
    name = dns.name.from_text(origin)
    wire = dns.rdata.from_text(RdataClass.IN, RdataType.make(rdtype), text, name, relativize=False).to_wire()
    assert wire is not None
    return wire


def update(
    prerequisites: list[Item],
    updates: list[Item],
    zone: str = "example.com.",
    zone_type: int = rdtypes.SOA,
    zone_class: int = CLASS_IN,
    identity: int = 1,
) -> bytes:
    """The message."""
    header = struct.pack("!HHHHHH", identity, 5 << 11, 1, len(prerequisites), len(updates), 0)
    question = names.from_text(zone) + struct.pack("!HH", zone_type, zone_class)
    return header + question + b"".join(item.to_wire() for item in (*prerequisites, *updates))


class Maker:
    """Random messages about a few names, so that they meet."""

    OWNERS: ClassVar = (
        "example.com.",
        "a.example.com.",
        "A.example.com.",
        "b.example.com.",
        "c.b.example.com.",
        "ns1.example.com.",
    )
    VALUES: ClassVar = {
        rdtypes.A: ("192.0.2.1", "192.0.2.2", "192.0.2.3"),
        rdtypes.TXT: ('"one"', '"two"', '"Two"'),
        rdtypes.MX: ("10 a", "10 A", "20 b"),
        rdtypes.NS: ("ns1", "ns2", "NS1"),
        rdtypes.CNAME: ("a", "b"),
        rdtypes.DNAME: ("a.example.net.", "b.example.net."),
        rdtypes.SRV: ("0 0 53 a", "0 0 53 A"),
        65280: (r"\# 2 0102", r"\# 0"),
    }

    def __init__(self, seed: int, without: Collection[int] = ()) -> None:
        self._random = random.Random(seed)
        self._types = [rdtype for rdtype in self.VALUES if rdtype not in without]
        self._has_soa = rdtypes.SOA not in without

    def message(self, serial: int) -> tuple[list[Item], list[Item]]:
        """Prerequisites and updates; `serial` is that of the zone, for SOAs around it."""
        choose = self._random
        prerequisites = [self._prerequisite() for _ in range(choose.choice([0, 0, 0, 1, 2]))]
        updates = [self._update(serial) for _ in range(choose.randint(0, 5))]
        return prerequisites, updates

    def _owner(self) -> str:
        return "other.test." if self._random.random() < 0.01 else self._random.choice(self.OWNERS)

    def _value(self, rdtype: int) -> bytes:
        return rdata(rdtype, self._random.choice(self.VALUES[rdtype]))

    def _type(self) -> int:
        return self._random.choice(self._types)

    def _prerequisite(self) -> Item:
        choose = self._random
        rdclass = choose.choice([CLASS_ANY, CLASS_NONE, CLASS_IN])
        ttl = 60 if choose.random() < 0.02 else 0
        if rdclass == CLASS_IN:
            rdtype = self._type()
            return Item(self._owner(), rdtype, rdclass, ttl, self._value(rdtype))
        odd = choose.random()
        if odd < 0.02:
            return Item(self._owner(), rdtypes.A, rdclass, ttl, b"\1\2\3\4")
        return Item(self._owner(), ANY if odd < 0.3 else self._type(), 3 if odd > 0.98 else rdclass, ttl)

    def _update(self, serial: int) -> Item:
        choose = self._random
        odd = choose.random()
        if odd < 0.02:
            return Item(self._owner(), choose.choice([ANY, rdtypes.AXFR, 254, 253]), choose.choice([1, 254, 255]))
        if odd < 0.04:
            return Item(self._owner(), rdtypes.A, choose.choice([3, 255]), 0, b"\1\2\3\4")
        if odd < 0.05:
            return Item(self._owner(), rdtypes.A, choose.choice([254, 255]), 60)
        if odd < 0.1 and self._has_soa:
            near = (serial + choose.choice([-5, 0, 3, 1000])) % (1 << 32)
            return Item(
                choose.choice(["example.com.", "example.com.", "a.example.com."]),
                rdtypes.SOA,
                choose.choice([CLASS_IN, CLASS_IN, CLASS_IN, CLASS_NONE]),
                0,
                rdata(rdtypes.SOA, f"ns1 h.example.com. {near} 1 2 3 {choose.randint(1, 9)}"),
            )
        if odd < 0.15 and self._has_soa:
            return Item(self._owner(), rdtypes.SOA, CLASS_ANY)
        rdtype = self._type()
        kind = choose.random()
        if kind < 0.6:
            return Item(self._owner(), rdtype, CLASS_IN, choose.choice([60, 60, 60, 300]), self._value(rdtype))
        if kind < 0.8:
            return Item(self._owner(), rdtype, CLASS_NONE, 0, self._value(rdtype))
        return Item(self._owner(), rdtype if kind < 0.95 else ANY, CLASS_ANY)
