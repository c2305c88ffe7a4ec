"""Which network the service stands on, where it listens, and what bounds its connections."""

import enum
from pathlib import Path
from typing import Any, Final

from dns_platform import machine
from dns_server import values
from dns_server.endpoint import Endpoint
from dns_server.parameters.parameter import SERVING, Group, Parameter


class Net(enum.Enum):
    """Which network the service stands on."""

    HOST = "host"
    DIRECT = "direct"


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
WORKERS: Final[Parameter[int]] = Parameter(
    name="workers",
    parse=values.count(1, 256),
    default="1",
    metavar="NUMBER",
    example="4",
    group=Group.NETWORK,
    verbs=SERVING,
    doc="Processes that answer over UDP, on the host's network. With several, each has sockets of its own among which "
    "the kernel spreads the clients, and the main process keeps TCP, TLS, the zones and the log.",
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
    file_prefix="",
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
    file_prefix="",
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

TABLE: Final[tuple[Parameter[Any], ...]] = (
    NET,
    LISTEN,
    WORKERS,
    TCP_CONNECTIONS,
    TCP_PER_CLIENT,
    TCP_IDLE,
    TLS_CERT,
    TLS_KEY,
    TLS_LISTEN,
)
