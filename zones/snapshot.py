"""What is being served, and what is not and why: the result of one load, the input of the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from zones.findings import Finding
from zones.zone import Zone


@dataclass(frozen=True, slots=True)
class ServedZone:
    """A zone in service."""

    zone: Zone
    """With the serial that is served."""
    revision: str
    """Commit whose version this is; an older one than the snapshot's while the file is broken."""
    blobs: tuple[str, ...]
    """Identities of the zone's file and of everything it includes: equal means nothing to parse again."""
    findings: tuple[Finding, ...] = ()
    """Warnings of the checks."""


@dataclass(frozen=True, slots=True)
class BrokenZone:
    """A zone whose file is refused; the last good version, if there is one, stays in service."""

    file: str
    blobs: tuple[str, ...]
    findings: tuple[Finding, ...]
    since: str
    """Commit at which it was first seen broken."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A change that was not applied because it removes too much."""

    what: str
    """Zone in presentation format, or `zones` where too many of them would go."""
    message: str
    """What would have been removed, the limit, and the line that allows it."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State after a load. Mappings are by folded wire origin and are never changed."""

    revision: str = ""
    zones: Mapping[bytes, ServedZone] = field(default_factory=dict)
    broken: Mapping[bytes, BrokenZone] = field(default_factory=dict)
    held_back: tuple[HeldBack, ...] = ()
