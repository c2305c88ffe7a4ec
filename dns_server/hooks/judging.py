"""Whether a push may land: what the loader would refuse or hold back is refused, and so are serials that go back."""

from dataclasses import dataclass

from zones import name as names
from zones.findings import Severity
from zones.loader import Options, load
from zones.proposal import propose
from zones.serial import is_newer
from zones.slices import Sliced
from zones.snapshot import Snapshot
from zones.tree import Tree


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of a push."""

    refusals: tuple[str, ...]
    """Why it may not land; none: it may."""
    notes: tuple[str, ...]
    """What its author may want to know."""


def judge(old: Tree, new: Tree, now: float, *, keep_serial: bool) -> Sliced[Judgement]:
    """The judgement of `new` on top of `old`, at `now` (seconds since 1970). What was broken before is left alone.

    With `keep_serial` a changed zone must have a newer serial, for the server raises none.
    """
    proposal = yield from propose(old, new, now)
    before = yield from load(old, Snapshot(), Options(keep_serial=True), now)
    after = yield from load(new, Snapshot(), Options(keep_serial=True), now)
    refusals: list[str] = []
    notes: list[str] = []
    for origin, broken in after.broken.items():
        known = before.broken.get(origin)
        if known is None or known.sources != broken.sources:
            refusals += map(str, broken.findings)
    for path, keys in after.key_files.items():
        if path not in before.key_files or before.key_files[path].sources != keys.sources:
            refusals += [str(finding) for finding in keys.findings if finding.severity is Severity.ERROR]
    refusals += [f"{held.what}: {held.message}" for held in proposal.held_back]
    for zone in proposal.zones:
        was, becomes = zone.diff.before, zone.diff.after
        served = after.zones.get(zone.diff.origin)
        if served is not None:
            notes += [str(f) for f in served.findings if f.check != "serial-not-raised"]
        if was is None or becomes is None or was.serial is None or becomes.serial is None:
            continue
        name = names.to_text(zone.diff.origin)
        if is_newer(was.serial, than=becomes.serial):
            refusals.append(f"{name}: the serial goes back from {was.serial} to {becomes.serial}; unizone bump {name}")
        elif was.serial == becomes.serial and not zone.diff.is_empty:
            if keep_serial:
                refusals.append(f"{name}: the zone changed and its serial did not rise; unizone bump {name}")
            else:
                notes.append(f"{name}: the serial did not rise; it will be served with {zone.served_serial}")
    return Judgement(tuple(dict.fromkeys(refusals)), tuple(dict.fromkeys(notes)))
