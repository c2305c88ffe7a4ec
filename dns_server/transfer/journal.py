"""Differences between versions of the zones, kept in memory within a bound, for IXFR.

Sans-I/O. Read first: RFC 1995 5.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable

from zones.delta import Delta, condense
from zones.rrset import RRset
from zones.serial import serial_in
from zones.slices import Sliced


def serial_of(soa: RRset) -> int:
    """The serial of an SOA."""
    return serial_in(soa.rdatas[0])


class Journal:
    """Differences by zone, each beginning where the one before ended. The oldest of all zones goes first."""

    def __init__(self, limit: int) -> None:
        """`limit` is in octets of memory."""
        self._limit = limit
        self._chains: dict[bytes, deque[Delta]] = {}
        self._order: OrderedDict[int, bytes] = OrderedDict()
        """Zones of the differences, the oldest first, by an ever-rising number."""
        self._next = 0
        self.octets = 0
        """Of memory, about."""

    def __len__(self) -> int:
        return len(self._order)

    def add(self, origin: bytes, step: Delta) -> None:
        """Keep the difference to the newest version of the zone `origin`."""
        chain = self._chains.get(origin)
        if chain and serial_of(chain[-1].after) != serial_of(step.before):
            self.forget(origin)
        if any(serial_of(known.before) == serial_of(step.after) for known in self._chains.get(origin, ())):
            self.forget(origin)  # the serial came round: it would stand for two versions
            return
        if step.octets > self._limit:
            self.forget(origin)
            return
        self._chains.setdefault(origin, deque()).append(step)
        self._order[self._next] = origin
        self._next += 1
        self.octets += step.octets
        while self.octets > self._limit:
            _, oldest = self._order.popitem(last=False)
            self._drop_first(oldest)

    def put_before(self, origin: bytes, steps: Iterable[Delta], newest: int) -> None:
        """Put recovered differences, which end at the version `newest`, before those that are known."""
        known = list(self._chains.get(origin, ()))
        if known and serial_of(known[0].before) != newest:
            return
        self.forget(origin)
        for step in (*steps, *known):
            self.add(origin, step)

    def forget(self, origin: bytes) -> None:
        """The zone is gone, or changed in a way that is not known."""
        chain = self._chains.pop(origin, None)
        if chain is None:
            return
        self.octets -= sum(step.octets for step in chain)
        for number in [number for number, zone in self._order.items() if zone == origin]:
            del self._order[number]

    def oldest(self, origin: bytes) -> int | None:
        """Serial of the oldest version of a zone that is known."""
        chain = self._chains.get(origin)
        return serial_of(chain[0].before) if chain else None

    def since(self, origin: bytes, serial: int, newest: int) -> Sliced[Delta | None]:
        """The difference from the version `serial` to the version `newest`, condensed; None where it is not known."""
        chain = self._chains.get(origin)
        if not chain or serial_of(chain[-1].after) != newest:
            return None
        steps = list(chain)
        for index, step in enumerate(steps):
            if serial_of(step.before) == serial:
                return (yield from condense(steps[index:]))
        return None

    def _drop_first(self, origin: bytes) -> None:
        chain = self._chains[origin]
        self.octets -= chain.popleft().octets
        if not chain:
            del self._chains[origin]
