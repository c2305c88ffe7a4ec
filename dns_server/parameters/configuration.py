"""Where parameters are said beside the command line."""

from typing import Any, Final

from dns_server.parameters.parameter import SERVE, Group, Parameter

CONFIG: Final[Parameter[str | None]] = Parameter(
    name="config",
    parse=str,
    default=None,
    metavar="PATH",
    example="/etc/unizone",
    group=Group.CONFIGURATION,
    verbs=SERVE,
    doc="Folder, tar or FAT volume with `unizone.toml`, which has parameters by their names, and the files that it "
    "names; disk0 to disk3 in a virtual machine, which by default takes its first disk that has one. What the command "
    "line says stands above it.",
)

TABLE: Final[tuple[Parameter[Any], ...]] = (CONFIG,)
