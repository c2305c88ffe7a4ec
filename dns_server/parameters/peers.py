"""What other servers may have, and with which keys."""

import base64
import binascii
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


class Algorithm(enum.Enum):
    """Hashes for new keys (RFC 8945 6)."""

    SHA1 = "hmac-sha1"
    SHA224 = "hmac-sha224"
    SHA256 = "hmac-sha256"
    SHA384 = "hmac-sha384"
    SHA512 = "hmac-sha512"


def parse_key(text: str) -> tuple[bytes, bytes, bytes]:
    """`[ALGORITHM:]NAME:SECRET` with the secret in Base64, or `@FILE`; name, algorithm and secret."""
    from zones.keys import ALGORITHMS, HMAC_MD5  # not for those who only print help

    if text.startswith("@"):
        from dns_server.access.keyring import BadKeyFile, read_key_file

        try:
            keys = read_key_file(Path(text[1:]))
        except BadKeyFile as error:
            raise ValueError(str(error)) from None
        if len(keys) != 1:
            raise ValueError(f"{text[1:]} has {len(keys)} keys, and one is needed")
        return keys[0].name, keys[0].algorithm, keys[0].secret
    algorithm, _, rest = text.partition(":") if text.count(":") > 1 else (Algorithm.SHA256.value, "", text)
    name, colon, secret = rest.partition(":")
    if not colon:
        raise ValueError("expected [ALGORITHM:]NAME:SECRET")
    try:
        decoded = base64.b64decode(secret, validate=True)
    except binascii.Error:
        raise ValueError("the secret is not Base64") from None
    known = {names.to_text(each).removesuffix("."): each for each in ALGORITHMS.values()}
    known["hmac-md5"] = HMAC_MD5
    if algorithm.lower() not in known:
        raise ValueError(f"{algorithm!r} is none of {', '.join(known)}")
    return names.fold(names.from_text(name)), known[algorithm.lower()], decoded


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

CATALOG: Final[Parameter[bytes | None]] = Parameter(
    name="catalog",
    parse=lambda text: names.fold(names.from_text(text)),
    default=None,
    metavar="NAME",
    example="catalog.example.net",
    group=Group.PEERS,
    verbs=SERVING,
    doc="Name of a catalog zone (RFC 9432) that lists the zones served, so that secondaries follow by themselves. "
    "Give the name to nobody else: who can guess it can ask for it.",
)
ALGORITHM: Final[Parameter[Algorithm]] = Parameter(
    name="algorithm",
    parse=values.choice(Algorithm),
    default="hmac-sha256",
    metavar="hmac-sha1|...|hmac-sha512",
    example="hmac-sha512",
    group=Group.PEERS,
    verbs=frozenset({"key"}),
    doc="Hash of the key: hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384 or hmac-sha512.",
)
KEY: Final[Parameter[tuple[bytes, bytes, bytes] | None]] = Parameter(
    name="key",
    parse=parse_key,
    default=None,
    metavar="[ALGORITHM:]NAME:SECRET|@FILE",
    example="@/etc/unizone/laptop.key",
    group=Group.PEERS,
    verbs=frozenset({"notify"}),
    doc="TSIG key to sign with: as dig takes it, or a file with one key in the form of `_keys`.",
    secret=True,
)
PATIENCE: Final[Parameter[float]] = Parameter(
    name="patience",
    parse=values.duration,
    default="75s",
    metavar="TIME",
    example="10s",
    group=Group.PEERS,
    verbs=frozenset({"notify"}),
    doc="How long to wait: the server replies when it has the new version.",
)

TABLE: Final[tuple[Parameter[Any], ...]] = (AXFR, TSIG_KEYS, TSIG_MD5, IXFR_MEMORY, CATALOG, ALGORITHM, KEY, PATIENCE)
