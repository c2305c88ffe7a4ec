"""Log lines, and the syslog collector that gets them."""

import enum
from pathlib import Path
from typing import Any, Final

from dns_server import values
from dns_server.endpoint import Destination
from dns_server.features import syslog_transports
from dns_server.logs.authenticator import Authenticator
from dns_server.logs.authenticator import parse as parse_authenticator
from dns_server.parameters.parameter import SERVING, Group, Parameter


class LogFormat(enum.Enum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


class SyslogProtocol(enum.Enum):
    """What carries syslog messages."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


class SyslogFormat(enum.Enum):
    """Which syslog."""

    RFC5424 = "rfc5424"
    RFC3164 = "rfc3164"


class Framing(enum.Enum):
    """How a syslog message ends on a stream (RFC 6587 3.4)."""

    OCTETS = "octets"
    """Its length stands before it."""
    NEWLINE = "newline"
    """A newline stands behind it."""


class Level(enum.Enum):
    """The least severity that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


LOGS: Final[Parameter[Level]] = Parameter(
    name="logs",
    parse=values.choice(Level),
    default="info",
    metavar="debug|info|warning|error",
    example="debug",
    group=Group.LOGS,
    verbs=SERVING,
    doc="The least severe log lines that are written.",
)
LOG_FORMAT: Final[Parameter[LogFormat]] = Parameter(
    name="log-format",
    parse=values.choice(LogFormat),
    default="text",
    metavar="text|json",
    example="json",
    group=Group.LOGS,
    verbs=SERVING,
    doc="Log lines for people, or one JSON object a line.",
)
SYSLOG: Final[Parameter[Destination | None]] = Parameter(
    name="syslog",
    parse=values.destination,
    default=None,
    metavar="HOST[:PORT]",
    example="logs.example.net",
    group=Group.LOGS,
    verbs=SERVING,
    doc="Syslog collector that gets the log lines, too. Without a port: 514 over UDP, 601 over TCP, 6514 over TLS.",
)
SYSLOG_PROTO: Final[Parameter[SyslogProtocol]] = Parameter(
    name="syslog-proto",
    parse=values.choice(SyslogProtocol),
    default=syslog_transports()[-1],
    metavar="udp|tcp|tls",
    example="tls",
    group=Group.LOGS,
    verbs=SERVING,
    doc="What carries the messages to the collector (RFC 5426, RFC 6587, RFC 5425).",
)
SYSLOG_FORMAT: Final[Parameter[SyslogFormat]] = Parameter(
    name="syslog-format",
    parse=values.choice(SyslogFormat),
    default="rfc5424",
    metavar="rfc5424|rfc3164",
    example="rfc3164",
    group=Group.LOGS,
    verbs=SERVING,
    doc="How the messages are written.",
)
SYSLOG_FRAMING: Final[Parameter[Framing]] = Parameter(
    name="syslog-framing",
    parse=values.choice(Framing),
    default="octets",
    metavar="octets|newline",
    example="newline",
    group=Group.LOGS,
    verbs=SERVING,
    doc="How messages are told apart over TCP and TLS: by their length in front, or by a newline behind.",
)
TLS_AUTHENTICATOR: Final[Parameter[Authenticator]] = Parameter(
    name="tls-authenticator",
    parse=parse_authenticator,
    default="system",
    metavar="system|file:PATH|key-fp:SHA256:BASE64|cert-fp:SHA256:BASE64",
    example="file:/etc/unizone/collector-ca.pem",
    group=Group.LOGS,
    verbs=SERVING,
    doc="Whom to believe over TLS to be the collector: authorities of the system or of a file, one key, or one "
    "certificate.",
    file_prefix="file:",
)
SYSLOG_CERT: Final[Parameter[Path | None]] = Parameter(
    name="syslog-cert",
    parse=values.file,
    default=None,
    metavar="FILE",
    example="/etc/unizone/client.pem",
    group=Group.LOGS,
    verbs=SERVING,
    doc="Certificate with its key, in PEM, to show to the collector over TLS.",
    file_prefix="",
)

TABLE: Final[tuple[Parameter[Any], ...]] = (
    LOGS,
    LOG_FORMAT,
    SYSLOG,
    SYSLOG_PROTO,
    SYSLOG_FORMAT,
    SYSLOG_FRAMING,
    TLS_AUTHENTICATOR,
    SYSLOG_CERT,
)
