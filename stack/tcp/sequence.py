"""Sequence numbers (RFC 9293 3.4) as numbers that never wrap.

On the wire a sequence number is 32 bits and wraps. Comparing such numbers is where TCPs go wrong, so nothing here
compares them: a number from the wire is unwrapped once, to the *position* nearest to one already known, and from
there on all rules of the RFC read as they are written, with plain < and <=. A position is a number whose low 32 bits
are the sequence number; it starts at the initial sequence number and grows without bound.
"""

from typing import Final

MODULUS: Final = 1 << 32
_MASK: Final = MODULUS - 1
_HALF: Final = MODULUS >> 1


def unwrap(number: int, near: int) -> int:
    """The position from `near` - 2**31 to `near` + 2**31 - 1 whose low 32 bits are `number`."""
    return near + ((number - near + _HALF) & _MASK) - _HALF


def wrap(position: int) -> int:
    """The sequence number of `position`, for the wire."""
    return position & _MASK
