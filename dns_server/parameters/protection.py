"""Guard rails: what others may have of the server."""

from typing import Any, Final

from dns_server import values
from dns_server.parameters.parameter import SERVING, Group, Parameter
from dns_server.values import Network

RATE_LIMIT: Final[Parameter[int]] = Parameter(
    name="rate-limit",
    parse=values.count_or("off", 0, 1, 10_000_000),
    default="500",
    metavar="NUMBER|off",
    example="200",
    group=Group.PROTECTION,
    verbs=SERVING,
    doc="Answers a second over UDP to one network (a /24 of IPv4, a /56 of IPv6) and of one class: positive, nodata, "
    "nxdomain, referral, any, dnskey, error. What is over it is dropped or truncated, so that nobody is flooded "
    "through this server. Clients with a valid cookie are not limited, nor is TCP.",
)
RATE_LIMIT_SLIP: Final[Parameter[int]] = Parameter(
    name="rate-limit-slip",
    parse=values.count(0, 1000),
    default="2",
    metavar="NUMBER",
    example="1",
    group=Group.PROTECTION,
    verbs=SERVING,
    doc="Of the answers over --rate-limit, one in so many leaves truncated, so that who is really there asks again "
    "over TCP; 1: all of them, 0: none.",
)
RATE_LIMIT_EXEMPT: Final[Parameter[tuple[Network, ...]]] = Parameter(
    name="rate-limit-exempt",
    parse=values.networks,
    default="127.0.0.0/8,::1/128",
    metavar="PREFIX",
    example="192.0.2.0/24",
    group=Group.PROTECTION,
    verbs=SERVING,
    doc="Networks that --rate-limit does not hold for; repeatable.",
    repeatable=True,
)
COOKIE_SECRET: Final[Parameter[tuple[bytes, ...]]] = Parameter(
    name="cookie-secret",
    parse=values.cookie_secrets,
    default=None,
    metavar="HEX|@FILE",
    example="@/etc/unizone/cookie-secrets",
    group=Group.PROTECTION,
    verbs=SERVING,
    doc="Secrets of the DNS cookies (RFC 9018) that show who is really at an address: 32 hexadecimal digits each, "
    "several between commas or on lines of a file; repeatable. The first makes cookies, those of all are taken: to "
    "change it, put the new one behind the old, then before it, then leave the old one out. Servers of one address "
    "need the same. Without it: one drawn at the start.",
    secret=True,
    repeatable=True,
)
COOKIE_LOAD: Final[Parameter[int]] = Parameter(
    name="cookie-load",
    parse=values.count_or("off", 0, 1, 10_000_000),
    default="off",
    metavar="NUMBER|off",
    example="50000",
    group=Group.PROTECTION,
    verbs=SERVING,
    doc="While more queries a second than this come over UDP without a valid cookie, such queries get no answers: "
    "clients that know of cookies get one (BADCOOKIE), others are sent to TCP. A guard for floods, not for every day.",
)

TABLE: Final[tuple[Parameter[Any], ...]] = (
    RATE_LIMIT,
    RATE_LIMIT_SLIP,
    RATE_LIMIT_EXEMPT,
    COOKIE_SECRET,
    COOKIE_LOAD,
)
