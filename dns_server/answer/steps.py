"""What looking a name up leads to: the vocabulary that lookup, proofs and rendering share."""

import enum
from dataclasses import dataclass
from typing import Final

from zones.name import WILDCARD_LABEL, to_text


class Outcome(enum.Enum):
    """What a name and type lead to."""

    ANSWER = "answer"
    """The name has the type."""
    CNAME = "cname"
    """The name is an alias (RFC 1034 3.6.2)."""
    DNAME = "dname"
    """A name above is a DNAME: an alias is made of it (RFC 6672 3.1)."""
    TOO_LONG = "yxdomain"
    """The alias that the DNAME makes is longer than 255 octets (RFC 6672 2.2)."""
    REFERRAL = "referral"
    """The name is at or below a zone cut."""
    NODATA = "nodata"
    """The name exists, the type does not (RFC 2308 2.2); empty non-terminals included."""
    NXDOMAIN = "nxdomain"
    """The name does not exist (RFC 2308 2.1, RFC 8020)."""
    OUTSIDE = "outside"
    """An alias leads out of the zone: its target is the asker's business."""
    LOOP = "loop"
    """An alias leads to a name that was there already."""
    LIMIT = "limit"
    """The chain of aliases is longer than is followed."""


FOLLOWED: Final = frozenset({Outcome.CNAME, Outcome.DNAME})
# Outcomes whose source is a name above, not a stand-in.
_BY_ANCESTOR: Final = frozenset({Outcome.DNAME, Outcome.TOO_LONG, Outcome.REFERRAL, Outcome.NXDOMAIN})


def wildcard_of(encloser: bytes) -> bytes:
    """The wildcard whose closest encloser is `encloser` (RFC 4592 2.1.1)."""
    return WILDCARD_LABEL + encloser


def is_wildcard(name: bytes) -> bool:
    """Whether the leftmost label of `name` is `*`."""
    return name.startswith(WILDCARD_LABEL)


@dataclass(frozen=True, slots=True)
class Step:
    """One name looked up."""

    outcome: Outcome
    name: bytes
    """The name looked up, folded: the question's, or the target of the alias before."""
    source: bytes
    """Owner of the data that decides: `name` itself, a wildcard, a cut, a DNAME; for NXDOMAIN the closest encloser."""
    target: bytes = b""
    """Where an alias leads, in the zone's letter case."""

    @property
    def synthesized(self) -> bool:
        """Whether a wildcard stood in for `name` (RFC 4592 2.1.3)."""
        return self.source != self.name and is_wildcard(self.source) and self.outcome not in _BY_ANCESTOR

    def __str__(self) -> str:
        text = f"{self.outcome.value}: {to_text(self.name)}"
        if self.synthesized:
            text += f" by wildcard {to_text(self.source)}"
        elif self.source != self.name:
            text += f" by {to_text(self.source)}"
        return f"{text}, to {to_text(self.target)}" if self.target else text
