"""What a check is given: the zone, how its names stand to delegations, and where findings go."""

import enum
from collections.abc import Sequence
from typing import Final

from zones import name as names
from zones import rdtypes
from zones.checks.registry import Check
from zones.findings import Finding, Place
from zones.marks import NameMarks
from zones.rrset import RRset
from zones.zone import Zone

AT_CUT: Final = frozenset(
    (rdtypes.NS, rdtypes.DS, rdtypes.NSEC, rdtypes.RRSIG)
)  # RFC 4035 2.4, 2.6: what a cut may have
OF_SIGNED: Final = frozenset((rdtypes.DNSKEY, rdtypes.RRSIG, rdtypes.NSEC, rdtypes.NSEC3PARAM))
LIMIT: Final = 100  # findings a check, so that a broken generator script doesn't fill memory and logs
LARGE: Final = 100  # records of an RRset; more are reported
LOOKED_AT: Final = 200  # records of an RRset; others are not looked at, so that one RRset never holds the event loop


def limited(rrset: RRset) -> RRset:
    """The RRset with the records that are looked at."""
    return rrset if len(rrset.rdatas) <= LOOKED_AT else rrset._replace(rdatas=rrset.rdatas[:LOOKED_AT])


class Lookup(enum.Enum):
    """What the zone says to a query for the addresses of a name (RFC 1034 4.3.2)."""

    ADDRESS = "has an address"
    NO_ADDRESS = "has no A or AAAA"
    MISSING = "does not exist"
    CNAME = "is a CNAME"
    BELOW_DNAME = "is below a DNAME"
    DELEGATED = "is at or below a delegation"
    OUTSIDE = "is not in the zone"


class Context:
    """One run of the checks over one zone."""

    __slots__ = (
        "_counts", "apex", "authoritative", "cuts", "dnames", "findings", "hashed", "hidden",
        "now", "origin", "servers", "signed", "zone",
    )  # fmt: skip

    def __init__(self, zone: Zone, now: float) -> None:
        table = zone.tables.names
        self.zone: Final = zone
        self.origin: Final = zone.origin
        self.now: Final = now
        self.apex: Final = zone.types(zone.origin)
        """Types that the apex has."""
        self.signed: Final = not OF_SIGNED.isdisjoint(self.apex)
        """Whether the apex has any of the records that a signed zone has."""
        self.findings: Final[list[Finding]] = []
        self.authoritative: Final[list[bytes]] = []
        """Owners that are not hidden, delegations with them, in canonical order; empty in an unsigned zone."""
        self.cuts: Final = NameMarks(table)
        """Authoritative owners that are delegations."""
        self.dnames: Final = NameMarks(table)
        """Authoritative owners that have a DNAME."""
        self.hidden: Final[list[tuple[bytes, bytes]]] = []
        """Owners with data that is never answered as such, and the delegation or DNAME which hides it."""
        self.hashed: Final[list[bytes]] = []
        """Owners of NSEC3, in canonical order, which is that of their hashes."""
        self.servers: Final = NameMarks(table)
        """Names of the zone that are name servers of it or of its delegations."""
        self._counts: Final[dict[Check, int]] = {}

    @property
    def parts(self) -> list[list[bytes] | list[tuple[bytes, bytes]]]:
        """What is large for a large zone, to be emptied when the checks are over."""
        return [self.authoritative, self.hidden, self.hashed]

    def note(self, owner: bytes, types: Sequence[int]) -> bytes:
        """Note what the authoritative `owner` is; `owner` again if it hides what is below it, else empty."""
        if self.signed:
            self.authoritative.append(owner)
        if rdtypes.NS in types and owner != self.origin:
            self.cuts.add(owner)
            if not AT_CUT.issuperset(types):
                self.hidden.append((owner, owner))
            return owner
        if rdtypes.DNAME in types:
            self.dnames.add(owner)
            return owner
        return b""

    def note_servers(self, rrset: RRset) -> None:
        """Note the name servers that an authoritative NS RRset names."""
        for rdata in rrset.rdatas:
            server = names.fold(rdata)
            if server.endswith(self.origin):
                self.servers.add(server)

    def report(self, check: Check, owner: bytes, rdtype: int, message: str, hint: str = "", *, index: int = 0) -> None:
        """Add a finding about record `index` of an RRset."""
        count = self._counts[check] = self._counts.get(check, 0) + 1
        if count <= LIMIT:
            place = self.zone.place(owner, rdtype, index)
            self.findings.append(Finding(place, check.name, check.severity, message, hint))

    def result(self) -> list[Finding]:
        """All findings in the order of the files, with a word about those that were too many."""
        if not self.findings:
            return []
        self.findings.sort(key=lambda finding: finding.place)
        for check, count in self._counts.items():
            if count > LIMIT:
                message = f"{count - LIMIT} more findings of this check"
                self.findings.append(Finding(Place(self.zone.file), check.name, check.severity, message))
        return self.findings

    def bottom(self, name: bytes) -> bytes | None:
        """The delegation or DNAME that `name` is at or below (a DNAME: below), if there is one."""
        if not self.cuts and not self.dnames:
            return None
        cuts, dnames = self.cuts, self.dnames or ()
        for ancestor in names.ancestors(name):
            if ancestor in cuts or (ancestor in dnames and ancestor != name):
                return ancestor
            if ancestor == self.origin:
                break
        return None

    def find(self, name: bytes) -> tuple[Sequence[int], bytes]:
        """Types that `name` has, and their owner: it or a wildcard that answers for it (RFC 4592 3.3.1).

        `name` is folded, inside the zone, and not below a delegation or DNAME. Where it does not exist the owner
        is empty.
        """
        if self.zone.exists(name):
            return self.zone.types(name), name
        closest = names.parent(name)
        while not self.zone.exists(closest) and closest != self.origin:
            closest = names.parent(closest)
        wildcard = names.WILDCARD_LABEL + closest
        if wildcard in self.zone:
            return self.zone.types(wildcard), wildcard
        return (), b""

    def lookup(self, name: bytes) -> tuple[Lookup, bytes]:
        """What becomes of a query for addresses of `name` (folded), and the owner that decides it."""
        if not names.is_at_or_below(name, self.origin):
            return Lookup.OUTSIDE, name
        bottom = self.bottom(name)
        if bottom is not None:
            return (Lookup.DELEGATED if bottom in self.cuts else Lookup.BELOW_DNAME), bottom
        types, owner = self.find(name)
        if rdtypes.A in types or rdtypes.AAAA in types:
            return Lookup.ADDRESS, owner
        if rdtypes.CNAME in types:
            return Lookup.CNAME, owner
        return (Lookup.NO_ADDRESS if owner else Lookup.MISSING), owner
