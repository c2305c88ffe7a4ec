"""The whole table, in the order of `--help` and of the docs."""

from typing import Any, Final

from dns_server.parameters import (
    answers,
    configuration,
    direct,
    hooks,
    logs,
    management,
    network,
    output,
    peers,
    protection,
    updates,
    zones,
)
from dns_server.parameters.parameter import Parameter

TABLE: Final[tuple[Parameter[Any], ...]] = (
    *configuration.TABLE,
    *zones.TABLE,
    *network.TABLE,
    *direct.TABLE,
    *answers.TABLE,
    *peers.TABLE,
    *updates.TABLE,
    *hooks.TABLE,
    *protection.TABLE,
    *management.TABLE,
    *logs.TABLE,
    *output.TABLE,
)
