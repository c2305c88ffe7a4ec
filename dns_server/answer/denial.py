"""Which NSEC or NSEC3 records prove what a step says: their owners, in the order in which they are given.

Read first: RFC 4035 3.1.3, RFC 5155 7.2, RFC 9077. The zone is signed already; nothing is computed here but hashes.
A chain has one method for each outcome that needs a proof, and `prove` is the table between the two.
"""

import base64
import bisect
import hashlib
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, Protocol

from dns_server.answer.steps import Outcome, Step, wildcard_of
from zones import rdtypes
from zones.name import canonical_key, parent
from zones.rrset import Node
from zones.zone import Zone

SHA1: Final = 1  # RFC 5155 11: the one hash algorithm


class Chain(Protocol):
    """The denial records of a zone."""

    rdtype: int
    """NSEC or NSEC3."""

    def add(self, owner: bytes, node: Node) -> None:
        """Take in the next owner of the zone, in canonical order, if it has a record of the chain."""

    def __len__(self) -> int:
        """Number of records."""

    def key(self, index: int) -> bytes:
        """What record `index` is sorted by."""

    @property
    def parts(self) -> list[list[bytes]]:
        """Where the records are kept."""

    def denied(self, step: Step) -> bytes:
        """Sort key of what must be shown not to exist for a step to a wildcard or to nothing: never empty."""

    def wildcard(self, step: Step) -> Iterator[bytes]:
        """No name closer than the wildcard that answers."""

    def nodata(self, step: Step) -> Iterator[bytes]:
        """The name, or the wildcard that stands in for it, does not have the type."""

    def nxdomain(self, step: Step) -> Iterator[bytes]:
        """Neither the name nor a wildcard for it exists."""

    def referral(self, step: Step) -> Iterator[bytes]:
        """The cut has no DS."""


class NsecChain:
    """Owners of NSEC records (RFC 4034 4)."""

    rdtype: int = rdtypes.NSEC

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self.owners: Final[list[bytes]] = []
        """In canonical order."""

    def __len__(self) -> int:
        return len(self.owners)

    def add(self, owner: bytes, node: Node) -> None:
        """Take in the owner of an NSEC record."""
        if rdtypes.NSEC in node:
            self.owners.append(owner)

    @property
    def parts(self) -> list[list[bytes]]:
        """The owners."""
        return [self.owners]

    def key(self, index: int) -> bytes:
        """The canonical sort key of an owner."""
        return canonical_key(self.owners[index])

    def denied(self, step: Step) -> bytes:
        """The name itself."""
        return canonical_key(step.name)

    def wildcard(self, step: Step) -> Iterator[bytes]:
        """RFC 4035 3.1.3.3."""
        yield self.cover(step.name)

    def nodata(self, step: Step) -> Iterator[bytes]:
        """RFC 4035 3.1.3.1, and 3.1.3.4 for a wildcard, whose own record need not be the one that covers the name."""
        yield self._at(step.source)
        if step.synthesized:
            yield self.cover(step.name)

    def nxdomain(self, step: Step) -> Iterator[bytes]:
        """RFC 4035 3.1.3.2."""
        yield self.cover(step.name)
        yield self.cover(wildcard_of(step.source))

    def referral(self, step: Step) -> Iterator[bytes]:
        """RFC 4035 3.1.4."""
        yield self._at(step.source)

    def _at(self, name: bytes) -> bytes:
        """The owner that speaks of `name`: itself, or the one before an empty non-terminal."""
        return name if self._zone.rrset(name, rdtypes.NSEC) is not None else self.cover(name)

    def cover(self, name: bytes) -> bytes:
        """The last owner before `name` in canonical order."""
        return self.owners[bisect.bisect_right(self.owners, canonical_key(name), key=canonical_key) - 1]


class Nsec3Parameters(NamedTuple):
    """How names are hashed (RFC 5155 4.2)."""

    algorithm: int
    iterations: int
    salt: bytes

    @classmethod
    def of(cls, rdata: bytes) -> "Nsec3Parameters":
        """Those of an NSEC3 or NSEC3PARAM record, which begin alike."""
        return cls(rdata[0], int.from_bytes(rdata[2:4], "big"), rdata[5 : 5 + rdata[4]])

    def hash(self, name: bytes) -> bytes:
        """Hash of `name`, folded (RFC 5155 5)."""
        digest = hashlib.sha1(name + self.salt, usedforsecurity=False).digest()
        for _ in range(self.iterations):
            digest = hashlib.sha1(digest + self.salt, usedforsecurity=False).digest()
        return digest


