"""Where versions of the zone files come from: a git remote or a plain folder."""

from typing import NamedTuple, Protocol

from zones.tree import Tree


class SourceError(Exception):
    """A source cannot be reached or read; the message says why and what to do."""


class Version(NamedTuple):
    """A version that was fetched."""

    state: str
    """What `Source.state` gives while this version is the newest."""
    tree: Tree


class Source(Protocol):
    """A place with zone files that change. Nothing here holds the event loop for long."""

    @property
    def name(self) -> str:
        """For messages; secrets masked."""

    async def state(self) -> str:
        """Identity of the newest version, cheap to ask for. SourceError when it cannot be had."""

    async def fetch(self) -> Version:
        """The newest version. SourceError when it cannot be had."""
