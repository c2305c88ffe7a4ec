"""Hooks of a repository."""

from pathlib import Path
from typing import Any, Final

from dns_server import values
from dns_server.endpoint import Destination
from dns_server.parameters.parameter import Group, Parameter

NOTIFY: Final[Parameter[Destination | None]] = Parameter(
    name="notify",
    parse=values.destination,
    default=None,
    metavar="HOST[:PORT]",
    example="ns1.example.net",
    group=Group.PEERS,
    verbs=frozenset({"hook"}),
    doc="Server that the hook tells of each push, but for the server's own.",
)
HOOK_KEY: Final[Parameter[Path | None]] = Parameter(
    name="notify-key",
    parse=values.file,
    default=None,
    metavar="FILE",
    example="/etc/unizone/hook.key",
    group=Group.PEERS,
    verbs=frozenset({"hook"}),
    doc="File with the one TSIG key that the hook signs with, in the form of `_keys`; git must be able to read it.",
)

TABLE: Final[tuple[Parameter[Any], ...]] = (NOTIFY, HOOK_KEY)
