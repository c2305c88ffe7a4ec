"""What `unizone check` finds: one file or a whole version of the repository, read and checked as the loader does."""

from collections.abc import Callable
from dataclasses import dataclass

from zones import name as names
from zones import rdtypes, repository
from zones.checks import check
from zones.checks.verify import Verify
from zones.findings import Finding, Place, Severity
from zones.keys import read_keys
from zones.loader import Options, load
from zones.slices import Sliced
from zones.snapshot import Snapshot
from zones.tree import Tree
from zones.zone import Zone
from zones.zonefile import parse


@dataclass(frozen=True, slots=True)
class Report:
    """The result."""

    zones: int
    """Zones without an error."""
    records: int
    """Records in them."""
    signed: bool
    """Whether one of them has signatures."""
    findings: tuple[Finding, ...]
    """In the order of files, lines and columns."""

    def count(self, severity: Severity) -> int:
        """Number of findings of one severity."""
        return sum(finding.severity is severity for finding in self.findings)


class NoZone(Exception):
    """A file is neither a zone nor a key file by its name."""


def audit_tree(tree: Tree, now: float, verify: Verify | None) -> Sliced[Report]:
    """All zones and key files of `tree`. OSError where the tree cannot be listed."""
    snapshot = yield from load(tree, Snapshot(), Options(verify=verify), now)
    findings = set(snapshot.findings)
    for parts in (snapshot.zones, snapshot.broken, snapshot.key_files):
        findings.update(finding for part in parts.values() for finding in part.findings)
    if snapshot.policy_file is not None:
        findings.update(snapshot.policy_file.findings)
    return _report([served.zone for served in snapshot.zones.values()], findings)


def audit_file(path: str, read: Callable[[str], bytes], now: float, verify: Verify | None) -> Sliced[Report]:
    """The file at `path`, which `read` gives as well as what it includes. NoZone, OSError."""
    try:
        scope = repository.keys_of(path)
        origin = names.ROOT if scope is not None else repository.zone_of(path)
    except names.BadName as bad:
        raise NoZone(f"{path}: the name of the file is no domain name: {bad}") from None
    if origin is None:
        raise NoZone(f"{path} is no zone by its name; call it after its zone, with .zone at the end")
    parsed = yield from parse(read(path), origin, path, read, default_ttl=None if scope is None else 0)
    findings = set(parsed.findings)
    if parsed.zone is None:
        return _report([], findings)
    if scope is not None:
        findings.update(found for found in read_keys(parsed.zone, scope) if isinstance(found, Finding))
        return _report([], findings)
    findings.update((yield from check(parsed.zone, now, verify)))
    return _report([parsed.zone], findings)


def _report(zones: list[Zone], findings: set[Finding]) -> Report:
    return Report(
        zones=len(zones),
        records=sum(zone.record_count for zone in zones),
        signed=any(zone.rrset(zone.origin, rdtypes.RRSIG) is not None for zone in zones),
        findings=tuple(sorted(findings, key=_order)),
    )


def _order(finding: Finding) -> tuple[Place, str, str]:
    return finding.place, finding.check, finding.message
