"""How tools print their results."""

import enum
from typing import Any, Final

from dns_server import values
from dns_server.parameters.parameter import Group, Parameter


class OutputFormat(enum.Enum):
    """How a tool prints its result."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


FORMAT: Final[Parameter[OutputFormat]] = Parameter(
    name="format",
    parse=values.choice(OutputFormat),
    default="text",
    metavar="text|json|markdown",
    example="json",
    group=Group.OUTPUT,
    verbs=frozenset({"args", "config", "status", "check", "diff"}),
    doc="How the result is printed.",
)

TABLE: Final[tuple[Parameter[Any], ...]] = (FORMAT,)
