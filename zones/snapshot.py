"""What is being served, and what is not and why: the result of one load, the input of the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from zones.findings import Finding
from zones.keys import TsigKey
from zones.policy import Policy
from zones.tree import Entry
from zones.zone import Zone


class ServedZone(NamedTuple):
    """A zone in service."""

    zone: Zone
    """With the serial that is served."""
    revision: str
    """Commit whose version this is; an older one than the snapshot's while the file is broken."""
    sources: tuple[Entry, ...]
    """The zone's file and everything it includes, a missing one with an empty blob: equal means nothing to parse."""
    findings: tuple[Finding, ...] = ()
    """Warnings of the checks, and a serial that had to be raised."""


@dataclass(frozen=True, slots=True)
class BrokenZone:
    """A zone whose file is refused; the last good version, if there is one, stays in service."""

    file: str
    sources: tuple[Entry, ...]
    """As in `ServedZone`, of the refused version."""
    findings: tuple[Finding, ...]
    since: str
    """Commit at which it was first seen broken."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """`_keys` or `<zone>._keys`: TSIG keys, never served."""

    sources: tuple[Entry, ...]
    keys: tuple[TsigKey, ...]
    """Of the last good version while the file is broken."""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """`_policy.toml`: who may do what."""

    source: Entry
    policy: Policy | None
    """Of the last good version while the file is broken; None where there never was one: nobody may do anything."""
    findings: tuple[Finding, ...] = ()


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
    key_files: Mapping[str, KeyFile] = field(default_factory=dict)
    """By path."""
    policy_file: PolicyFile | None = None
    findings: tuple[Finding, ...] = ()
    """What is wrong with the repository itself: names of files that cannot be zones."""
