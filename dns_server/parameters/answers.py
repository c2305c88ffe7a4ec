"""What the server tells of itself."""

from typing import Any, Final

from dns_server import values
from dns_server.parameters.parameter import SERVING, Group, Parameter

NAME: Final[Parameter[str | None]] = Parameter(
    name="name",
    parse=values.text,
    default=None,
    metavar="TEXT",
    example="ns1-fra",
    group=Group.ANSWERS,
    verbs=SERVING,
    doc="Name of this server, told to who asks for it: NSID (RFC 5001), id.server and hostname.bind. "
    "Without it, nothing is told.",
)
VERSION_TEXT: Final[Parameter[str | None]] = Parameter(
    name="version-text",
    parse=values.text,
    default=None,
    metavar="TEXT",
    example="none of your business",
    group=Group.ANSWERS,
    verbs=SERVING,
    doc="What version.bind and version.server answer. Without it: the program's name and version; empty: refused.",
)

TABLE: Final[tuple[Parameter[Any], ...]] = (NAME, VERSION_TEXT)
