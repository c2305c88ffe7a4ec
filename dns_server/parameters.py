"""Every parameter of the program: one table that feeds the command line, `--help`, `unizone args` and the docs.

A parameter is written `--name=value` on a command line and on a boot line alike. The table is data; how texts become
`Settings` is in `dns_server/settings.py`.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from dns_platform import machine
from dns_server import values
from dns_server.endpoint import Destination, Endpoint
from dns_server.logs.authenticator import Authenticator
from dns_server.logs.authenticator import parse as parse_authenticator
from dns_server.values import Addressing, Network
from stack.address import Address
from stack.interface.settings import Static
from zones.git.url import RemoteUrl, parse_url

Value = TypeVar("Value", covariant=True)

# `args` shows what `serve` would do, so it takes what `serve` takes.
SERVE: Final = frozenset({"serve", "args"})
SERVING: Final = SERVE | {"example"}


class Group(enum.Enum):
    """Headings of `--help` and of the docs, in their order."""

    ZONES = "Zones"
    NETWORK = "Network"
    DIRECT = "Own network stack (--net=direct)"
    ANSWERS = "Answers"
    MANAGEMENT = "Management"
    LOGS = "Logs"
    OUTPUT = "Output"


class Net(enum.Enum):
    """Which network the service stands on."""

    HOST = "host"
    DIRECT = "direct"


class Link(enum.Enum):
    """How frames of an interface are had."""

    TAP = "tap"
    PACKET = "packet"
    XDP = "xdp"


class SerialPolicy(enum.Enum):
    """What happens to a serial that did not rise although the zone changed."""

    RAISE = "raise"
    KEEP = "keep"


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


class OutputFormat(enum.Enum):
    """How a tool prints its result."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


