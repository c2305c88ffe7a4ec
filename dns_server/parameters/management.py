"""The management server: metrics, readiness, status."""

import enum
from typing import Any, Final

from dns_server import values
from dns_server.endpoint import Endpoint
from dns_server.parameters.parameter import SERVING, Group, Parameter
from dns_server.values import Network


class Switch(enum.Enum):
    """Whether."""

    ON = "on"
    OFF = "off"


HTTP: Final[Parameter[tuple[Endpoint, ...]]] = Parameter(
    name="http",
    parse=values.endpoints,
    default=None,
    metavar="ADDR:PORT",
    example="127.0.0.1:8053",
    group=Group.MANAGEMENT,
    verbs=SERVING,
    doc="Where to serve /metrics (Prometheus), /ready, /status.json and a page for people at /; repeatable. "
    "Off without it.",
    repeatable=True,
)
HTTP_ALLOW: Final[Parameter[tuple[Network, ...]]] = Parameter(
    name="http-allow",
    parse=values.networks,
    default="127.0.0.0/8,::1/128",
    metavar="PREFIX",
    example="192.0.2.0/24",
    group=Group.MANAGEMENT,
    verbs=SERVING,
    doc="Networks that may use --http; repeatable. Others are closed without a word.",
    repeatable=True,
)
HTTP_TOKEN: Final[Parameter[str | None]] = Parameter(
    name="http-token",
    parse=values.secret,
    default=None,
    metavar="SECRET|@FILE",
    example="@/etc/unizone/http-token",
    group=Group.MANAGEMENT,
    verbs=SERVING,
    doc="Needed to use --http, as bearer token or as the password of basic authentication: 16 characters or more, "
    "or the first line of a file.",
    secret=True,
    file_prefix="@",
)
WEBHOOK_SECRET: Final[Parameter[str | None]] = Parameter(
    name="webhook-secret",
    parse=values.secret,
    default=None,
    metavar="SECRET|@FILE",
    example="@/etc/unizone/webhook-secret",
    group=Group.MANAGEMENT,
    verbs=SERVING,
    doc="Takes webhooks of GitHub, Gitea, Forgejo and GitLab at POST /hook of --http that carry this secret: a push to "
    "the branch that is served is looked for at once. --http-token is not for them, --http-allow is.",
    secret=True,
    file_prefix="@",
)

DNS_STATUS: Final[Parameter[Switch]] = Parameter(
    name="dns-status",
    parse=values.choice(Switch),
    default="on",
    metavar="on|off",
    example="off",
    group=Group.MANAGEMENT,
    verbs=SERVING,
    doc="Without --http, whether TXT status.server in class CHAOS tells what `unizone status` shows: readiness, "
    "numbers of zones and records, how many are broken, the commit and its age.",
)

TABLE: Final[tuple[Parameter[Any], ...]] = (HTTP, HTTP_ALLOW, HTTP_TOKEN, WEBHOOK_SECRET, DNS_STATUS)
