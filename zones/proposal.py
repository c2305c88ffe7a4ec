"""What a push would change: the loader itself reads the new version on top of the old one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from zones import name as names
from zones.diff import ZoneDiff, diff
from zones.loader import ALLOW_REMOVAL, Options, load
from zones.slices import Sliced
from zones.snapshot import BrokenZone, HeldBack, Snapshot
from zones.tree import Entry, Tree

_DRAFT: Final = "draft"  # stands for the commit of a folder that is not committed yet


@dataclass(frozen=True, slots=True)
class ProposedZone:
    """A zone that would change."""

    diff: ZoneDiff
    """With the serials of the files."""
    served_serial: int | None
    """What would be served: raised where the file's does not rise; None for a zone that goes."""
    held_back: str
    """Why the change would not be applied; empty if it would."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """From one version of the repository to the next."""

    zones: tuple[ProposedZone, ...]
    """In canonical order of their names; zones that stay as they are left out."""
    broken: tuple[BrokenZone, ...]
    """Zones whose new files would be refused: the version before would stay in service."""
    held_back: tuple[HeldBack, ...]
    """Everything that would not be applied because it removes too much."""

    @property
    def is_good(self) -> bool:
        """Whether all of it would be applied."""
        return not self.broken and not self.held_back


class _Draft(Tree):
    """A tree as if it were committed with `message`, or with its own and `line`."""

    def __init__(self, tree: Tree, line: str = "") -> None:
        self._tree = tree
        self._line = line

    @property
    def revision(self) -> str:
        return self._tree.revision or _DRAFT

    @property
    def message(self) -> str:
        return f"{self._tree.message}\n{self._line}"

    def entries(self) -> Iterable[Entry]:
        return self._tree.entries()

    def read(self, path: str) -> bytes:
        return self._tree.read(path)


def propose(old: Tree, new: Tree, now: float) -> Sliced[Proposal]:
    """What pushing `new` on top of `old` would do, at the time `now`. OSError where a tree cannot be listed."""
    before = yield from load(old, Snapshot(), Options(keep_serial=True), now)
    served = yield from load(_Draft(new), before, Options(), now)
    # Once more with everything allowed and serials as they are: that is what the files say.
    wanted = yield from load(_Draft(new, ALLOW_REMOVAL), before, Options(keep_serial=True), now)
    reasons = {held.what: held.message for held in served.held_back}
    zones: list[ProposedZone] = []
    for origin in sorted(before.zones.keys() | wanted.zones.keys(), key=names.canonical_key):
        was, becomes, gets = before.zones.get(origin), wanted.zones.get(origin), served.zones.get(origin)
        if was is becomes:
            continue
        difference = yield from diff(origin, was.zone if was else None, becomes.zone if becomes else None)
        same_serial = was is not None and becomes is not None and was.zone.serial == becomes.zone.serial
        if difference.is_empty and same_serial and not difference.signing_added and not difference.signing_removed:
            continue  # another comment, another order
        held_back = reasons.get(names.to_text(origin), "")
        if becomes is None and gets is not None:
            held_back = reasons.get("zones", "")
        zones.append(ProposedZone(difference, gets.zone.serial if gets else None, held_back))
    return Proposal(tuple(zones), tuple(served.broken.values()), served.held_back)
