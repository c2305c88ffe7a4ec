"""From one version of the files to what is served: only what changed is read, and a good zone never goes down.

For each zone the loader parses and checks its new file, keeps the last good version of a broken one, holds a change
back that removes too much, and sees to it that the serial rises. Read first: docs/repository.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from zones import name as names
from zones import rdtypes, repository
from zones.change import compare
from zones.checks import check
from zones.checks.verify import Verify
from zones.findings import Finding, Place, Severity, has_errors
from zones.keys import TsigKey, read_keys
from zones.policy import read_policy
from zones.repository import Layout
from zones.serial import is_newer, next_serial
from zones.slices import Sliced
from zones.snapshot import BrokenZone, HeldBack, KeyFile, PolicyFile, ServedZone, Snapshot
from zones.tree import Entry, Tree, TreeInPieces, in_pieces
from zones.zone import Zone
from zones.zonefile import Text, parse

MAX_REMOVED_RECORDS: Final = 0.3
"""Share of a zone's records that one version may remove."""
SMALL_ZONE: Final = 10
"""Records below which a zone may lose any of them."""
MAX_REMOVED_ZONES: Final = 0.5
"""Share of the served zones that one version may remove."""

ALLOW_REMOVAL: Final = "Unizone-Allow: removal"
"""Line of a commit message that lets a change through which removes a lot."""

_ALLOWED: Final = re.compile(r"^Unizone-Allow:\s*removal\s*$", re.IGNORECASE | re.MULTILINE)
_ALLOW_HINT: Final = f"if it is meant, push a commit whose message has the line `{ALLOW_REMOVAL}`"
_FOLDER_HINT: Final = "if it is meant, restart: the first load takes the folder as it is"


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator may choose."""

    keep_serial: bool = False
    """Serve the serial of the file, also when the content changed and the serial did not rise."""
    verify: Verify | None = None
    """Verifies DNSSEC signatures; a service does without."""
    serials: Mapping[bytes, int] = field(default_factory=dict)
    """Serials that were given out before the start, by folded wire origin: those of a first load don't go back."""


def load(tree: Tree, previous: Snapshot, options: Options, now: float) -> Sliced[Snapshot]:
    """What to serve of `tree`, when `previous` is being served, at the time `now` (seconds since 1970).

    OSError where the tree cannot be listed.
    """
    files = yield from repository.layout(tree.entries())
    return (yield from _Load(tree, previous, options, files, now).run())


