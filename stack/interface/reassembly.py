"""Packets put together from fragments, within bounds.

Fragments that overlap are an attack: the whole packet is dropped (RFC 5722, RFC 8200 4.5; for IPv4 too, which RFC 791
leaves open). A copy of a fragment is none: networks duplicate.

Read first: RFC 815, RFC 8200 4.5, RFC 8900.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from stack.address import Address
from stack.counters import Counters
from stack.interface.limits import Limits
from stack.interface.timer import Alarm

TIMEOUT_S = 30.0
"""Deviation: RFC 8200 4.5 says 60 s, RFC 1122 3.3.2 says 60 to 120 s; half a minute holds less for an attacker."""

Key = tuple[Address, Address, int, int]
"""Source, destination, identification and protocol (0 for IPv6)."""


@dataclass(slots=True)
class Assembly:
    """The fragments of one packet so far. `first` is what the owner keeps of the fragment at offset 0."""

    deadline: float
    pieces: dict[int, bytes] = field(default_factory=dict)
    size: int = 0
    total: int | None = None
    first: bytes | None = None
    spoiled: bool = False


class Reassembler:
    """Assemblies of one family; `expired(first)` is told the first fragment of a packet whose rest never came."""

    def __init__(self, layer: str, limits: Limits, counters: Counters, expired: Callable[[bytes, float], None]) -> None:
        self._layer = layer
        self._limits = limits
        self._counters = counters
        self._expired = expired
        self._assemblies: OrderedDict[Key, Assembly] = OrderedDict()
        self._per_source: Counter[Address] = Counter()
        self._octets = 0
        self._alarm = Alarm()

    def __len__(self) -> int:
        return len(self._assemblies)

    @property
    def octets(self) -> int:
        """Octets held."""
        return self._octets

    def add(
        self, key: Key, offset: int, more: bool, payload: memoryview, first: bytes, now: float
    ) -> tuple[bytes, bytes] | None:
        """Add a fragment: (the whole payload, `first` of the fragment at offset 0) when it was the last one missing."""
        assembly = self._assemblies.get(key)
        if assembly is None:
            assembly = self._start(key, now)
            if assembly is None:
                return None
        if assembly.spoiled:
            self._counters.add(self._layer, "fragment of a dropped packet")
            return None
        problem = self._insert(assembly, offset, more, payload)
        if problem:
            # RFC 8200 4.5: the fragments that are still to come are dropped too, so the key is remembered
            self._counters.add(self._layer, problem)
            self._release(assembly)
            assembly.spoiled = True
            return None
        if offset == 0:
            assembly.first = first
        if assembly.total is None or assembly.size < assembly.total or assembly.first is None:
            return None
        whole = b"".join(assembly.pieces[start] for start in sorted(assembly.pieces))
        self._remove(key)
        return whole, assembly.first

    def poll_at(self) -> float | None:
        """When `poll` has something to do."""
        return self._alarm.at

    def poll(self, now: float) -> None:
        """Give up on packets that took too long."""
        if not self._alarm.is_due(now):
            return
        while self._assemblies:
            key, assembly = next(iter(self._assemblies.items()))
            if assembly.deadline > now:
                self._alarm.by(assembly.deadline)
                return
            self._remove(key)
            self._counters.add(self._layer, "reassembly timed out")
            if assembly.first is not None:
                self._expired(assembly.first, now)

    def _start(self, key: Key, now: float) -> Assembly | None:
        source = key[0]
        if self._per_source[source] >= self._limits.reassemblies_per_source:
            self._counters.add(self._layer, "too many fragmented packets of one source")
            return None
        if len(self._assemblies) >= self._limits.reassemblies:
            self._remove(next(iter(self._assemblies)))
            self._counters.add(self._layer, "too many fragmented packets")
        assembly = self._assemblies[key] = Assembly(now + TIMEOUT_S)
        self._per_source[source] += 1
        self._alarm.by(assembly.deadline)
        return assembly

    def _insert(self, assembly: Assembly, offset: int, more: bool, payload: memoryview) -> str | None:
        """Take the piece; why the packet can't be put together any more, if it can't."""
        size = len(payload)
        end = offset + size
        known = assembly.pieces.get(offset)
        if known is not None and known == payload:
            return None
        if any(start < end and offset < start + len(piece) for start, piece in assembly.pieces.items()):
            return "overlapping fragments"
        if assembly.total is not None and (end > assembly.total or not more):
            return "fragment past the last one"
        if not more:
            if any(start + len(piece) > end for start, piece in assembly.pieces.items()):
                return "fragment past the last one"
            assembly.total = end
        if len(assembly.pieces) >= self._limits.fragments:
            return "too many fragments"
        if self._octets + size > self._limits.reassembly_octets:
            return "too many octets of fragments"
        assembly.pieces[offset] = bytes(payload)
        assembly.size += size
        self._octets += size
        return None

    def _release(self, assembly: Assembly) -> None:
        self._octets -= assembly.size
        assembly.pieces.clear()
        assembly.size, assembly.first = 0, None

    def _remove(self, key: Key) -> None:
        assembly = self._assemblies.pop(key)
        self._octets -= assembly.size
        source = key[0]
        self._per_source[source] -= 1
        if not self._per_source[source]:
            del self._per_source[source]
