"""TCP options: those of a SYN, and those of later segments.

Read first: RFC 9293 3.1 (format, MSS), RFC 7323 (window scale, timestamps), RFC 2018 (SACK).
"""

import struct
from typing import Final, NamedTuple

from stack.wire.error import WireError

END: Final = 0
NO_OPERATION: Final = 1
MAXIMUM_SEGMENT_SIZE: Final = 2
WINDOW_SCALE: Final = 3
SACK_PERMITTED: Final = 4
SACK: Final = 5
TIMESTAMPS: Final = 8

MAX_LENGTH: Final = 40  # a data offset of 15 words, without the 5 of the fixed header
MAX_SCALE: Final = 14  # RFC 7323 2.3: a larger shift is taken as 14
MAX_SACK_BLOCKS: Final = 4  # RFC 2018 3: as many as fit; 3 beside timestamps

# RFC 7323 appendix A: the layout that everybody sends, aligned by two no-operations.
_ALIGNED_TIMESTAMPS: Final = struct.Struct("!III")
_TIMESTAMPS_WORD: Final = 0x0101080A
_BLOCK: Final = struct.Struct("!II")

Block = tuple[int, int]
"""Left and right edge, sequence numbers: the octets from left to right - 1."""


class Options(NamedTuple):
    """What the options of one segment say; what is absent is None, False or empty."""

    mss: int | None = None
    """Largest segment that the sender of this option takes, octets, without headers."""
    window_scale: int | None = None
    """Bits by which the sender of this option shifts its windows."""
    sack_permitted: bool = False
    sack: tuple[Block, ...] = ()
    timestamps: tuple[int, int] | None = None
    """TSval and TSecr."""


NONE: Final = Options()


def parse(data: bytes) -> Options:
    """The options in `data`, the part of the header behind the fixed 20 octets.

    Unknown options are skipped by their length (RFC 9293 3.1, MUST-6). WireError when a length is illegal (MUST-7):
    the segment is dropped.
    """
    if len(data) == 12 and data.startswith(b"\x01\x01\x08\x0a"):
        _, value, echo = _ALIGNED_TIMESTAMPS.unpack(data)
        return Options(timestamps=(value, echo))
    mss: int | None = None
    window_scale: int | None = None
    sack_permitted = False
    sack: tuple[Block, ...] = ()
    timestamps: tuple[int, int] | None = None
    position, end = 0, len(data)
    while position < end:
        kind = data[position]
        if kind == END:
            break
        if kind == NO_OPERATION:
            position += 1
            continue
        length = data[position + 1] if position + 1 < end else 0
        if length < 2 or position + length > end:
            raise WireError("tcp", "option-length")
        value = data[position + 2 : position + length]
        position += length
        # An option of a known kind with a length that isn't its own is skipped as an unknown one would be.
        if kind == MAXIMUM_SEGMENT_SIZE and length == 4:
            mss = int.from_bytes(value)
        elif kind == WINDOW_SCALE and length == 3:
            window_scale = min(value[0], MAX_SCALE)
        elif kind == SACK_PERMITTED and length == 2:
            sack_permitted = True
        elif kind == SACK and length % 8 == 2:
            sack = tuple(_BLOCK.iter_unpack(value))
        elif kind == TIMESTAMPS and length == 10:
            timestamps = _BLOCK.unpack(value)
    return Options(mss, window_scale, sack_permitted, sack, timestamps)


def emit(options: Options) -> bytes:
    """`options` in wire form, padded to whole words. At most 40 octets: the caller limits the SACK blocks."""
    parts = []
    if options.mss is not None:
        parts.append(struct.pack("!BBH", MAXIMUM_SEGMENT_SIZE, 4, options.mss))
    if options.window_scale is not None:
        parts.append(struct.pack("!BBBB", NO_OPERATION, WINDOW_SCALE, 3, options.window_scale))
    if options.sack_permitted:
        parts.append(struct.pack("!BBBB", NO_OPERATION, NO_OPERATION, SACK_PERMITTED, 2))
    if options.timestamps is not None:
        parts.append(_ALIGNED_TIMESTAMPS.pack(_TIMESTAMPS_WORD, *options.timestamps))
    if options.sack:
        parts.append(struct.pack("!BBBB", NO_OPERATION, NO_OPERATION, SACK, 2 + 8 * len(options.sack)))
        parts.extend(_BLOCK.pack(left, right) for left, right in options.sack)
    return b"".join(parts)
