"""Counters of queries and answers over all transports, and histograms. Sans-I/O."""

import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from dns_server.answer.protocol import Rcode, Transport
from dns_server.telemetry.tally import NO_QUESTION, OTHER_TYPE, SECONDS_BOUNDS, SIZE_BOUNDS, Tally
from zones.rdtypes import MNEMONICS

RCODE_NAMES: Final = {value: name for name, value in vars(Rcode).items() if isinstance(value, int)}
_OTHER: Final = "other"
_NONE: Final = "none"


class Histogram:
    """How many values lay at or below each bound."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float], counts: Sequence[int] = (), total: float = 0.0) -> None:
        self.bounds: Final = bounds
        self.counts = list(counts) or [0] * (len(bounds) + 1)
        """Values above the bound before and not above this one; the last is for those above all."""
        self.total = total

    def add(self, value: float) -> None:
        """Note one value."""
        self.counts[bisect.bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        """Number of values."""
        return sum(self.counts)


class QueryStatistics:
    """What was asked and how it was answered. `tallies` are what the answering side writes into."""

    def __init__(self) -> None:
        self.tallies: Final = {transport: Tally() for transport in Transport}

    @property
    def answered(self) -> int:
        """Answers over all transports."""
        return sum(tally.answered for tally in self.tallies.values())

    def types(self) -> Iterator[tuple[Transport, str, int]]:
        """Answers by transport and the mnemonic of the type asked for; types that have none together."""
        for transport, tally in self.tallies.items():
            named: Counter[str] = Counter()
            for number, count in enumerate(tally.types):
                if count:
                    named[_type_name(number)] += count
            for name, count in named.items():
                yield transport, name, count

    def rcodes(self) -> Iterator[tuple[Transport, str, int]]:
        """Answers by transport and the name of the RCODE in their header."""
        for transport, tally in self.tallies.items():
            for number, count in enumerate(tally.rcodes):
                if count:
                    yield transport, RCODE_NAMES.get(number, str(number)), count

    def sizes(self, transport: Transport) -> Histogram:
        """Octets of the answers."""
        tally = self.tallies[transport]
        return Histogram(tuple(map(float, SIZE_BOUNDS)), tally.size_counts, float(tally.octets))

    def seconds(self) -> Histogram:
        """From message to answer, without the kernel's part."""
        columns = zip(*(tally.second_counts for tally in self.tallies.values()), strict=True)
        total = sum(tally.seconds for tally in self.tallies.values())
        return Histogram(SECONDS_BOUNDS, [sum(column) for column in columns], total)


def _type_name(number: int) -> str:
    if number == NO_QUESTION:
        return _NONE
    return _OTHER if number == OTHER_TYPE else MNEMONICS.get(number, _OTHER)