class Level(enum.Enum):
    """The least severity that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, eq=False)
class Parameter(Generic[Value]):
    """One parameter; its `Value` is what `Settings` gives for it."""

    name: str
    """Without the dashes in front."""
    parse: Callable[[str], Value]
    """Value of a text; ValueError says what is wrong. A repeatable one gives a tuple, and the tuples are joined."""
    default: str | None
    """As a text; None where there is none, and then the value is None, or `()` for a repeatable one."""
    metavar: str
    """What stands behind `=` in the help, with the unit where there is one."""
    example: str
    """A value that works."""
    group: Group
    verbs: frozenset[str]
    """Which commands take it."""
    doc: str
    """One or two sentences."""
    secret: bool = False
    """Never printed."""
    repeatable: bool = False


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
    verbs=SERVING,
    doc="What to do when a zone changed and its SOA serial did not rise: raise it in what is served, or keep it.",
)
NET: Final[Parameter[Net]] = Parameter(
    name="net",
    parse=values.choice(Net),
    default="host" if machine.HAS_SOCKETS else "direct",  # an image that boots has no other way
    metavar="host|direct",
    example="direct",
    group=Group.NETWORK,
    verbs=SERVING,
    doc="Which network stack carries the service: the host's sockets, or this program's own TCP/IP on --interface "
    "(which takes root, or CAP_NET_ADMIN and CAP_NET_RAW).",
)
INTERFACE: Final[Parameter[str | None]] = Parameter(
    name="interface",
    parse=values.text,
    default=None,
    metavar="NAME",
    example="eth1",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="The interface that the own stack takes; it should have no address of the host's.",
)
LINK: Final[Parameter[Link]] = Parameter(
    name="link",
    parse=values.choice(Link),
    default="packet",
    metavar="tap|packet|xdp",
    example="tap",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="How the own stack exchanges frames with --interface: as the other end of a tap interface, by AF_PACKET, or by "
    "AF_XDP.",
)
PCAP: Final[Parameter[Path | None]] = Parameter(
    name="pcap",
    parse=values.new_file,
    default=None,
    metavar="FILE",
    example="unizone.pcap",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="File to write every frame of the own stack to, for Wireshark and tcpdump; one that is there is overwritten.",
)
IPV4: Final[Parameter[Static | Addressing]] = Parameter(
    name="ipv4",
    parse=values.ipv4,
    default="dhcp",
    metavar="ADDR/LEN|dhcp|none",
    example="192.0.2.53/24",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="IPv4 address of the own stack, with the length of its network.",
)
IPV4_GATEWAY: Final[Parameter[Address | None]] = Parameter(
    name="ipv4-gateway",
    parse=values.ipv4_address,
    default=None,
    metavar="ADDR",
    example="192.0.2.1",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="Router for IPv4 beyond the own network; DHCP tells it otherwise.",
)
IPV6: Final[Parameter[Static | Addressing]] = Parameter(
    name="ipv6",
    parse=values.ipv6,
    default="auto",
    metavar="ADDR/LEN|auto|none",
    example="2001:db8::53/64",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="IPv6 address of the own stack, with the length of its network; auto: from router advertisements alone.",
)
IPV6_GATEWAY: Final[Parameter[Address | None]] = Parameter(
    name="ipv6-gateway",
    parse=values.ipv6_address,
    default=None,
    metavar="ADDR",
    example="2001:db8::1",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="Router for IPv6; router advertisements tell it otherwise.",
)
RESOLVER: Final[Parameter[tuple[Address, ...]]] = Parameter(
    name="resolver",
    parse=values.addresses,
    default=None,
    metavar="ADDR",
    example="192.0.2.1 --resolver=2001:db8::1",
    group=Group.DIRECT,
    verbs=SERVING,
    doc="Recursive name server that the own stack asks for the host of --remote; repeatable. DHCP tells it otherwise.",
    repeatable=True,
)
LISTEN: Final[Parameter[tuple[Endpoint, ...]]] = Parameter(
    name="listen",
    parse=values.endpoints,
    default=None,
    metavar="ADDR:PORT",
    example="192.0.2.1:53 --listen=[2001:db8::1]:53",
    group=Group.NETWORK,
    verbs=SERVING,
    doc="Where to answer over UDP and TCP; repeatable. Without it: port 53 of every address (`example`: port 5353 of "
    "127.0.0.1 and ::1). Answers leave from the address that was asked, also with 0.0.0.0 and [::].",
    repeatable=True,
)
TCP_CONNECTIONS: Final[Parameter[int]] = Parameter(
    name="tcp-connections",
    parse=values.count(1, 100_000),
    default="500",
    metavar="NUMBER",
    example="2000",
    group=Group.NETWORK,
    verbs=SERVING,
    doc="TCP connections open at once; the one that has been idle longest makes room for a new one.",
)
TCP_PER_CLIENT: Final[Parameter[int]] = Parameter(
    name="tcp-per-client",
    parse=values.count(1, 100_000),
    default="50",
    metavar="NUMBER",
    example="10",
    group=Group.NETWORK,
    verbs=SERVING,
    doc="TCP connections open at once from one client: an IPv4 address, or an IPv6 /64.",
)
TCP_IDLE: Final[Parameter[float]] = Parameter(
    name="tcp-idle",
    parse=values.duration,
    default="10s",
    metavar="TIME",
    example="30s",
    group=Group.NETWORK,
    verbs=SERVING,
    doc="A TCP connection on which no whole query came, or no answer could be sent, for this long is closed.",
)
TLS_CERT: Final[Parameter[Path | None]] = Parameter(
    name="tls-cert",
    parse=values.file,
    default=None,
    metavar="FILE",
    example="/etc/unizone/fullchain.pem",
    group=Group.NETWORK,
    verbs=SERVING,
    doc="Certificate chain in PEM for DNS over TLS (RFC 7858), which is off without it. SIGHUP reads it again.",
)
TLS_KEY: Final[Parameter[Path | None]] = Parameter(
    name="tls-key",
    parse=values.file,
    default=None,
    metavar="FILE",
    example="/etc/unizone/privkey.pem",
    group=Group.NETWORK,
    verbs=SERVING,
    doc="Private key in PEM that belongs to --tls-cert, not encrypted.",
)
TLS_LISTEN: Final[Parameter[tuple[Endpoint, ...]]] = Parameter(
    name="tls-listen",
    parse=values.endpoints,
    default=None,
    metavar="ADDR:PORT",
    example="192.0.2.1:853",
    group=Group.NETWORK,
    verbs=SERVING,
    doc="Where to answer over TLS; repeatable. Without it: port 853 of the addresses of --listen.",
    repeatable=True,
)
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
)
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
    default="udp",
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
)
FORMAT: Final[Parameter[OutputFormat]] = Parameter(
    name="format",
    parse=values.choice(OutputFormat),
    default="text",
    metavar="text|json|markdown",
    example="json",
    group=Group.OUTPUT,
    verbs=frozenset({"args", "check", "diff"}),
    doc="How the result is printed.",
)

TABLE: Final[tuple[Parameter[Any], ...]] = (
    REMOTE,
    ZONES,
    BAKED,
    POLL,
    SERIAL,
    NET,
    LISTEN,
    TCP_CONNECTIONS,
    TCP_PER_CLIENT,
    TCP_IDLE,
    TLS_CERT,
    TLS_KEY,
    TLS_LISTEN,
    INTERFACE,
    LINK,
    PCAP,
    IPV4,
    IPV4_GATEWAY,
    IPV6,
    IPV6_GATEWAY,
    RESOLVER,
    NAME,
    VERSION_TEXT,
    HTTP,
    HTTP_ALLOW,
    HTTP_TOKEN,
    LOGS,
    LOG_FORMAT,
    SYSLOG,
    SYSLOG_PROTO,
    SYSLOG_FORMAT,
    SYSLOG_FRAMING,
    TLS_AUTHENTICATOR,
    SYSLOG_CERT,
    FORMAT,
)