class _Load:
    """One load: the zones of the new version are settled one after the other."""

    def __init__(self, tree: Tree, previous: Snapshot, options: Options, files: Layout, now: float) -> None:
        self._tree = tree
        self._in_pieces = in_pieces(tree)
        self._previous = previous
        self._options = options
        self._files = files
        self._now = now
        self._removal_allowed = _ALLOWED.search(tree.message) is not None
        self._zones: dict[bytes, ServedZone] = {}
        self._broken: dict[bytes, BrokenZone] = {}
        self._held_back: list[HeldBack] = []

    def run(self) -> Sliced[Snapshot]:
        for number, (origin, entry) in enumerate(self._files.zones.items()):
            if number % 64 == 0:
                yield
            yield from self._settle(origin, entry)
        for origin, claimants in self._files.ambiguous.items():
            finding = repository.ambiguity(origin, claimants)
            self._refuse(origin, claimants[0].path, claimants, (finding,))
        self._remove()
        key_files = {}
        for path, (scope, entry) in self._files.keys.items():
            key_files[path] = yield from self._read_keys(scope, entry)
        return Snapshot(
            revision=self._tree.revision,
            zones=self._zones,
            broken=self._broken,
            held_back=tuple(self._held_back),
            key_files=key_files,
            policy_file=None if self._files.policy is None else self._read_policy(self._files.policy),
            findings=tuple(self._files.findings),
        )

    def _settle(self, origin: bytes, entry: Entry) -> Sliced[None]:
        """Decide what is served for `origin`, whose file is `entry`."""
        served = self._previous.zones.get(origin)
        if served is not None and self._is_current(served.sources, entry):
            self._zones[origin] = served
            return
        broken = self._previous.broken.get(origin)
        if broken is not None and self._is_current(broken.sources, entry):
            self._broken[origin] = broken
            self._keep(origin)
            return
        sources = _Sources(self._tree, self._in_pieces, self._files.blobs)
        zone, findings = yield from self._parse(origin, entry, sources)
        if zone is None:
            self._refuse(origin, entry.path, sources.read_so_far, findings)
            return
        if served is not None:
            change = yield from compare(served.zone, zone)
            too_much = change.records >= SMALL_ZONE and change.removed > MAX_REMOVED_RECORDS * change.records
            if too_much and not self._removal_allowed:
                message = (
                    f"{change.removed} of {change.records} records would go,"
                    f" the limit is {MAX_REMOVED_RECORDS:.0%}; {self._allow_hint}"
                )
                self._held_back.append(HeldBack(names.to_text(origin), message))
                self._zones[origin] = served
                return
            zone, more = self._settle_serial(served.zone.serial, zone, same=change.same)
            findings += more
        elif origin in self._options.serials:
            zone, more = self._settle_serial(self._options.serials[origin], zone, same=True)
            findings += more
        self._zones[origin] = ServedZone(zone, self._tree.revision, sources.read_so_far, findings)

    def _parse(
        self, origin: bytes, entry: Entry, sources: "_Sources"
    ) -> Sliced[tuple[Zone | None, tuple[Finding, ...]]]:
        """The zone and its warnings, or None and what is wrong."""
        try:
            parsed = yield from parse(sources.open(entry.path), origin, entry.path, sources.include)
            if parsed.zone is None or has_errors(parsed.findings):
                return None, parsed.findings
            checked = yield from check(parsed.zone, self._now, self._options.verify)
        except OSError as error:
            return None, (_unreadable(entry.path, error),)
        except Exception as error:
            # A fault of ours must cost no more than this zone: the others are loaded, this one stays as it was.
            return None, (_fault(entry.path, error),)
        findings = (*parsed.findings, *checked)
        return (None if has_errors(findings) else parsed.zone), findings

    def _is_current(self, sources: tuple[Entry, ...], entry: Entry) -> bool:
        """Whether a version made of `sources` is still the version of the file `entry`."""
        if sources[0] != entry:
            return False
        blobs = self._files.blobs
        return len(sources) == 1 or all(blobs.get(path, "") == blob for path, blob in sources)

    def _refuse(self, origin: bytes, file: str, sources: tuple[Entry, ...], findings: tuple[Finding, ...]) -> None:
        """Report a broken zone and keep its last good version."""
        before = self._previous.broken.get(origin)
        since = before.since if before is not None else self._tree.revision
        self._broken[origin] = BrokenZone(file, sources, findings, since)
        self._keep(origin)

    def _keep(self, origin: bytes) -> None:
        """Go on serving the version before, if there is one."""
        served = self._previous.zones.get(origin)
        if served is not None:
            self._zones[origin] = served

    def _remove(self) -> None:
        """Drop the zones whose files are gone, unless these are too many."""
        gone = [
            origin
            for origin in self._previous.zones
            if origin not in self._files.zones and origin not in self._files.ambiguous
        ]
        total = len(self._previous.zones)
        if len(gone) <= MAX_REMOVED_ZONES * total or self._removal_allowed:
            return
        message = f"{len(gone)} of {total} zones would go, the limit is {MAX_REMOVED_ZONES:.0%}; {self._allow_hint}"
        self._held_back.append(HeldBack("zones", message))
        for origin in gone:
            self._keep(origin)

    @property
    def _allow_hint(self) -> str:
        return _ALLOW_HINT if self._tree.revision else _FOLDER_HINT

    def _settle_serial(self, old: int, after: Zone, *, same: bool) -> tuple[Zone, tuple[Finding, ...]]:
        """`after` with a serial that does not go back behind `old`, and rises where the content changed (RFC 1982)."""
        new = after.serial
        if is_newer(new, than=old) or (same and new == old):
            return after, ()
        if self._options.keep_serial:
            return after, (
                _serial_finding(after, f"{new} does not rise from {old}", "it is kept, as --serial=keep asks"),
            )
        if any(rdata[:2] == b"\0\x06" for rdata in _rdatas(after, rdtypes.RRSIG)):
            hint = "another serial would break the signature, so it is served as it is: sign again with a higher one"
            return after, (_serial_finding(after, f"{new} does not rise from {old} in a signed zone", hint),)
        raised = old if same else next_serial(old)
        what = f"{new} is behind {old}" if same else f"the content changed and {new} does not rise from {old}"
        return after.with_serial(raised), (_serial_finding(after, what, f"{raised} is served: set a higher one"),)

    def _read_keys(self, scope: bytes, entry: Entry) -> Sliced[KeyFile]:
        before = self._previous.key_files.get(entry.path)
        if before is not None and self._is_current(before.sources, entry):
            return before
        sources = _Sources(self._tree, self._in_pieces, self._files.blobs)
        findings: list[Finding] = []
        keys: list[TsigKey] = []
        try:
            text = sources.read(entry.path)
            parsed = yield from parse(text, names.ROOT, entry.path, sources.include, default_ttl=0)
            findings += parsed.findings
            for found in read_keys(parsed.zone, scope) if parsed.zone is not None else ():
                if isinstance(found, TsigKey):
                    keys.append(found)
                else:
                    findings.append(found)
        except OSError as error:
            findings.append(_unreadable(entry.path, error))
        except Exception as error:
            findings.append(_fault(entry.path, error))  # as for zones: it must cost no more than this file
        if has_errors(findings) and before is not None:
            keys = list(before.keys)
        return KeyFile(sources.read_so_far or (entry,), tuple(keys), tuple(findings))

    def _read_policy(self, entry: Entry) -> PolicyFile:
        before = self._previous.policy_file
        if before is not None and before.source == entry:
            return before
        try:
            policy, findings = read_policy(self._tree.read(entry.path), entry.path)
        except OSError as error:
            policy, findings = None, (_unreadable(entry.path, error),)
        if policy is None and before is not None:
            policy = before.policy
        return PolicyFile(entry, policy, findings)


