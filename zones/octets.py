"""Octets out of one buffer and into another: what octets.pxd says in C for modules that Cython compiles.

A slice of a `bytearray` makes several objects on its way to `bytes`; a zone is cut out of buffers millions of times.
"""


def cut(octets: bytearray, begin: int, end: int) -> bytes:
    """A copy of `octets` from `begin` to `end`. IndexError where they are not within, in this order."""
    if not 0 <= begin <= end <= len(octets):
        raise IndexError("octets")
    return bytes(octets[begin:end])


def extend(octets: bytearray, more: bytearray, begin: int, end: int) -> None:
    """Append `more` from `begin` to `end`. IndexError as for `cut`. The two are not the same."""
    octets += cut(more, begin, end)
