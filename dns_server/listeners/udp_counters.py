"""What happens to datagrams, counted."""

from collections.abc import Sequence
from dataclasses import dataclass, fields


@dataclass(slots=True)
class UdpCounters:
    """What happened since the start."""

    received: int = 0
    sent: int = 0
    unsent: int = 0
    """Answers that the kernel did not take: no route, a full buffer, port 0."""
    oversized: int = 0
    from_port_0: int = 0
    to_group: int = 0
    """Queries to a broadcast or multicast address: their source is forged more often than not."""
    crowded: int = 0
    """Requests that are answered later, and came while too many others were being answered."""

    def values(self) -> list[int]:
        """All of them."""
        return [getattr(self, one.name) for one in fields(self)]

    def add(self, values: Sequence[int]) -> None:
        """Add what `values` of another one gave. ValueError if it is another kind of values."""
        for one, value in zip(fields(self), values, strict=True):
            setattr(self, one.name, getattr(self, one.name) + value)
