"""Octets out of one buffer and into another, as they are done uncompiled."""

import pytest

from zones.octets import cut, extend

OCTETS = bytearray(b"abcd")


@pytest.mark.parametrize(("begin", "end"), [(0, 4), (1, 3), (2, 2), (4, 4)])
def test_a_part_is_copied(begin: int, end: int) -> None:
    assert cut(OCTETS, begin, end) == b"abcd"[begin:end]
    longer = bytearray(b"x")
    extend(longer, OCTETS, begin, end)
    assert longer == b"x" + b"abcd"[begin:end]


@pytest.mark.parametrize(("begin", "end"), [(-1, 2), (3, 2), (0, 5), (5, 5)])
def test_what_is_not_within_is_refused(begin: int, end: int) -> None:
    longer = bytearray(b"x")
    with pytest.raises(IndexError):
        cut(OCTETS, begin, end)
    with pytest.raises(IndexError):
        extend(longer, OCTETS, begin, end)
    assert longer == b"x"
