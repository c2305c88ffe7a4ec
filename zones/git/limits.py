"""Bounds of what a git server can make us do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """One sync must stay within all of these. Sizes are octets, times seconds."""

    pack: int = 64 << 20
    """Pack as it comes over the wire."""
    objects: int = 200_000
    """Objects in the pack, and files in the tree."""
    object_size: int = 64 << 20
    """One object, inflated."""
    inflated: int = 256 << 20
    """All objects, inflated and deltas applied."""
    delta_depth: int = 512
    """Deltas upon deltas; git makes 50, and 250 when it is asked to be aggressive."""
    advertisement: int = 16 << 20
    """Refs that the server lists."""
    connect_s: float = 20.0
    stall_s: float = 30.0
    """Time without a single octet."""
    total_s: float = 300.0
    """A whole sync."""


DEFAULT_LIMITS = Limits()
