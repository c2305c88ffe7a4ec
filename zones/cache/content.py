"""What a cache holds: the files that are served, their commit, and the serials that were given out."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from zones.slices import Sliced

MAX_SIZE: Final = 1 << 30
"""Octets that a content may unpack to: a damaged one must not use up the memory."""
_PIECE: Final = 1 << 15  # octets that are packed or unpacked between two looks at the clock
_LEVEL: Final = 1  # of deflate: zone files shrink well, and time counts more than space
_FORMAT: Final = 1


class BadContent(Exception):
    """The octets are no content of this version."""


@dataclass(frozen=True, slots=True)
class Content:
    """One state of what is served."""

    revision: str
    """Commit that was loaded last; files of broken zones are from before it."""
    files: Mapping[str, bytes]
    """By path."""
    serials: Mapping[bytes, int] = field(default_factory=dict)
    """Served serial of each zone, by folded wire origin."""


def pack(content: Content) -> Sliced[bytes]:
    """Octets of a content: a line of JSON and the files one after the other, deflated."""
    head = {
        "format": _FORMAT,
        "revision": content.revision,
        "files": [[path, len(text)] for path, text in content.files.items()],
        "serials": {origin.hex(): serial for origin, serial in content.serials.items()},
    }
    deflate = zlib.compressobj(_LEVEL)
    packed = [deflate.compress(json.dumps(head).encode("ascii") + b"\n")]
    for text in content.files.values():
        for start in range(0, len(text), _PIECE):
            packed.append(deflate.compress(text[start : start + _PIECE]))
            yield
        yield
    packed.append(deflate.flush())
    return b"".join(packed)


def unpack(octets: bytes) -> Content:
    """The content of `octets`. BadContent."""
    inflate = zlib.decompressobj()
    try:
        plain = inflate.decompress(octets, MAX_SIZE)
        if not inflate.eof:
            raise BadContent("it does not end where it should")
        line, _, rest = plain.partition(b"\n")
        head = json.loads(line)
        if head["format"] != _FORMAT:
            raise BadContent(f"its format is {head['format']}, not {_FORMAT}")
        files, position = {}, 0
        for path, length in head["files"]:
            files[path] = rest[position : position + length]
            position += length
        serials = {bytes.fromhex(origin): int(serial) for origin, serial in head["serials"].items()}
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise BadContent(str(error)) from error
    if position != len(rest):
        raise BadContent("its files have other lengths")
    return Content(head["revision"], files, serials)
