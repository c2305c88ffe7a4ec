"""TSIG keys as a zone repository has them: DNSKEY records, the key's permission in its name.

A key is a DNSKEY record with flags 0 and protocol 3, whose algorithm says which HMAC (the numbers of dnssec-keygen's
K files) and whose public key is the secret. Its name grants: `label._update.zone`, `label._transfer.zone` or
`label._notify.zone`, each of which implies those after it; it may also tell where a secondary is. Read first: RFC 8945
sections 2 and 6, docs/repository.md.
"""

import enum
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from zones import name as names
from zones import rdtypes
from zones.findings import Finding, Place, Severity
from zones.zone import Zone

FLAGS: Final = 0
PROTOCOL: Final = 3

ALGORITHMS: Final = {
    157: b"\x08hmac-md5\x07sig-alg\x03reg\x03int\0",
    161: b"\x09hmac-sha1\0",
    162: b"\x0bhmac-sha224\0",
    163: b"\x0bhmac-sha256\0",
    164: b"\x0bhmac-sha384\0",
    165: b"\x0bhmac-sha512\0",
}
"""Algorithm number of a key's record to its name in TSIG records (RFC 8945 6)."""
HMAC_MD5: Final = ALGORITHMS[157]
"""For old peers alone: who serves decides whether such a key counts (RFC 8945 6)."""
DNS_PORT: Final = 53

_LAST_OCTET: Final = re.compile(r"(\d{1,3})(?:_(\d{1,5}))?", re.ASCII)


class Operation(enum.Enum):
    """What a key may do; the value is the label in the key's name."""

    UPDATE = b"_update"
    TRANSFER = b"_transfer"
    NOTIFY = b"_notify"

    def implies(self, other: "Operation") -> bool:
        """Whether a key that may do this may do `other`: update implies transfer, transfer implies notify."""
        order = list(Operation)
        return order.index(self) <= order.index(other)


class PeerAddress(NamedTuple):
    """A name server, as the name of a key has it."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A shared secret and what its name grants."""

    name: bytes
    """Folded wire name."""
    algorithm: bytes
    """Folded wire name, as TSIG records carry it."""
    secret: bytes = field(repr=False)
    operation: Operation | None
    """None where the name grants nothing: a policy may."""
    zone: bytes
    """Folded wire name at and below which the key may work; the root is all zones."""
    place: Place
    secondary: PeerAddress | None = None
    """Who wants to be told of changes."""


def secondary_of(name: bytes) -> PeerAddress | None:
    """The secondary in a key's folded wire `name`: `PRIMARY.SECONDARY._transfer.zone`, IPv4 addresses of four labels.

    A name with one address has that of the primary alone. `_PORT` behind the last octet is another port than 53.
    """
    labels = [label.decode("latin-1") for label in names.labels(name)]
    marker = Operation.TRANSFER.value.decode()
    if marker not in labels:
        return None
    end = len(labels) - 1 - labels[::-1].index(marker)
    if end < 8 or _address(labels[end - 8 : end - 4]) is None:
        return None
    return _address(labels[end - 4 : end])


def _address(labels: list[str]) -> PeerAddress | None:
    last = _LAST_OCTET.fullmatch(labels[3])
    if last is None:
        return None
    port = int(last[2]) if last[2] else DNS_PORT
    try:
        address = ipaddress.IPv4Address(".".join([*labels[:3], last[1]]))
    except ValueError:
        return None
    return PeerAddress(str(address), port) if 0 < port < 65536 else None


def grant(name: bytes) -> tuple[Operation | None, bytes]:
    """What a key's folded wire `name` grants and where: the operation label nearest to the zone counts."""
    operation, zone = None, name
    for ancestor in names.ancestors(name):
        if ancestor == names.ROOT:
            break
        label = ancestor[1 : 1 + ancestor[0]]
        for candidate in Operation:
            if label == candidate.value:
                operation, zone = candidate, names.parent(ancestor)
    return operation, zone


def read_keys(content: Zone, scope: bytes) -> Iterator[TsigKey | Finding]:
    """Keys of a parsed key file; `scope` is the zone of `<zone>._keys`, the root for `_keys`.

    Whatever is no key gives a finding of severity error that names the record, never the secret.
    """
    for rrset in content.rrsets():
        place = content.place(rrset.owner, rrset.rdtype)
        owner = names.to_text(rrset.owner)
        if rrset.rdtype != rdtypes.DNSKEY:
            yield _refused(place, f"{owner} has a record that is no DNSKEY", "key files hold DNSKEY records alone")
            continue
        if not names.is_at_or_below(rrset.owner, scope):
            yield _refused(place, f"key {owner} is not below {names.to_text(scope)}", "put it into _keys, or rename it")
            continue
        if len(rrset.rdatas) > 1:
            yield _refused(place, f"key {owner} has {len(rrset.rdatas)} secrets", "give each key a name of its own")
            continue
        yield _read_key(rrset.owner, rrset.rdatas[0], place)


def _read_key(name: bytes, rdata: bytes, place: Place) -> TsigKey | Finding:
    owner = names.to_text(name)
    if len(rdata) < 5:
        return _refused(place, f"key {owner} has no secret", "write: NAME DNSKEY 0 3 163 BASE64")
    flags, protocol, algorithm = int.from_bytes(rdata[:2], "big"), rdata[2], rdata[3]
    if flags != FLAGS or protocol != PROTOCOL:
        return _refused(place, f"key {owner} has flags {flags} and protocol {protocol}", "TSIG keys have 0 and 3")
    if algorithm not in ALGORITHMS:
        return _refused(
            place,
            f"key {owner} has algorithm {algorithm}",
            "161 to 165 are HMAC-SHA1, 224, 256, 384, 512; 157 is HMAC-MD5",
        )
    operation, zone = grant(name)
    return TsigKey(name, ALGORITHMS[algorithm], rdata[4:], operation, zone, place, secondary_of(name))


def _refused(place: Place, message: str, hint: str) -> Finding:
    return Finding(place, "tsig-key", Severity.ERROR, message, hint)
