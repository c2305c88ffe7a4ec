"""What a change that is to be written back is, and how that can end."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from zones.git.authoring import Person
from zones.slices import Sliced
from zones.writeback.edit import Change
from zones.zone import Zone


class NotWritten(Exception):
    """A change was not written; says why and what to do. The files are as they were."""


class NotAllowed(NotWritten):
    """The zone, or the way in which its file is written, does not allow the change: trying again is no use."""


class TryAgain(NotWritten):
    """Too much is going on: the same change may be written later."""


class OutcomeUnknown(NotWritten):
    """The connection broke while the server was at it, and it cannot be asked: the change may be there or not."""


class Transaction(Protocol):
    """A change of one zone that can be made again on a newer version of it."""

    @property
    def author(self) -> Person:
        """Who makes it."""

    def changes(self, zone: Zone) -> Sliced[Sequence[Change]]:
        """What it does to `zone`. May raise an exception of its own where the zone does not allow it."""


class Written(NamedTuple):
    """A change that is where the files are."""

    commit: str
    """The one made for it, or the newest where there was nothing to change; empty in a folder."""
    serial: int
    """Of the zone's file in it."""
