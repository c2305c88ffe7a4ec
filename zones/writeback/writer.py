"""Writes changes of a zone back to its repository: on the newest version, in place, pushed with a lease, replayed.

Nothing that is in git is ever lost: a push moves the branch from the very commit that was edited, or not at all. When
it was overtaken, the newest version is fetched and the change is made again on that.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

import structlog

from zones import name as names
from zones import rdtypes
from zones.change import compare
from zones.checks import check
from zones.findings import Severity
from zones.git.authoring import NewCommit, Person, commit_file
from zones.git.errors import GitError, Refused
from zones.git.receive import Overtaken
from zones.git.refs import Checkout, Repository
from zones.loader import MAX_REMOVED_RECORDS, SMALL_ZONE
from zones.repository import layout
from zones.serial import is_newer, next_serial
from zones.slices import Sliced, run_sliced
from zones.tree import Tree
from zones.writeback.edit import CannotEdit, Change, Edited, edit
from zones.zone import RRset, Zone
from zones.zonefile import parse
from zones.zonefile.writer import record_lines

ATTEMPTS: Final = 100
"""Versions that a change is made on before it is given up."""
REFUSALS: Final = 3
"""Times that a server may refuse although nobody else pushed: another push may hold its lock."""
COMMITTER: Final = Person("unizone", "unizone@localhost")
_FIRST_PAUSE_S: Final = 0.01
_MAX_PAUSE_S: Final = 1.0
_OUTCOME_ATTEMPTS: Final = 5
_OUTCOME_PAUSE_S: Final = 1.0
_LISTED: Final = 50  # records that a commit message names


class NotWritten(Exception):
    """A change did not come into the repository; says why and what to do. What is there is as it was."""


class OutcomeUnknown(NotWritten):
    """The connection broke while the server was at it, and it cannot be asked: the change may be there or not."""


class Transaction(Protocol):
    """A change of one zone that can be made again on a newer version of it."""

    @property
    def author(self) -> Person:
        """Who makes it."""

    def changes(self, zone: Zone) -> Sequence[Change]:
        """What it does to `zone`. May raise an exception of its own where the zone does not allow it."""


class Written(NamedTuple):
    """A change that is in the repository."""

    commit: str
    """The commit that has it: the one made for it, or the newest where there was nothing to change."""
    serial: int
    """Of the zone's file in it."""


