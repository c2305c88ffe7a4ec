"""The zones in service, by origin."""

import cython

from dns_server.answer.core.names import Names
from dns_server.answer.core.query import Query
from dns_server.answer.core.zone import ZoneIndex
from zones import rdtypes

_DS = rdtypes.DS


class Directory:
    """Which zone a name belongs to."""

    def __init__(self) -> None:
        self._origins = Names()
        self._zones: list[ZoneIndex | None] = []
        self._served = bytearray()
        """1 for each origin in service; the number of one that is not stays its own, for it may come back."""

    def put(self, origin: bytes, zone: ZoneIndex | None) -> None:
        """Serve the zone; with None its queries are left to the engine."""
        number = self._origins.find_name(origin)
        if number < 0:
            number = self._origins.add(origin)
            self._origins.enter(self._origins.count)
            self._zones.append(None)
            self._served.append(0)
        self._zones[number] = zone
        self._served[number] = 1

    def remove(self, origin: bytes) -> None:
        """Serve the zone no longer: its names belong to the zone above, if there is one."""
        number = self._origins.find_name(origin)
        if number >= 0:
            self._zones[number] = None
            self._served[number] = 0

    def find(self, query: Query) -> ZoneIndex | None:
        """The zone of the name in hand, which its number and apex are noted of; None if that is the engine's or none.

        The deepest zone wins, but DS at an apex belongs to the zone above where that is served too.
        """
        label: cython.Py_ssize_t
        number: cython.Py_ssize_t
        query.zone = -1
        for label in range(query.count + 1):
            number = self._origins.find(query, label)
            if number >= 0 and self._served[number]:
                query.apex = label
                query.zone = number
                if label or query.qtype != _DS or not query.count:
                    break
        return self.zone(query)

    def zone(self, query: Query) -> ZoneIndex | None:
        """The zone that was found for the name in hand; None if that is the engine's or none."""
        return self._zones[query.zone] if query.zone >= 0 else None
