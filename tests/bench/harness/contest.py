"""Servers that do the same work in turns: what CPU time each takes for a query that it answers."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.bench.harness.figure import Figure, NotHere
from tests.bench.harness.machine import cpu_seconds, pinned

ROUNDS = 15
ROUND_S = 0.5
"""Many short rounds: what else the machine does comes and goes in seconds, and then meets all contenders of a round."""
QUICK_S = 0.2
WARM_S = 1.0
"""So that each question has been asked: what is asked again is another thing than what is asked for the first time."""
OURS = "unizone"
LIMITS = ("--rate-limit=10000000", "--rate-limit-exempt=203.0.113.0/24")
"""Rates that nobody reaches, kept for the client too: our server does for each query all that it can do."""
FLOOR = "C echo"
"""A few lines of C that answer nothing and send each datagram back: what sockets cost without a server."""


class Turn(NamedTuple):
    """What came of loading a server for a while."""

    answered: int
    sent: int
    seconds: float


@dataclass
class Contender:
    """A server that runs, how to load it, and what was measured of it."""

    name: str
    pid: int
    load: Callable[[float], Turn]
    """Ask it as much as it can answer for so many seconds."""
    microseconds: list[float] = field(default_factory=list)
    """CPU a query, by round."""
    rates: list[float] = field(default_factory=list)
    """Answers a second, by round."""
    lost: int = 0

    @property
    def cost(self) -> float:
        """Microseconds of CPU for each answered query."""
        return statistics.median(self.microseconds)

    def ratio_to(self, other: "Contender") -> float:
        """Cost as a part of the other's, round by round."""
        pairs = zip(self.microseconds, other.microseconds, strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)


def compete(contenders: Sequence[Contender], *, quick: bool) -> None:
    """Interleaved rounds, after one to get warm; every other one backwards, so that nobody always follows the same."""
    seconds = QUICK_S if quick else ROUND_S
    with pinned([contender.pid for contender in contenders]):
        for contender in contenders:
            contender.load(WARM_S)
        for number in range(1 if quick else ROUNDS):
            for contender in contenders[:: -1 if number % 2 else 1]:
                before = cpu_seconds(contender.pid)
                turn = contender.load(seconds)
                used = cpu_seconds(contender.pid) - before
                if not (turn.answered and used):
                    raise NotHere(f"{contender.name} got no turn on this busy machine")
                contender.microseconds.append(used / turn.answered * 1e6)
                contender.rates.append(turn.answered / turn.seconds)
                contender.lost += turn.sent - turn.answered


def bars(contenders: Sequence[Contender], panel: str) -> Iterator[Figure]:
    """CPU of each contender, as one panel of the picture."""
    for contender in contenders:
        lost = f", {contender.lost:,} lost" if contender.lost else ""
        note = f"{statistics.median(contender.rates):,.0f} answers/s{lost}"
        yield Figure(contender.name, contender.cost, "us", note=note, panel=panel)


def ratios(ours: Contender, rivals: Sequence[Contender], goals: Mapping[str, float], what: str) -> Iterator[Figure]:
    """Our CPU as a part of each rival's that has a goal, and of the floor."""
    for rival in rivals:
        if rival.name in goals:
            yield Figure(f"{what}, of {rival.name}'s", ours.ratio_to(rival), "", goals[rival.name])
        elif rival.name == FLOOR:
            yield Figure(f"{what}, of the floor's", ours.ratio_to(rival), "")
