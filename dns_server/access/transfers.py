"""To whom transfers are open (`--axfr`)."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from dns_server.values import Network


class Open(enum.Enum):
    """To whom transfers are open, apart from networks and keys that are named one by one."""

    NONE = "none"
    """Nobody, whatever keys and policy say."""
    KEYS = "keys"
    """Those whom keys and policy allow it."""
    ALL = "all"
    """Everybody."""


@dataclass(frozen=True, slots=True)
class Transfers:
    """Whom the operator lets transfer zones."""

    open: Open = Open.KEYS
    networks: tuple[Network, ...] = ()
    """Open to these, too."""
    keys: frozenset[bytes] = frozenset()
    """Folded wire names of keys that may transfer every zone, whatever their names and the policy say."""


def joined(parts: Iterable[Transfers]) -> Transfers:
    """All of `parts` together. ValueError where `none` or `all` stands beside others."""
    parts = tuple(parts)
    decisive = {part.open for part in parts} - {Open.KEYS}
    if decisive and len(parts) > 1:
        raise ValueError(f"{decisive.pop().value} stands alone")
    return Transfers(
        next((part.open for part in parts), Open.KEYS),
        tuple(network for part in parts for network in part.networks),
        frozenset(key for part in parts for key in part.keys),
    )
