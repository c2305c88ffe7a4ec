"""What answering needs of one zone beside its records: where it is cut, which names only lie between, ready answers.

The zone itself is the map from names to records; a table adds the few names that need care, so that building one is a
single quick pass, which looks at those alone. Answers are rendered when they are asked for first and kept: one for each
RRset and each name that has a proof of its own, and a bounded number of those that prove what a question asked, so that
no asker can make a table grow without bound.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from dns_server.answer.denial import Chain, chains_of
from dns_server.answer.indexing import index_of
from dns_server.answer.render import Answer
from zones import rdtypes
from zones.marks import NameMarks
from zones.rrset import RRset
from zones.slices import Sliced
from zones.survey import NO_HOSTS, kinds
from zones.zone import Zone

if TYPE_CHECKING:
    from dns_server.answer.core.zone import ZoneIndex

_SLICE: Final = 50  # names between two yields: about 200 microseconds
_PASSED_A_SLICE: Final = 128  # so many take as long as one that is looked at
# What the table has a place for.
_PLAIN: Final = kinds((rdtypes.NS, rdtypes.DNAME, rdtypes.NSEC, rdtypes.NSEC3), {})
_INDEXED_AT_ONCE: Final = 500  # records; smaller zones are indexed at their first question
_KEPT_DENIALS: Final = 10_000
_NSEC3_AND_SIGNATURE: Final = {rdtypes.NSEC3, rdtypes.RRSIG}

AnswerKey = tuple[object, ...]


class ZoneTable:
    """A zone made ready for answering; never changed but for its ready answers."""

    __slots__ = (
        "_denials",
        "chain",
        "cuts",
        "dnames",
        "hidden",
        "index",
        "origin",
        "ready",
        "signed",
        "soa",
        "zone",
    )

    def __init__(self, zone: Zone) -> None:
        soa = zone.soa
        if soa is None:
            raise ValueError("a zone without SOA can't be served")
        self.zone: Final = zone
        self.origin: Final = zone.origin
        self.soa: Final = soa
        self.signed: Final = rdtypes.RRSIG in zone.types(zone.origin)
        """Whether askers that set DO get signatures and proofs."""
        self.cuts: Final = NameMarks(zone.tables.names)
        """Names with NS records below the apex."""
        self.dnames: Final = NameMarks(zone.tables.names)
        """Names with a DNAME record."""
        self.hidden: Final = NameMarks(zone.tables.names)
        """Names that have NSEC3 records alone: they are not in the tree of names (RFC 5155 7.2.8)."""
        self.chain: Chain | None = None
        """What proves that things are not there."""
        self.index: ZoneIndex | None = None
        """What the compiled core knows of the zone; made when it is needed."""
        self.ready: Final[dict[AnswerKey, Answer]] = {}
        """Answers whose number the zone bounds."""
        self._denials: Final[dict[AnswerKey, Answer]] = {}

    def exists(self, name: bytes) -> bool:
        """Whether `name` is in the zone's tree (RFC 4592 2.2)."""
        return self.zone.exists(name) and name not in self.hidden

    def denial(self, key: AnswerKey) -> Answer | None:
        """The ready answer with a proof of what the question asked, if it is kept."""
        return self._denials.get(key)

    def keep_denial(self, key: AnswerKey, answer: Answer) -> None:
        """Keep an answer of which there may be as many as pairs of denial records: no more than some thousands."""
        if key not in self._denials and len(self._denials) >= _KEPT_DENIALS:
            self._denials.clear()
        self._denials[key] = answer

    @property
    def parts(self) -> "list[dict[Any, Any] | list[Any]]":
        """What is large in a large zone, to be emptied when nobody answers from the table any more."""
        chain = [] if self.chain is None else self.chain.parts
        return [self.ready, self._denials, *chain]

    def negative_soa(self) -> RRset:
        """The SOA for negative answers: TTL min(SOA TTL, MINIMUM) (RFC 2308 3)."""
        minimum = int.from_bytes(self.soa.rdatas[0][-4:], "big")
        return RRset(self.soa.owner, rdtypes.SOA, min(self.soa.ttl, minimum), self.soa.rdatas)


def build(zone: Zone) -> Sliced[ZoneTable]:
    """The table of `zone`, which passed the checks. ValueError if it has no SOA."""
    table = ZoneTable(zone)
    chains = chains_of(zone) if table.signed else []
    survey = zone.survey()
    above = zone.origin
    position = budget = 0
    while position < survey.count:
        if budget <= 0:
            yield
            budget = _SLICE
        start = position
        position = survey.next_notable(position, above, _PLAIN, NO_HOSTS)
        budget -= 1 + (position - start) // _PASSED_A_SLICE
        if position == survey.count:
            break
        owner, types = zone.owner_at(position), zone.types_at(position)
        above = owner if owner == zone.origin else owner[1 + owner[0] :]
        if chains:
            _, node = zone.node_at(position)
            for chain in chains:
                chain.add(owner, node)
        if rdtypes.NSEC3 in types and _NSEC3_AND_SIGNATURE.issuperset(types):
            table.hidden.add(owner)
        else:
            _note(table, owner, types)
        position += 1
    table.chain = next((chain for chain in chains if len(chain)), None)
    if zone.record_count > _INDEXED_AT_ONCE:
        table.index = yield from index_of(table)
    return table


def _note(table: ZoneTable, owner: bytes, types: Sequence[int]) -> None:
    """Put down what is special about `owner`."""
    if rdtypes.DNAME in types:
        table.dnames.add(owner)
    if rdtypes.NS in types and owner != table.origin:
        table.cuts.add(owner)
