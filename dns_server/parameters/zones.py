"""Where the zones come from, and how they are followed."""

import enum
from pathlib import Path
from typing import Any, Final

from dns_server import values
from dns_server.parameters.parameter import SERVE, SERVING, Group, Parameter
from zones.git.url import RemoteUrl, parse_url


class SerialPolicy(enum.Enum):
    """What happens to a serial that did not rise although the zone changed."""

    RAISE = "raise"
    KEEP = "keep"


REMOTE: Final[Parameter[RemoteUrl | None]] = Parameter(
    name="remote",
    parse=parse_url,
    default=None,
    metavar="URL[#BRANCH]",
    example="https://git.example.net/zones.git#main",
    group=Group.ZONES,
    verbs=SERVE,
    doc="Git repository with the zones: git://, http://, https:// or a local path. Each file at its top is a zone.",
)
ZONES: Final[Parameter[Path | None]] = Parameter(
    name="zones",
    parse=values.folder,
    default=None,
    metavar="DIR",
    example="/etc/unizone/zones",
    group=Group.ZONES,
    verbs=SERVE | {"ask", "bump"},
    doc="Folder with the zones, in the layout of a zone repository, in place of --remote.",
    file_prefix="",
)
BAKED: Final[Parameter[Path | None]] = Parameter(
    name="baked",
    parse=values.folder,
    default=None,
    metavar="DIR",
    example="/usr/share/unizone/zones",
    group=Group.ZONES,
    verbs=SERVE,
    doc="Folder with zones to serve until --remote has been reached for the first time.",
    file_prefix="",
)
CACHE: Final[Parameter[str | None]] = Parameter(
    name="cache",
    parse=values.text,
    default=None,
    metavar="DISK|none",
    example="/var/lib/unizone/cache",
    group=Group.ZONES,
    verbs=SERVE,
    doc="Disk that keeps what is served, so that a restart goes on without the remote: a file or block device; disk0 "
    "to disk3 in a virtual machine, which by default takes its first disk that is blank or a cache.",
)
POLL: Final[Parameter[float]] = Parameter(
    name="poll",
    parse=values.duration,
    default="60s",
    metavar="TIME",
    example="30s",
    group=Group.ZONES,
    verbs=SERVING,
    doc="How often the remote is asked whether its branch has moved (the folder: whether a file has changed).",
)
SERIAL: Final[Parameter[SerialPolicy]] = Parameter(
    name="serial",
    parse=values.choice(SerialPolicy),
    default="raise",
    metavar="raise|keep",
    example="keep",
    group=Group.ZONES,
    verbs=SERVING | {"hook"},
    doc="What to do when a zone changed and its SOA serial did not rise: raise it in what is served, or keep it.",
)

TABLE: Final[tuple[Parameter[Any], ...]] = (REMOTE, ZONES, BAKED, CACHE, POLL, SERIAL)
