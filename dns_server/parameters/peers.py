"""What other servers may have, and with which keys."""

import enum
import ipaddress
from pathlib import Path
from typing import Any, Final

from dns_server import values
from dns_server.access.transfers import Open, Transfers
from dns_server.parameters.parameter import SERVING, Group, Parameter
from zones import name as names


class Md5(enum.Enum):
    """Whether HMAC-MD5 counts."""

    REFUSE = "refuse"
    ALLOW = "allow"


def parse_transfers(text: str) -> tuple[Transfers, ...]:
    """`none`, `keys`, `all`, `key:NAME` and networks, several between commas."""
    found = []
    for part in text.split(","):
        if part in (each.value for each in Open):
            found.append(Transfers(Open(part)))
        elif part.startswith("key:"):
            found.append(Transfers(keys=frozenset({names.fold(names.from_text(part[4:]))})))
        else:
            try:
                found.append(Transfers(networks=(ipaddress.ip_network(part),)))
            except ValueError as error:
                raise ValueError(f"{part!r} is none of none, keys, all, key:NAME, and no network ({error})") from None
    return tuple(found)


AXFR: Final[Parameter[tuple[Transfers, ...]]] = Parameter(
    name="axfr",
    parse=parse_transfers,
    default="keys",
    metavar="none|keys|all|PREFIX|key:NAME",
    example="192.0.2.0/24 --axfr=key:secondary",
    group=Group.PEERS,
    verbs=SERVING,
    doc="To whom whole zones are given, over TCP and TLS; repeatable. keys: to whom keys and policy of the repository "
    "allow it. A network or a key of any name may transfer every zone besides; all: everybody; none: nobody.",
    repeatable=True,
)
TSIG_KEYS: Final[Parameter[Path | None]] = Parameter(
    name="tsig-keys",
    parse=values.file,
    default=None,
    metavar="FILE",
    example="/etc/unizone/tsig-keys",
    group=Group.PEERS,
    verbs=SERVING,
    doc="TSIG keys beside those of the repository, in the form of `_keys`, so that a public repository needs none. "
    "SIGHUP reads it again.",
    file_prefix="",
)
TSIG_MD5: Final[Parameter[Md5]] = Parameter(
    name="tsig-md5",
    parse=values.choice(Md5),
    default="refuse",
    metavar="refuse|allow",
    example="allow",
    group=Group.PEERS,
    verbs=SERVING,
    doc="Whether keys of HMAC-MD5 count; for peers that know nothing better.",
)
IXFR_MEMORY: Final[Parameter[int]] = Parameter(
    name="ixfr-memory",
    parse=values.count(0, 4096),
    default="16",
    metavar="MB",
    example="64",
    group=Group.PEERS,
    verbs=SERVING,
    doc="Memory for differences between versions of zones, from which IXFR is answered; the oldest go first.",
)

TABLE: Final[tuple[Parameter[Any], ...]] = (AXFR, TSIG_KEYS, TSIG_MD5, IXFR_MEMORY)
