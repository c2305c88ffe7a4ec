"""What a benchmark tells: one number, beside its goal where it has one."""

import enum
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Protocol


class NotHere(Exception):
    """A benchmark can't measure on this machine; says why, and what is missing."""


class Relation(enum.Enum):
    """How a value should stand to its goal."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that was measured."""

    name: str
    """What was measured, as the table shows it: `CPU to load`. On a panel, whose bar it is: `NSD`."""
    value: float
    unit: str
    """`us`, `ns`, `s`, `ms`, `MB`, `Mbit/s`; empty for ratios and counts."""
    goal: float | None = None
    relation: Relation = Relation.AT_MOST
    note: str = ""
    """What else one must know to read it: what it is a ratio of, the other server's value."""
    panel: str = ""
    """Title of the group of bars in the picture that shows this value among others of the same unit; empty for none."""

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.relation is Relation.AT_MOST else self.value >= self.goal

    @property
    def verdict(self) -> str:
        """`met, by 12 %`; `missed, by 30 %`; empty without a goal. The part is of the goal."""
        if self.goal is None:
            return ""
        part = f", by {abs(self.value / self.goal - 1):.0%}".replace("%", " %") if self.goal else ""
        return ("met" if self.is_met else "missed") + part

    @property
    def goal_text(self) -> str:
        """`at most 0.85 us`; empty without a goal."""
        return "" if self.goal is None else f"{self.relation.value} {number(self.goal)} {self.unit}".rstrip()

    @property
    def value_text(self) -> str:
        """The value with its unit."""
        return f"{number(self.value)} {self.unit}".rstrip()

    def to_json(self) -> str:
        """One line that `from_json` reads."""
        return json.dumps({**asdict(self), "relation": self.relation.value})

    @classmethod
    def from_json(cls, line: str) -> "Figure":
        """The figure that `to_json` wrote. ValueError, TypeError."""
        fields: dict[str, Any] = json.loads(line)
        return cls(**{**fields, "relation": Relation(fields["relation"])})


class Benchmark(Protocol):
    """`run` of a benchmark's module."""

    def __call__(self, *, quick: bool) -> Iterator[Figure]:
        """Measure; figures as they are there. NotHere."""


def number(value: float) -> str:
    """Three digits, or all of those before the point: `0.667`, `4.21`, `143,000`."""
    if value == 0:
        return "0"
    magnitude = abs(value)
    digits = 3 if magnitude < 1 else 2 if magnitude < 10 else 1 if magnitude < 100 else 0
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
