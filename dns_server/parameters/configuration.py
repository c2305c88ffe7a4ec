"""Where parameters are said beside the command line."""

from pathlib import Path
from typing import Any, Final

from dns_server import values
from dns_server.parameters.parameter import SERVE, Group, Parameter

CONFIG: Final[Parameter[Path | None]] = Parameter(
    name="config",
    parse=values.existing,
    default=None,
    metavar="PATH",
    example="/etc/unizone",
    group=Group.CONFIGURATION,
    verbs=SERVE,
    doc="Folder, tar or FAT volume with `unizone.toml`, which has parameters by their names, and the files that it "
    "names. What the command line says stands above it.",
)

TABLE: Final[tuple[Parameter[Any], ...]] = (CONFIG,)
