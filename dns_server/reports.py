"""What a load changed, and that as log lines: what is served, what is broken and where, what is held back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from structlog.typing import FilteringBoundLogger

from zones.findings import Finding
from zones.name import to_text
from zones.slices import Sliced
from zones.snapshot import Snapshot

_MAX_NAMED: Final = 10  # zones, or findings of one zone, that are named one by one
_SLICE: Final = 200  # zones between two yields


@dataclass(slots=True)
class Difference:
    """How one snapshot differs from the one before."""

    changed: list[bytes] = field(default_factory=list)
    """Folded origins of zones with another version, new ones included."""
    removed: list[bytes] = field(default_factory=list)
    """Origins that are neither served nor reported as broken any more."""
    records: int = 0
    """Records in service now."""


def difference(before: Snapshot, after: Snapshot) -> Sliced[Difference]:
    """How `after` differs from `before`."""
    found = Difference()
    for number, (origin, served) in enumerate(after.zones.items()):
        if not number % _SLICE:
            yield
        found.records += served.zone.record_count
        known = before.zones.get(origin)
        if known is None or known.zone is not served.zone:
            found.changed.append(origin)
    for number, origin in enumerate((*before.zones, *before.broken)):
        if not number % _SLICE:
            yield
        if origin not in after.zones and origin not in after.broken:
            found.removed.append(origin)
    return found


def report(log: FilteringBoundLogger, before: Snapshot, after: Snapshot, change: Difference) -> None:
    """Log how `after` differs from `before`: each fact once, when it becomes true."""
    _report_broken(log, before, after)
    for held in after.held_back:
        if held not in before.held_back:
            log.error("change held back", what=held.what, reason=held.message)
    for origin in change.changed[:_MAX_NAMED]:
        served = after.zones[origin]
        if before.zones:  # else everything is new
            zone = served.zone
            log.info("zone updated", zone=to_text(origin), serial=zone.serial, records=zone.record_count)
        _findings(log.warning, "zone served with warnings", to_text(origin), served.findings)
    warned = sum(1 for origin in change.changed[_MAX_NAMED:] if after.zones[origin].findings)
    if warned:
        log.warning("more zones served with warnings", zones=warned, see="unizone check")
    for origin in change.removed[:_MAX_NAMED]:
        log.info("zone removed", zone=to_text(origin))
    for path, keys in after.key_files.items():
        known = before.key_files.get(path)
        if known is None or known.findings != keys.findings:
            _findings(log.error, "keys not taken", path, keys.findings)
    policy = after.policy_file
    if policy is not None and policy.findings and policy is not before.policy_file:
        state = "nobody may do anything" if policy.policy is None else "the version before stays in force"
        _findings(log.error, "policy not taken", policy.source.path, policy.findings, state=state)
    if after.findings != before.findings:
        _findings(log.warning, "files that can't be zones", "repository", after.findings)
    log.info(
        "zones in service",
        commit=after.revision or "none, a folder",
        zones=len(after.zones),
        records=change.records,
        changed=len(change.changed),
        removed=len(change.removed),
        broken=len(after.broken),
    )


def _report_broken(log: FilteringBoundLogger, before: Snapshot, after: Snapshot) -> None:
    for number, (origin, broken) in enumerate(after.broken.items()):
        if before.broken.get(origin) is broken:
            continue
        if number == _MAX_NAMED:
            log.error("more zones refused", zones=len(after.broken) - _MAX_NAMED, see="unizone check")
            break
        served = after.zones.get(origin)
        state = f"serial {served.zone.serial} stays in service" if served else "no version of it is served"
        _findings(log.error, "zone refused", to_text(origin), broken.findings, state=state)
    for origin in before.broken:
        if origin not in after.broken and origin in after.zones:
            log.info("zone mended", zone=to_text(origin), serial=after.zones[origin].zone.serial)


def _findings(
    write: Callable[..., object], event: str, zone: str, findings: Sequence[Finding], **fields: object
) -> None:
    for finding in findings[:_MAX_NAMED]:
        write(event, zone=zone, finding=str(finding), **fields)
    if len(findings) > _MAX_NAMED:
        write(event, zone=zone, more=len(findings) - _MAX_NAMED, **fields)
