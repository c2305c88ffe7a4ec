"""A change made on one version of the files: the zone's file found, edited in place, checked as the loader would."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from zones import name as names
from zones import rdtypes
from zones.change import compare
from zones.checks import check
from zones.findings import Severity
from zones.loader import MAX_REMOVED_RECORDS, SMALL_ZONE
from zones.repository import layout
from zones.rrset import RRset
from zones.serial import is_newer, next_serial, serial_in
from zones.slices import Sliced
from zones.tree import Tree
from zones.writeback.edit import CannotEdit, Change, Edited, edit
from zones.writeback.transaction import NotAllowed, NotWritten, Transaction, Written
from zones.zone import Zone
from zones.zonefile import parse
from zones.zonefile.writer import record_lines

_LISTED: Final = 50  # records that a commit message names


class Made(NamedTuple):
    """A file with a change made in it."""

    path: str
    text: bytes
    message: str
    """For the commit."""
    serial: int


def make(
    tree: Tree, origin: bytes, transaction: Transaction, served_serial: int | None, now: float
) -> Sliced[Made | Written]:
    """`transaction` made on the zone `origin` as it is in `tree`; what is written there already if it changes nothing.

    The serial rises above `served_serial` too. `now` is in seconds since 1970. NotWritten, NotAllowed, and whatever
    the transaction raises.
    """
    path, text, zone = yield from _read(tree, origin)
    for rdtype, mark in ((rdtypes.RRSIG, "signed"), (rdtypes.ZONEMD, "digested (ZONEMD)")):
        if rdtype in zone.node(origin):
            raise NotAllowed(f"{names.to_text(origin)} is {mark}: change it where that is done")
    wanted = yield from transaction.changes(zone)
    changes = [change for change in wanted if not _is_made(zone, change)]
    if not changes:
        return Written(tree.revision, zone.serial)
    serial = _serial(zone, changes, served_serial)
    try:
        edited = yield from edit(text, zone, changes, serial, tree.read)
    except CannotEdit as error:
        raise NotAllowed(str(error)) from error
    yield from _accept(zone, edited, now)
    return Made(path, edited.text, _message(zone, changes), serial)


def _read(tree: Tree, origin: bytes) -> Sliced[tuple[str, bytes, Zone]]:
    """Path, text and zone of the file of `origin`. NotWritten where there is none, or none that parses."""
    files = yield from layout(tree.entries())
    entry = files.zones.get(origin)
    if entry is None:
        raise NotWritten(f"there is no file, or several, for {names.to_text(origin)}")
    try:
        text = tree.read(entry.path)
    except OSError as error:
        raise NotWritten(f"{entry.path} cannot be read: {error}") from error
    parsed = yield from parse(text, origin, entry.path, tree.read)
    if parsed.zone is None or parsed.zone.soa is None:
        reason = parsed.findings[0] if parsed.zone is None else "it has no SOA"
        raise NotWritten(f"{entry.path} is broken and left alone until it is mended: {reason}")
    return entry.path, text, parsed.zone


def _serial(zone: Zone, changes: Sequence[Change], served_serial: int | None) -> int:
    """The serial after `changes`: that of a new SOA where it is newer than the file's and the served one."""
    newest = zone.serial
    if served_serial is not None and is_newer(served_serial, than=newest):
        newest = served_serial
    for change in changes:
        if change.rdtype == rdtypes.SOA and change.after is not None:
            asked = serial_in(change.after.rdatas[0])
            if is_newer(asked, than=newest):
                return asked
    return next_serial(newest)


def _accept(before: Zone, edited: Edited, now: float) -> Sliced[None]:
    """NotAllowed where the loader would refuse the result or hold it back."""
    findings = yield from check(edited.zone, now)
    for finding in findings:
        if finding.severity is Severity.ERROR:
            raise NotAllowed(f"the zone would be refused: {finding}")
    change = yield from compare(before, edited.zone)
    if change.records >= SMALL_ZONE and change.removed > MAX_REMOVED_RECORDS * change.records:
        raise NotAllowed(
            f"{change.removed} of {change.records} records would go, the limit is {MAX_REMOVED_RECORDS:.0%};"
            " remove less at a time, or push a commit that allows it"
        )


def _is_made(zone: Zone, change: Change) -> bool:
    """Whether the RRset is already what it is to become."""
    found, after = zone.rrset(change.owner, change.rdtype), change.after
    if found is None or after is None:
        return found is after
    return found.ttl == after.ttl and set(found.rdatas) == set(after.rdatas)


def _message(zone: Zone, changes: Sequence[Change]) -> str:
    """What a reader of the history wants to know: which records went and which came."""
    lines: list[str] = []
    for change in changes:
        before = _lines(zone.rrset(change.owner, change.rdtype))
        after = _lines(change.after)
        lines += [f"- {line}" for line in before if line not in after]
        lines += [f"+ {line}" for line in after if line not in before]
    if len(lines) > _LISTED:
        lines[_LISTED:] = [f"... and {len(lines) - _LISTED} more"]
    return "\n".join([f"Update {names.to_text(zone.origin)}", "", *lines, ""])


def _lines(rrset: RRset | None) -> list[str]:
    return list(record_lines(rrset)) if rrset is not None else []
