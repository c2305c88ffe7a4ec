"""Who is told when a zone changes.

Read first: RFC 1996 2.1 and 3.3 (the NS set without the MNAME), 4.4 (others by configuration).
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from dns_server.access.permissions import Access
from zones import name as names
from zones.keys import DNS_PORT, TsigKey
from zones.policy import is_in_patterns
from zones.rdtypes import AAAA, NS, A
from zones.rdtypes import SOA as SOA_TYPE
from zones.snapshot import Snapshot
from zones.zone import Zone

SHOWN_ZONES: Final = 20_000
"""Zones for which peers that showed themselves are remembered."""
SHOWN_A_ZONE: Final = 16
SHOWN_S: Final = 7 * 86400.0
"""Seconds for which a peer that showed itself is remembered."""


class Target(NamedTuple):
    """A secondary of a zone."""

    address: str
    port: int
    key: bytes | None = None
    """Folded wire name of the key to sign with."""
    tls: str | None = None
    """Name in its certificate, where it is told over TLS."""

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class Shown:
    """Peers that asked for the SOA of a zone over TCP, signed with a key that may transfer it."""

    def __init__(self) -> None:
        self._peers: OrderedDict[bytes, OrderedDict[str, tuple[bytes, float]]] = OrderedDict()

    def note(self, zone: bytes, address: str, key: bytes, now: float) -> None:
        """The holder of `key` at `address` asked now."""
        peers = self._peers.setdefault(zone, OrderedDict())
        self._peers.move_to_end(zone)
        peers[address] = key, now
        peers.move_to_end(address)
        if len(peers) > SHOWN_A_ZONE:
            peers.popitem(last=False)
        if len(self._peers) > SHOWN_ZONES:
            self._peers.popitem(last=False)

    def targets(self, zone: bytes, now: float) -> Iterator[Target]:
        """Those of `zone` that asked not too long ago."""
        for address, (key, then) in self._peers.get(zone, {}).items():
            if now - then < SHOWN_S:
                yield Target(address, DNS_PORT, key)


def configured(zone: bytes, access: Access) -> Iterator[Target]:
    """Secondaries of `zone` in names of keys and in the policy."""
    for key in access.keyring.keys.values():
        if key.secondary is not None and key.zone in (zone, names.ROOT):
            yield Target(key.secondary.address, key.secondary.port, key.name)
    for target in () if access.policy is None else access.policy.targets:
        if is_in_patterns(zone, target.zones):
            yield Target(target.address, target.port, target.key, target.tls)


def name_servers(zone: Zone) -> list[bytes]:
    """Folded names of the NS set, without that of the primary in the SOA."""
    soa, servers = zone.rrset(zone.origin, SOA_TYPE), zone.rrset(zone.origin, NS)
    if soa is None or servers is None:
        return []
    rdata = soa.rdatas[0]
    end = 0
    while rdata[end]:
        end += 1 + rdata[end]
    primary = names.fold(rdata[: end + 1])
    return [name for name in map(names.fold, servers.rdatas) if name != primary]


def own_addresses(name: bytes, snapshot: Snapshot) -> list[str] | None:
    """Addresses of `name` by the zones that we serve; None when it is in none of them."""
    for origin in names.ancestors(name):
        served = snapshot.zones.get(origin)
        if served is not None:
            found = []
            for rdtype in (A, AAAA):
                rrset = served.zone.rrset(name, rdtype)
                if rrset is not None:
                    found += [str(ipaddress.ip_address(rdata)) for rdata in rrset.rdatas]
            return found
    return None


def merged(targets: Iterable[Target]) -> list[Target]:
    """One of each address and port: one with a key goes before one without."""
    chosen: dict[tuple[str, int], Target] = {}
    for target in targets:
        known = chosen.get(target[:2])
        if known is None or (known.key is None and target.key is not None):
            chosen[target[:2]] = target
    return list(chosen.values())


def signing_key(target: Target, access: Access) -> TsigKey | None:
    """The key that a NOTIFY to `target` is signed with; None where there is none (any more)."""
    return None if target.key is None else access.keyring.keys.get(target.key)
