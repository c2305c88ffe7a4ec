"""`unizone diff [OLD [NEW]]`: what a push would change; 0 if all would be applied, 1 if something is refused or held
back, 2 usage.
"""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from dns_server.parameters.output import FORMAT, OutputFormat
from dns_server.settings import BadUsage, Settings
from dns_server.trees import NoTree, open_tree, work_tree
from zones import name as names
from zones import rdtypes
from zones.diff import NewValue, Record, TtlMove, ZoneDiff
from zones.proposal import Proposal, ProposedZone, propose
from zones.slices import run_to_end
from zones.snapshot import BrokenZone
from zones.zonefile.writer import rdata_text

EXIT_APPLIED: Final = 0
EXIT_NOT_APPLIED: Final = 1

_DEFAULT_OLD: Final = "HEAD"
_EXAMPLES: Final = """\
  for example: unizone diff
               unizone diff origin/main
               unizone diff origin/main HEAD --format=markdown"""
_STYLES: Final = {"+": "green", "-": "red", "~": "cyan", "!": "bold red"}


def run(settings: Settings, operands: list[str]) -> int:
    """Compare and print; the exit code."""
    try:
        old = open_tree(operands[0] if operands else _DEFAULT_OLD)
        new = open_tree(operands[1]) if len(operands) > 1 else work_tree()
        proposal = run_to_end(propose(old, new, time.time()))
    except (NoTree, OSError) as error:
        raise BadUsage(f"{error}\n{_EXAMPLES}") from None
    match settings[FORMAT]:
        case OutputFormat.TEXT:
            _print_text(proposal)
        case OutputFormat.JSON:
            print(json.dumps(_document(proposal), indent=2))
        case OutputFormat.MARKDOWN:
            print(_markdown(proposal))
    return EXIT_APPLIED if proposal.is_good else EXIT_NOT_APPLIED


def _print_text(proposal: Proposal) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for zone in proposal.zones:
        console.print(Text(_headline(zone), style="bold"))
        for line in (*_warnings(zone), *_lines(zone.diff)):
            console.print(Text(f"  {line}", style=_STYLES[line[0]]))
    for broken in proposal.broken:
        for finding in broken.findings:
            console.print(Text(f"! {finding}", style=_STYLES["!"]))
    console.print(Text(_summary(proposal), style="bold"))


def _markdown(proposal: Proposal) -> str:
    blocks = [f"**{_summary(proposal)}**"]
    for zone in proposal.zones:
        blocks.append(f"### {_headline(zone)}")
        blocks += [f"> **{line.removeprefix('! ')}**" for line in _warnings(zone)]
        lines = list(_diff_lines(zone.diff))
        if lines:
            blocks.append("\n".join(["```diff", *lines, "```"]))
    for broken in proposal.broken:
        blocks.append(f"### {broken.file} would be refused")
        blocks.append("\n".join(["```text", *map(str, broken.findings), "```"]))
    return "\n\n".join(blocks)


def _document(proposal: Proposal) -> dict[str, Any]:
    return {
        "applied": proposal.is_good,
        "zones": [_zone(zone) for zone in proposal.zones],
        "refused": [_refused(broken) for broken in proposal.broken],
        "held_back": [{"what": held.what, "message": held.message} for held in proposal.held_back],
    }


def _zone(zone: ProposedZone) -> dict[str, Any]:
    diff = zone.diff
    return {
        "zone": names.to_text(diff.origin),
        "state": _state(diff),
        "held_back": zone.held_back or None,
        "serial": {
            "before": diff.before.serial if diff.before else None,
            "after": diff.after.serial if diff.after else None,
            "served": zone.served_serial,
        },
        "records": {
            "before": diff.before.record_count if diff.before else 0,
            "after": diff.after.record_count if diff.after else 0,
        },
        "added": [_record(record) for record in diff.added],
        "removed": [_record(record) for record in diff.removed],
        "changed": [
            {
                **_set(change),
                "ttl": change.ttl,
                "before": _value(change, change.before),
                "after": _value(change, change.after),
            }
            for change in diff.changed
        ],
        "ttls": [{**_set(move), "before": move.before, "after": move.after} for move in diff.ttls],
        "signing": {"added": diff.signing_added, "removed": diff.signing_removed},
    }


def _refused(broken: BrokenZone) -> dict[str, Any]:
    return {"file": broken.file, "findings": [str(finding) for finding in broken.findings]}


