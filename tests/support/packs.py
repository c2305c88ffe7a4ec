"""Packs made by hand, sound and broken: real git makes no broken ones."""

import hashlib
import zlib
from collections.abc import Sequence
from typing import Final

COMMIT: Final = 1
TREE: Final = 2
BLOB: Final = 3
OFFSET_DELTA: Final = 6
REFERENCE_DELTA: Final = 7
NAMES: Final = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob"}


def object_id(kind: int, content: bytes) -> str:
    return hashlib.sha1(b"%s %d\0" % (NAMES[kind], len(content)) + content).hexdigest()


def entry(kind: int, content: bytes, size: int | None = None, base: bytes = b"") -> bytes:
    """An object in a pack; `size` is what its head says where that is not the truth."""
    size = len(content) if size is None else size
    head = bytearray([kind << 4 | size & 15])
    size >>= 4
    while size:
        head[-1] |= 128
        head.append(size & 127)
        size >>= 7
    return bytes(head) + base + zlib.compress(content)


def pack(entries: Sequence[bytes], count: int | None = None, version: int = 2) -> bytes:
    body = b"PACK" + version.to_bytes(4, "big") + (len(entries) if count is None else count).to_bytes(4, "big")
    body += b"".join(entries)
    return body + hashlib.sha1(body).digest()


def commit_of(files: dict[str, bytes]) -> tuple[str, list[tuple[int, bytes]]]:
    """Id of a commit with `files` at its top, and its objects."""
    tree = b"".join(
        b"100644 %s\0%s" % (path.encode(), bytes.fromhex(object_id(BLOB, content)))
        for path, content in sorted(files.items())
    )
    person = b"A <a@example.com> 1700000000 +0000"
    commit = b"tree %s\nauthor %s\ncommitter %s\n\nmessage\n" % (object_id(TREE, tree).encode(), person, person)
    objects = [(COMMIT, commit), (TREE, tree), *((BLOB, content) for content in files.values())]
    return object_id(COMMIT, commit), objects


def copy(start: int, length: int) -> bytes:
    """The copy instruction of a delta, all its octets written."""
    return bytes([0xFF]) + start.to_bytes(4, "little") + length.to_bytes(3, "little")


def delta(base_size: int, size: int, instructions: bytes) -> bytes:
    def number(value: int) -> bytes:
        octets = bytearray()
        while value > 127:
            octets.append(value & 127 | 128)
            value >>= 7
        return bytes([*octets, value])

    return number(base_size) + number(size) + instructions
