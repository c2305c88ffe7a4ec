"""What answering needs of one zone beside its records: where it is cut, which names only lie between, ready answers.

The zone itself is the map from names to records; a table adds the few names that need care, so that building one is a
single quick pass. Answers are rendered when they are asked for first and kept: at most one for each RRset and each
name that has a proof of its own, so that no asker can make a table grow without bound.
"""

from typing import TYPE_CHECKING, Final

from dns_server.answer.protocol import Type
from zones.name import WILDCARD_LABEL, parent
from zones.slices import Sliced
from zones.zone import RRset, Zone

if TYPE_CHECKING:
    from dns_server.answer.render import Answer

_SLICE: Final = 100  # names between two yields: about 100 microseconds

AnswerKey = tuple[object, ...]


class ZoneTable:
    """A zone made ready for answering; never changed but for its ready answers."""

    __slots__ = ("cuts", "dnames", "empty", "origin", "ready", "signed", "soa", "zone")

    def __init__(self, zone: Zone, cuts: set[bytes], dnames: set[bytes], empty: set[bytes]) -> None:
        soa = zone.soa
        if soa is None:
            raise ValueError("a zone without SOA can't be served")
        self.zone: Final = zone
        self.origin: Final = zone.origin
        self.soa: Final = soa
        self.signed: Final = Type.RRSIG in zone.node(zone.origin)
        """Whether askers that set DO get signatures and proofs."""
        self.cuts: Final = cuts
        """Names with NS records below the apex, `*` among their labels or not."""
        self.dnames: Final = dnames
        self.empty: Final = empty
        """Empty non-terminals: names without records above names with records (RFC 8499 7)."""
        self.ready: Final[dict[AnswerKey, Answer]] = {}

    def exists(self, name: bytes) -> bool:
        """Whether `name` is in the zone's tree (RFC 4592 2.2)."""
        return name in self.zone or name in self.empty

    def negative_soa(self) -> RRset:
        """The SOA for negative answers: TTL min(SOA TTL, MINIMUM) (RFC 2308 3)."""
        minimum = int.from_bytes(self.soa.rdatas[0][-4:], "big")
        return RRset(self.soa.owner, Type.SOA, min(self.soa.ttl, minimum), self.soa.rdatas)


def build(zone: Zone) -> Sliced[ZoneTable]:
    """The table of `zone`, which passed the checks. ValueError if it has no SOA."""
    cuts: set[bytes] = set()
    dnames: set[bytes] = set()
    empty: set[bytes] = set()
    origin = zone.origin
    for count, owner in enumerate(zone.names()):
        if not count % _SLICE:
            yield
        if owner == origin:
            if Type.DNAME in zone.node(owner):
                dnames.add(owner)
            continue
        node = zone.node(owner)
        if Type.NS in node:
            cuts.add(owner)
        if Type.DNAME in node:
            dnames.add(owner)
        above = parent(owner)
        while above not in zone and above not in empty and len(above) > len(origin):
            empty.add(above)
            above = parent(above)
    return ZoneTable(zone, cuts, dnames, empty)


def wildcard_of(encloser: bytes) -> bytes:
    """The wildcard whose closest encloser is `encloser` (RFC 4592 2.1.1)."""
    return WILDCARD_LABEL + encloser


def is_wildcard(name: bytes) -> bool:
    """Whether the leftmost label of `name` is `*`."""
    return name.startswith(WILDCARD_LABEL)
