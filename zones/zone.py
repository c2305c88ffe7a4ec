"""A zone in memory: what the parser makes, the checks read and the answer tables are built from.

Owners are folded wire names, rdata is uncompressed wire format with the letter case of the file. A zone never
changes once it is built; another version is another object. How records are kept is this module's own business.
"""

import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from zones import name as names
from zones.findings import Place
from zones.slices import Sliced

SOA: Final = 6
_SERIAL_FROM_END: Final = 20  # RFC 1035 3.3.13: SERIAL is the first of five 32-bit fields that end the SOA


@dataclass(frozen=True, slots=True)
class RRset:
    """Records of one owner and type (RFC 2181 5); RRSIGs of one owner are one set here."""

    owner: bytes
    """Folded wire name."""
    rdtype: int
    ttl: int
    """Seconds; the lowest, where the file gave several."""
    rdatas: tuple[bytes, ...]
    """Distinct wire rdata in the order of the file."""


Node = Mapping[int, RRset]
_EMPTY: Final[Node] = MappingProxyType({})


class Zone:
    """Records of one zone; made by `ZoneBuilder`."""

    __slots__ = ("_nodes", "_order", "_places", "file", "origin", "record_count")

    def __init__(
        self,
        origin: bytes,
        file: str,
        nodes: dict[bytes, dict[int, RRset]],
        places: dict[tuple[bytes, int], tuple[Place, ...]],
        order: list[bytes],
    ) -> None:
        self.origin: Final = origin
        self.file: Final = file
        self.record_count: Final = sum(len(rrset.rdatas) for node in nodes.values() for rrset in node.values())
        self._nodes = nodes
        self._places = places
        self._order = order

    def __contains__(self, owner: bytes) -> bool:
        """Whether `owner` has records itself (an empty non-terminal has none)."""
        return owner in self._nodes

    def node(self, owner: bytes) -> Node:
        """RRsets of `owner` by type; empty where there are none."""
        return self._nodes.get(owner, _EMPTY)

    def rrset(self, owner: bytes, rdtype: int) -> RRset | None:
        """The RRset of `owner` and `rdtype`, if there is one."""
        return self._nodes.get(owner, _EMPTY).get(rdtype)

    def names(self) -> Iterator[bytes]:
        """Owners in canonical order (RFC 4034 6.1)."""
        return iter(self._order)

    def rrsets(self) -> Iterator[RRset]:
        """RRsets, owners in canonical order, types in the order of the file."""
        for owner in self._order:
            yield from self._nodes[owner].values()

    @property
    def soa(self) -> RRset | None:
        """The apex SOA; a zone that passed the checks has one."""
        return self.rrset(self.origin, SOA)

    @property
    def serial(self) -> int:
        """SOA serial. LookupError when there is no SOA."""
        soa = self.soa
        if soa is None:
            raise LookupError(f"{names.to_text(self.origin)} has no SOA")
        start = len(soa.rdatas[0]) - _SERIAL_FROM_END
        return int.from_bytes(soa.rdatas[0][start : start + 4], "big")

    def with_serial(self, serial: int) -> "Zone":
        """The same zone with another SOA serial; everything else is shared."""
        soa = self.soa
        if soa is None:
            raise LookupError(f"{names.to_text(self.origin)} has no SOA")
        start = len(soa.rdatas[0]) - _SERIAL_FROM_END
        rdata = soa.rdatas[0][:start] + serial.to_bytes(4, "big") + soa.rdatas[0][start + 4 :]
        apex = {**self._nodes[self.origin], SOA: RRset(soa.owner, SOA, soa.ttl, (rdata,))}
        return Zone(self.origin, self.file, {**self._nodes, self.origin: apex}, self._places, self._order)

    def place(self, owner: bytes, rdtype: int, index: int = 0) -> Place:
        """Where record `index` of an RRset stands; the file alone where that is not known."""
        places = self._places.get((owner, rdtype), ())
        return places[index] if index < len(places) else Place(self.file)

    def has_below(self, owner: bytes) -> bool:
        """Whether a name below `owner` has records: `owner` is then at least an empty non-terminal (RFC 8499 7)."""
        after = bisect.bisect_right(self._order, names.canonical_key(owner), key=names.canonical_key)
        return after < len(self._order) and names.is_at_or_below(self._order[after], owner)


class ZoneBuilder:
    """Collects records and makes a `Zone` of them."""

    def __init__(self, origin: bytes, file: str) -> None:
        self.origin = names.fold(origin)
        self.file = file
        self._records: dict[bytes, dict[int, dict[bytes, Place]]] = {}
        self._ttls: dict[tuple[bytes, int], int] = {}

    def add(self, owner: bytes, rdtype: int, ttl: int, rdata: bytes, place: Place) -> None:
        """Add a record; one that is there already is dropped (RFC 2181 5), the lowest TTL wins (5.2)."""
        owner = names.fold(owner)
        rdatas = self._records.setdefault(owner, {}).setdefault(rdtype, {})
        rdatas.setdefault(rdata, place)
        key = (owner, rdtype)
        known = self._ttls.get(key)
        if known is None or ttl < known:
            self._ttls[key] = ttl

    def build(self) -> Sliced[Zone]:
        """The zone of everything added."""
        yield
        nodes = {
            owner: {
                rdtype: RRset(owner, rdtype, self._ttls[owner, rdtype], tuple(rdatas))
                for rdtype, rdatas in types.items()
            }
            for owner, types in self._records.items()
        }
        places = {
            (owner, rdtype): tuple(rdatas.values())
            for owner, types in self._records.items()
            for rdtype, rdatas in types.items()
        }
        return Zone(self.origin, self.file, nodes, places, sorted(nodes, key=names.canonical_key))
