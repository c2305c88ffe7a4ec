"""What a parameter is: one row of the table."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Value = TypeVar("Value", covariant=True)

# `args` shows what `serve` would do, so it takes what `serve` takes.
SERVE: Final = frozenset({"serve", "args"})
SERVING: Final = SERVE | {"example"}


class Group(enum.Enum):
    """Headings of `--help` and of the docs, in their order."""

    ZONES = "Zones"
    NETWORK = "Network"
    DIRECT = "Own network stack (--net=direct)"
    ANSWERS = "Answers"
    PEERS = "Other servers"
    PROTECTION = "Protection"
    MANAGEMENT = "Management"
    LOGS = "Logs"
    OUTPUT = "Output"


@dataclass(frozen=True, slots=True, eq=False)
class Parameter(Generic[Value]):
    """One parameter; its `Value` is what `Settings` gives for it."""

    name: str
    """Without the dashes in front."""
    parse: Callable[[str], Value]
    """Value of a text; ValueError says what is wrong. A repeatable one gives a tuple, and the tuples are joined."""
    default: str | None
    """As a text; None where there is none, and then the value is None, or `()` for a repeatable one."""
    metavar: str
    """What stands behind `=` in the help, with the unit where there is one."""
    example: str
    """A value that works."""
    group: Group
    verbs: frozenset[str]
    """Which commands take it."""
    doc: str
    """One or two sentences."""
    secret: bool = False
    """Never printed."""
    repeatable: bool = False
