"""Counters of queries and answers, and histograms. Sans-I/O; kept only while somebody can read them (`--http`)."""

import bisect
from collections import Counter
from collections.abc import Sequence
from typing import Final

from dns_server.answer.protocol import HEADER_SIZE, Rcode, Transport
from zones.rdtypes import MNEMONICS

SIZE_BOUNDS: Final = (64.0, 128.0, 256.0, 512.0, 1232.0, 4096.0, 16384.0)
"""Octets of an answer."""
SECONDS_BOUNDS: Final = (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 1e-1)
RCODE_NAMES: Final = {value: name for name, value in vars(Rcode).items() if isinstance(value, int)}
OTHER_TYPE: Final = "other"
NO_QUESTION: Final = "none"


class Histogram:
    """How many values lay at or below each bound."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds: Final = bounds
        self.counts = [0] * (len(bounds) + 1)
        """Values above the bound before and not above this one; the last is for those above all."""
        self.total = 0.0

    def add(self, value: float) -> None:
        """Note one value."""
        self.counts[bisect.bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        """Number of values."""
        return sum(self.counts)


class QueryStatistics:
    """What was asked and how it was answered."""

    def __init__(self) -> None:
        self.types: Counter[tuple[Transport, str]] = Counter()
        """Answered queries by mnemonic of their type; types that have none together, so that no peer makes more."""
        self.rcodes: Counter[tuple[Transport, int]] = Counter()
        """Answers by the RCODE of their header."""
        self.dropped: Counter[Transport] = Counter()
        """Messages that get no answer: responses, and less than a header."""
        self.sizes = {transport: Histogram(SIZE_BOUNDS) for transport in Transport}
        self.seconds = Histogram(SECONDS_BOUNDS)
        """From message to answer, without the kernel's part."""

    def note(self, transport: Transport, reply: bytes | None, seconds: float) -> None:
        """One message was answered with `reply`, or not at all, after `seconds`."""
        if reply is None:
            self.dropped[transport] += 1
            return
        self.types[transport, _type_of(reply)] += 1
        self.rcodes[transport, reply[3] & 0xF] += 1
        self.sizes[transport].add(len(reply))
        self.seconds.add(seconds)


def _type_of(reply: bytes) -> str:
    """Mnemonic of the type in the question of our own, hence well-formed, `reply`."""
    if reply[4:6] == b"\0\0":
        return NO_QUESTION
    position = HEADER_SIZE
    while length := reply[position]:
        position += 1 + length
    return MNEMONICS.get(int.from_bytes(reply[position + 1 : position + 3], "big"), OTHER_TYPE)