def _record(record: Record) -> dict[str, str | int]:
    return {**_set(record), "ttl": record.ttl, "value": _value(record, record.rdata)}


def _set(item: Record | NewValue | TtlMove) -> dict[str, str | int]:
    return {"owner": names.to_text(item.owner), "type": rdtypes.to_text(item.rdtype)}


def _value(item: Record | NewValue, rdata: bytes) -> str:
    return rdata_text(item.rdtype, rdata)


def _state(diff: ZoneDiff) -> str:
    return "added" if diff.before is None else "removed" if diff.after is None else "changed"


def _headline(zone: ProposedZone) -> str:
    diff = zone.diff
    name = names.to_text(diff.origin)
    if diff.before is None:
        assert diff.after is not None
        return f"{name} new zone, {_number(diff.after.record_count, 'record')}, serial {diff.after.serial}"
    if diff.after is None:
        return f"{name} zone removed, {_number(diff.before.record_count, 'record')}, serial {diff.before.serial}"
    parts = [f"{len(items)} {what}" for items, what in _lists(diff) if items]
    if diff.signing_added or diff.signing_removed:
        parts.append(f"signatures and denial: {diff.signing_added} added, {diff.signing_removed} removed")
    return f"{name} {', '.join(parts) or 'no record differs'}; serial {_serials(zone)}"


def _lists(diff: ZoneDiff) -> tuple[tuple[list[Any], str], ...]:
    return (diff.added, "added"), (diff.removed, "removed"), (diff.changed, "changed"), (diff.ttls, "TTL moved")


def _serials(zone: ProposedZone) -> str:
    before, after = zone.diff.before, zone.diff.after
    assert before is not None
    assert after is not None
    text = f"{before.serial} stays" if before.serial == after.serial else f"{before.serial} -> {after.serial}"
    if not zone.held_back and zone.served_serial != after.serial:
        text += (
            f", {zone.served_serial} would be served (raise it: unizone bump {names.to_text(zone.diff.origin)[:-1]})"
        )
    return text


def _warnings(zone: ProposedZone) -> Iterator[str]:
    if zone.held_back:
        yield f"! held back: {zone.held_back}"


def _lines(diff: ZoneDiff) -> Iterator[str]:
    """Records of a zone that is there before and after; the others' are as many as their headlines say."""
    if diff.before is None or diff.after is None:
        return
    for record in diff.added:
        yield f"+ {_head(record, record.ttl)} {_value(record, record.rdata)}"
    for record in diff.removed:
        yield f"- {_head(record, record.ttl)} {_value(record, record.rdata)}"
    for change in diff.changed:
        head = _head(change, change.ttl)
        yield f"~ {head} {_value(change, change.before)} -> {_value(change, change.after)}"
    for move in diff.ttls:
        yield f"~ {names.to_text(move.owner)} {rdtypes.to_text(move.rdtype)} TTL {move.before} -> {move.after}"


def _diff_lines(diff: ZoneDiff) -> Iterator[str]:
    """The same in the form that hosts of repositories colour: a new value is a line that goes and one that comes."""
    if diff.before is None or diff.after is None:
        return
    for line in _lines(diff):
        if not line.startswith("~"):
            yield line
    for change in diff.changed:
        head = _head(change, change.ttl)
        yield f"- {head} {_value(change, change.before)}"
        yield f"+ {head} {_value(change, change.after)}"
    for move in diff.ttls:
        what = f"{names.to_text(move.owner)} {rdtypes.to_text(move.rdtype)}"
        yield f"- {what} TTL {move.before}"
        yield f"+ {what} TTL {move.after}"


def _head(item: Record | NewValue, ttl: int) -> str:
    return f"{names.to_text(item.owner)} {ttl} {rdtypes.to_text(item.rdtype)}"


def _summary(proposal: Proposal) -> str:
    if not proposal.zones and proposal.is_good:
        return "no zone changes"
    diffs = [zone.diff for zone in proposal.zones]
    parts = [_number(len(diffs), "zone") + " would change"]
    # A zone that comes or goes counts with all its records.
    counts = [
        (sum(len(items) for items, _ in column), column[0][1]) for column in zip(*map(_lists, diffs), strict=True)
    ]
    parts += [f"{count} {what}" for count, what in counts if count]
    if proposal.broken:
        parts.append(f"{_number(len(proposal.broken), 'zone')} would be refused")
    if proposal.held_back:
        parts.append(f"{len(proposal.held_back)} held back")
    return ", ".join(parts)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