class _Sources:
    """Reads the files of one zone and notes which, those that are missing too: all of them decide about the zone."""

    def __init__(self, tree: Tree, in_pieces: TreeInPieces | None, blobs: dict[str, str]) -> None:
        """`in_pieces` is the tree, if it is such a one."""
        self._tree = tree
        self._in_pieces = in_pieces
        self._blobs = blobs
        self._read: dict[str, Entry] = {}

    def include(self, path: str) -> Text:
        """Content of the file that a zone file calls `path`, each octet of which is a character."""
        return self.open(path.encode("latin-1").decode("utf-8", "surrogateescape"))

    def read(self, path: str) -> bytes:
        """Content of `path`. FileNotFoundError where the tree has no such regular file."""
        self._note(path)
        return self._tree.read(path)

    def open(self, path: str) -> Text:
        """As `read`, for what may be large."""
        self._note(path)
        return self._tree.read(path) if self._in_pieces is None else self._in_pieces.pieces(path)

    def _note(self, path: str) -> None:
        blob = self._blobs.get(path)
        self._read[path] = Entry(path, blob or "")
        if blob is None:
            raise FileNotFoundError(path)

    @property
    def read_so_far(self) -> tuple[Entry, ...]:
        return tuple(self._read.values())


def _rdatas(zone: Zone, rdtype: int) -> tuple[bytes, ...]:
    rrset = zone.rrset(zone.origin, rdtype)
    return rrset.rdatas if rrset is not None else ()


def _serial_finding(zone: Zone, what: str, hint: str) -> Finding:
    place = zone.place(zone.origin, 6)
    return Finding(place, "serial-not-raised", Severity.WARNING, f"serial: {what}", hint)


def _unreadable(path: str, error: OSError) -> Finding:
    return Finding(Place(path), "unreadable", Severity.ERROR, f"the file cannot be read: {error.strerror or error}")


def _fault(path: str, error: Exception) -> Finding:
    if isinstance(error, MemoryError):
        message, remedy = "there is too little memory to read the file", "give this machine more of it"
        return Finding(Place(path), "memory", Severity.ERROR, message, remedy)
    message = f"reading the file failed with {type(error).__name__}: {error}"
    return Finding(Place(path), "internal-error", Severity.ERROR, message, "a fault of the server: please report it")
