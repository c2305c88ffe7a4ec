"""Canonical form of rdata: what tells whether two records are the same.

Read first: RFC 4034 6.2, RFC 6840 5.1 (NSEC's next name keeps its letter case).
"""

from typing import Final

from zones import name as names

# Where names stand that are folded: octets before the first one, and how many follow each other.
_NAMES: Final = {
    2: (0, 1), 3: (0, 1), 4: (0, 1), 5: (0, 1), 6: (0, 2), 7: (0, 1), 8: (0, 1), 9: (0, 1), 12: (0, 1), 14: (0, 2),
    15: (2, 1), 17: (0, 2), 18: (2, 1), 21: (2, 1), 24: (18, 1), 26: (2, 2), 30: (0, 1), 33: (6, 1), 36: (2, 1),
    39: (0, 1), 46: (18, 1),
}  # fmt: skip
_NAPTR: Final = 35
_A6: Final = 38


def canonical_rdata(rdtype: int, rdata: bytes) -> bytes:
    """`rdata` with its names folded where RFC 4034 6.2 (3) says so."""
    if rdtype == _NAPTR:
        return _fold_names(rdata, _naptr_replacement(rdata), 1)
    if rdtype == _A6:
        start = 1 + (128 - rdata[0] + 7) // 8
        return _fold_names(rdata, start, 1 if start < len(rdata) else 0)
    place = _NAMES.get(rdtype)
    return rdata if place is None else _fold_names(rdata, *place)


def _fold_names(rdata: bytes, start: int, count: int) -> bytes:
    end = start
    for _ in range(count):
        while length := rdata[end]:
            end += 1 + length
        end += 1
    return rdata[:start] + names.fold(rdata[start:end]) + rdata[end:]


def _naptr_replacement(rdata: bytes) -> int:
    """Where the name begins: behind order, preference and three strings (RFC 3403 4.1)."""
    position = 4
    for _ in range(3):
        position += 1 + rdata[position]
    return position
