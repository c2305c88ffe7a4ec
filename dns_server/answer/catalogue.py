"""The zones in service, and which of them a question belongs to."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from dns_server.answer.table import ZoneTable
from zones import rdtypes
from zones.name import ROOT


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is served; never changed, the next one is made with `updated`."""

    zones: Mapping[bytes, ZoneTable | None] = field(default_factory=dict)
    """By folded origin; None for a zone that is configured but has no good version."""
    revision: str = ""
    """Commit whose content is served, in hexadecimal; empty where there is none."""
    mark: object = field(default_factory=object, compare=False)
    """Stands for this very catalogue, also when it is gone."""
    before: object = field(default=None, compare=False)
    """Mark of the catalogue that this one was made of."""
    changed: Set[bytes] = field(default=frozenset(), compare=False)
    """Origins that differ from that one."""

    def updated(
        self,
        changes: Mapping[bytes, ZoneTable],
        removed: Set[bytes] = frozenset(),
        revision: str = "",
        *,
        broken: Set[bytes] = frozenset(),
    ) -> "Catalogue":
        """The catalogue with other tables in `changes`, without `removed`; those of `broken` that have none fail.

        Tables of unchanged zones are shared: the cost is a copy of one dict of references.
        """
        zones: dict[bytes, ZoneTable | None] = dict(self.zones)
        for origin in removed:
            zones.pop(origin, None)
        zones.update(changes)
        for origin in broken:
            zones.setdefault(origin, None)
        changed = changes.keys() | removed | broken
        return Catalogue(zones, revision, before=self.mark, changed=changed)

    def differing(self, other: "Catalogue") -> Set[bytes]:
        """Origins whose zone may be another one in `other`; few where this was made of `other`."""
        return self.changed if self.before is other.mark else self.zones.keys() | other.zones.keys()

    def find(self, name: bytes, qtype: int) -> tuple[bytes, ZoneTable | None] | None:
        """Origin and table of the zone that answers for `name`, folded; None if no zone does.

        The deepest zone wins, but DS at an apex belongs to the zone above (RFC 4035 3.1.4.1) where that is served too.
        """
        zones = self.zones
        above = name
        child: bytes | None = None
        while True:
            if above in zones:
                if qtype != rdtypes.DS or above != name or name == ROOT:
                    return above, zones[above]
                child = above
            if above == ROOT:
                return None if child is None else (child, zones[child])
            above = above[1 + above[0] :]
