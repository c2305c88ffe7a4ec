"""What a parameter is: one row of the table."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Value = TypeVar("Value", covariant=True)

# `args` and `config` show what `serve` would do, so they take what `serve` takes.
SERVE: Final = frozenset({"serve", "args", "config"})
SERVING: Final = SERVE | {"example"}


class Group(enum.Enum):
    """Headings of `--help` and of the docs, in their order."""

    CONFIGURATION = "Configuration"
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
    file_prefix: str | None = None
    """What stands before the path where a text names a file; empty where every text does, None where none can."""