class Nsec3Chain:
    """Owners of the NSEC3 records with one set of parameters."""

    rdtype: int = rdtypes.NSEC3

    def __init__(self, origin: bytes, parameters: Nsec3Parameters) -> None:
        self._origin = origin
        self.parameters: Final = parameters
        self._owners: list[bytes] = []
        """In the order of their hashes, which is the canonical one: base32hex keeps it (RFC 4648 7)."""
        self._hashes: list[bytes] = []

    def __len__(self) -> int:
        return len(self._owners)

    def add(self, owner: bytes, node: Node) -> None:
        """Take in the owner of an NSEC3 record with the chain's parameters."""
        if rdtypes.NSEC3 in node and Nsec3Parameters.of(node[rdtypes.NSEC3].rdatas[0]) == self.parameters:
            try:
                digest = base64.b32hexdecode(owner[1 : 1 + owner[0]].upper())
            except ValueError:  # no hash: the record proves nothing
                return
            self._owners.append(owner)
            self._hashes.append(digest)

    @property
    def parts(self) -> list[list[bytes]]:
        """Owners and hashes."""
        return [self._owners, self._hashes]

    def key(self, index: int) -> bytes:
        """The hash that an owner says."""
        return self._hashes[index]

    def denied(self, step: Step) -> bytes:
        """The next closer name (RFC 5155 1.3)."""
        encloser = parent(step.source) if step.synthesized else step.source
        return self.parameters.hash(_next_closer(step.name, encloser))

    def wildcard(self, step: Step) -> Iterator[bytes]:
        """RFC 5155 7.2.6."""
        yield self._cover(_next_closer(step.name, parent(step.source)))

    def nodata(self, step: Step) -> Iterator[bytes]:
        """RFC 5155 7.2.3, 7.2.4 for DS below an opt-out span, 7.2.5 for a wildcard."""
        if step.synthesized:
            yield from self._closest_encloser(step.name, parent(step.source))
        found = self._match(step.source)
        if found is not None:
            yield found
        elif not step.synthesized:
            yield from self._closest_encloser(step.name, parent(step.source))

    def nxdomain(self, step: Step) -> Iterator[bytes]:
        """RFC 5155 7.2.2."""
        encloser = self._provable(step.source)
        yield from self._closest_encloser(step.name, encloser)
        yield self._cover(wildcard_of(encloser))

    def referral(self, step: Step) -> Iterator[bytes]:
        """RFC 5155 7.2.7."""
        found = self._match(step.source)
        if found is not None:
            yield found
        else:
            yield from self._closest_encloser(step.source, parent(step.source))

    def _closest_encloser(self, name: bytes, encloser: bytes) -> Iterator[bytes]:
        """RFC 5155 7.2.1, beginning at `encloser`: names that opt-out leaves without a record prove nothing."""
        encloser = self._provable(encloser)
        found = self._match(encloser)
        if found is not None:
            yield found
        yield self._cover(_next_closer(name, encloser))

    def _provable(self, encloser: bytes) -> bytes:
        """The name at or above `encloser` that has a record of its own; at the latest the apex."""
        while encloser != self._origin and self._match(encloser) is None:
            encloser = parent(encloser)
        return encloser

    def _match(self, name: bytes) -> bytes | None:
        """The owner that is the hash of `name`."""
        digest = self.parameters.hash(name)
        index = bisect.bisect_left(self._hashes, digest)
        return self._owners[index] if index < len(self._hashes) and self._hashes[index] == digest else None

    def _cover(self, name: bytes) -> bytes:
        """The owner before the hash of `name`; the last one stands before the first."""
        return self._owners[bisect.bisect_left(self._hashes, self.parameters.hash(name)) - 1]


def _next_closer(name: bytes, encloser: bytes) -> bytes:
    """The name one label longer than `encloser` on the way to `name` (RFC 5155 1.3)."""
    while len(above := parent(name)) > len(encloser):
        name = above
    return name


_PROOFS: Final[dict[Outcome, Callable[[Chain, Step], Iterator[bytes]]]] = {
    Outcome.NODATA: lambda chain, step: chain.nodata(step),
    Outcome.NXDOMAIN: lambda chain, step: chain.nxdomain(step),
    Outcome.REFERRAL: lambda chain, step: chain.referral(step),
}
_EXPANDED: Final = frozenset({Outcome.ANSWER, Outcome.CNAME})


def prove(chain: Chain, zone: Zone, step: Step) -> Iterator[bytes]:
    """Owners of the denial records that belong to `step`; the same one may come twice."""
    if step.outcome in _EXPANDED and step.synthesized:
        yield from chain.wildcard(step)
    elif step.outcome is Outcome.REFERRAL and zone.rrset(step.source, rdtypes.DS) is not None:
        return
    elif step.outcome in _PROOFS:
        yield from _PROOFS[step.outcome](chain, step)


def chains_of(zone: Zone) -> list[Chain]:
    """The chains that the zone may have, still empty, the one to prefer first.

    With NSEC3PARAM at the apex its chain is complete (RFC 5155 4), so it goes before NSEC.
    """
    chains: list[Chain] = []
    announced = zone.rrset(zone.origin, rdtypes.NSEC3PARAM)
    for rdata in () if announced is None else announced.rdatas:
        parameters = Nsec3Parameters.of(rdata)
        if not rdata[1] and parameters.algorithm == SHA1:  # RFC 5155 4.1.2: with flags it is not to be used
            chains.append(Nsec3Chain(zone.origin, parameters))
    return [*chains, NsecChain(zone)]
