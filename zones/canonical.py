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
    """`rdata` with its names folded where RFC 4034 6.2 (3) says so; as it is where it has no names in those places."""
    if rdtype == _NAPTR:
        return _fold_names(rdata, _naptr_replacement(rdata), 1)
    if rdtype == _A6:
        start = 1 + (128 - min(rdata[0], 128) + 7) // 8 if rdata else 0
        return _fold_names(rdata, start, 1 if start < len(rdata) else 0)
    place = _NAMES.get(rdtype)
    return rdata if place is None else _fold_names(rdata, *place)


def names_end(rdata: bytes, start: int, count: int) -> int | None:
    """Index behind `count` uncompressed names that stand in `rdata` from `start` on; None where they don't."""
    end = start
    for _ in range(count):
        begin = end
        while True:
            if end >= len(rdata) or rdata[end] > names.MAX_LABEL:
                return None
            length = rdata[end]
            end += 1 + length
            if not length:
                break
        if end - begin > names.MAX_NAME:
            return None
    return end


def _fold_names(rdata: bytes, start: int, count: int) -> bytes:
    end = names_end(rdata, start, count)
    return rdata if end is None else rdata[:start] + names.fold(rdata[start:end]) + rdata[end:]


def _naptr_replacement(rdata: bytes) -> int:
    """Where the name begins: behind order, preference and three strings (RFC 3403 4.1)."""
    position = 4
    for _ in range(3):
        if position < len(rdata):
            position += 1 + rdata[position]
    return position
