"""Parameters that were given and do nothing, because another one is missing: nobody should have to find that out."""

from collections.abc import Sequence
from typing import Any, Final

from dns_server.parameters import direct, management
from dns_server.parameters.logs import (
    SYSLOG,
    SYSLOG_CERT,
    SYSLOG_FORMAT,
    SYSLOG_FRAMING,
    SYSLOG_PROTO,
    TLS_AUTHENTICATOR,
)
from dns_server.parameters.network import NET, Net
from dns_server.parameters.parameter import Parameter
from dns_server.parameters.protection import RATE_LIMIT, RATE_LIMIT_EXEMPT, RATE_LIMIT_SLIP
from dns_server.settings import DEFAULT, Settings

_SWITCHES: Final[tuple[tuple[Parameter[Any], Sequence[Parameter[Any]]], ...]] = (
    (management.HTTP, (management.HTTP_ALLOW, management.HTTP_TOKEN, management.WEBHOOK_SECRET)),
    (
        SYSLOG,
        (SYSLOG_PROTO, SYSLOG_FORMAT, SYSLOG_FRAMING, TLS_AUTHENTICATOR, SYSLOG_CERT),
    ),
    (RATE_LIMIT, (RATE_LIMIT_SLIP, RATE_LIMIT_EXEMPT)),
)
"""Parameters, and those that do something only with them."""


def without_effect(settings: Settings) -> list[tuple[str, str]]:
    """The parameter and what it needs, both as they are typed, for each of them."""
    idle = [(other, f"--{switch.name}") for switch, others in _SWITCHES if not settings[switch] for other in others]
    if settings[NET] is Net.HOST:
        idle += [(parameter, "--net=direct") for parameter in direct.TABLE]
    return [(f"--{one.name}", needed) for one, needed in idle if settings.setting(one).source != DEFAULT]
