"""Counters: what was dropped and why, per layer; and what went through."""

from collections import Counter
from collections.abc import Iterator


class Counters:
    """Named counts. `layer` and `reason` come from the sources, never from a packet: their number is bounded."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, layer: str, reason: str, count: int = 1) -> None:
        """Count `reason` of `layer`."""
        self._counts[layer, reason] += count

    def value(self, layer: str, reason: str) -> int:
        """How often `reason` of `layer` was counted."""
        return self._counts[layer, reason]

    def __iter__(self) -> Iterator[tuple[str, str, int]]:
        """Each (layer, reason, count), sorted."""
        return iter(sorted((layer, reason, count) for (layer, reason), count in self._counts.items()))
