"""What a zone is made of: sets of records. Plain Python, so that an image has no class to make at its start (see
docs/images.md); `zones.zone`, which keeps them, is compiled.
"""

from collections.abc import Mapping
from typing import NamedTuple


class RRset(NamedTuple):
    """Records of one owner and type (RFC 2181 5); RRSIGs of one owner are one set here."""

    owner: bytes
    """Folded wire name."""
    rdtype: int
    ttl: int
    """Seconds; the lowest, where the file gave several."""
    rdatas: tuple[bytes, ...]
    """Distinct wire rdata in the order of the file; a difference in the letter case of names is none."""


Node = Mapping[int, RRset]
"""The sets of one owner by their type."""
