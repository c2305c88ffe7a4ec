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
    "through this server. TCP is not limited.",
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

TABLE: Final[tuple[Parameter[Any], ...]] = (RATE_LIMIT, RATE_LIMIT_SLIP, RATE_LIMIT_EXEMPT)