class Writer:
    """Writes to one repository, one change after the other."""

    def __init__(
        self, repository: Repository, *, jitter: random.Random | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._repository = repository
        self._jitter = jitter or random.SystemRandom()
        self._clock = clock
        self._turn = asyncio.Lock()
        self._log = structlog.get_logger("zones.writeback").bind(source=repository.name)

    async def write(self, origin: bytes, transaction: Transaction, served_serial: int | None = None) -> Written:
        """Bring `transaction` on the zone `origin` into the repository; the serial rises above `served_serial` too.

        NotWritten, GitError where the repository cannot be read, and whatever the transaction raises.
        """
        async with self._turn:
            refusals = 0
            for attempt in range(ATTEMPTS):
                checkout = await self._repository.checkout()
                made = await run_sliced(self._make(origin, transaction, served_serial, checkout))
                if isinstance(made, Written):
                    return made
                commit, written = made
                try:
                    await self._repository.push(checkout.branch, commit)
                except GitError as error:
                    if await self._landed(commit, error):
                        return written
                    if not isinstance(error.__cause__, Overtaken) and await self._stands_still(commit):
                        refusals += 1
                        if refusals == REFUSALS:
                            raise NotWritten(str(error)) from error
                    self._log.info("overtaken, made again", zone=names.to_text(origin), attempt=attempt + 1)
                    await asyncio.sleep(self._pause(attempt))
                    continue
                self._log.info("written back", zone=names.to_text(origin), commit=commit.identity)
                return written
            raise NotWritten(f"overtaken {ATTEMPTS} times by other pushes; try again")

    def _make(
        self, origin: bytes, transaction: Transaction, served_serial: int | None, checkout: Checkout
    ) -> Sliced[Written | tuple[NewCommit, Written]]:
        """The commit that has the change, on top of `checkout`; only what is written where nothing changes."""
        tree = checkout.tree
        path, text, zone = yield from _read(tree, origin)
        if any(covered[:2] == b"\0\x06" for covered in _rdatas(zone, rdtypes.RRSIG)):
            raise NotWritten(f"{names.to_text(origin)} is signed: change it where it is signed")
        changes = [change for change in transaction.changes(zone) if not _is_made(zone, change)]
        if not changes:
            return Written(tree.revision, zone.serial)
        newest = zone.serial
        if served_serial is not None and is_newer(served_serial, than=newest):
            newest = served_serial
        serial = next_serial(newest)
        try:
            edited = yield from edit(text, zone, changes, serial, tree.read)
        except CannotEdit as error:
            raise NotWritten(str(error)) from error
        yield from self._accept(zone, edited)
        message = _message(zone, changes)
        commit = commit_file(tree, path, edited.text, message, transaction.author, COMMITTER, int(self._clock()))
        return commit, Written(commit.identity, serial)

    def _accept(self, before: Zone, edited: Edited) -> Sliced[None]:
        """NotWritten where the loader would refuse the result or hold it back."""
        findings = yield from check(edited.zone, self._clock())
        for finding in findings:
            if finding.severity is Severity.ERROR:
                raise NotWritten(f"the zone would be refused: {finding}")
        change = yield from compare(before, edited.zone)
        if change.records >= SMALL_ZONE and change.removed > MAX_REMOVED_RECORDS * change.records:
            raise NotWritten(
                f"{change.removed} of {change.records} records would go, the limit is {MAX_REMOVED_RECORDS:.0%};"
                " remove less at a time, or push a commit that allows it"
            )

    async def _landed(self, commit: NewCommit, error: GitError) -> bool:
        """Whether the branch has `commit` although its push failed. OutcomeUnknown where nobody can say."""
        if isinstance(error.__cause__, Refused):
            return False
        for attempt in range(_OUTCOME_ATTEMPTS):
            try:
                return await self._repository.contains(commit.identity)
            except GitError as unreachable:
                if attempt + 1 == _OUTCOME_ATTEMPTS:
                    reason = f"{error}; whether the push landed cannot be found out: {unreachable}"
                    raise OutcomeUnknown(reason) from error
                await asyncio.sleep(_OUTCOME_PAUSE_S * self._jitter.uniform(0.5, 1.0))
        raise AssertionError  # the last attempt returned or raised

    async def _stands_still(self, commit: NewCommit) -> bool:
        """Whether the branch is where the commit found it."""
        return (await self._repository.checkout()).tree.revision == commit.parent

    def _pause(self, attempt: int) -> float:
        """Seconds before the next attempt, so that two writers do not go on overtaking each other in step."""
        return min(_MAX_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(attempt, 16)) * self._jitter.uniform(0.0, 1.0)


def _read(tree: Tree, origin: bytes) -> Sliced[tuple[str, bytes, Zone]]:
    """Path, text and zone of the file of `origin`. NotWritten where there is none, or none that parses."""
    files = yield from layout(tree.entries())
    entry = files.zones.get(origin)
    if entry is None:
        raise NotWritten(f"the repository has no file, or several, for {names.to_text(origin)}")
    text = tree.read(entry.path)
    parsed = yield from parse(text, origin, entry.path, tree.read)
    if parsed.zone is None or parsed.zone.soa is None:
        reason = parsed.findings[0] if parsed.zone is None else "it has no SOA"
        raise NotWritten(f"{entry.path} is broken and left alone until it is mended: {reason}")
    return entry.path, text, parsed.zone


def _rdatas(zone: Zone, rdtype: int) -> tuple[bytes, ...]:
    rrset = zone.rrset(zone.origin, rdtype)
    return rrset.rdatas if rrset is not None else ()


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
