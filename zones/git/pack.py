"""Reads a pack: all its objects, in slices, within bounds. Read first: gitformat-pack(5).

dulwich reads packs too, but an object at a go and without bounds; here no step holds the event loop for long and no
pack, however made, takes more memory than the limits say.
"""

import hashlib
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from zones.git.errors import BadAnswer
from zones.git.limits import Limits
from zones.slices import Sliced

_VERSION: Final = 2
_HEADER_SIZE: Final = 12
_HASH_SIZE: Final = 20
_INPUT: Final = 1 << 14  # octets of the pack that are inflated at a time
_OUTPUT: Final = 1 << 16  # octets that are made at a time
_OBJECTS_A_SLICE: Final = 4
_OPERATIONS_A_SLICE: Final = 512
_OFFSET_DELTA: Final = 6
_REFERENCE_DELTA: Final = 7

BLOB: Final = 3
LARGE: Final = 1 << 20
"""Octets from which a file is left deflated."""
KINDS: Final = {1: "commit", 2: "tree", BLOB: "blob", 4: "tag"}


class Deflated:
    """A large file as it is in its repository. It is inflated piece by piece when it is read."""

    def __init__(self, octets: memoryview, begin: int, size: int, skipped: int = 0) -> None:
        """`size` octets come of the zlib stream at `begin` in `octets`, the first `skipped` of which don't count."""
        self._octets = octets
        self._begin = begin
        self._size = size
        self._skipped = skipped

    def pieces(self) -> Iterator[bytes]:
        """Content, each piece inflated when it is asked for, within some 100 microseconds. BadAnswer.

        What `unpack` made raises nothing.
        """
        skipped = self._skipped
        for part in _inflated(self._octets, self._begin, self._size):
            if len(part) > skipped:
                yield part[skipped:]
            skipped -= min(skipped, len(part))

    def whole(self) -> bytes:
        """Content, all at once."""
        return b"".join(self.pieces())


class Object(NamedTuple):
    """An object of a pack."""

    kind: int
    """A key of `KINDS`."""
    stored: bytes | Deflated
    """Content; that of large files may be deflated."""

    @property
    def content(self) -> bytes:
        """Content, inflated."""
        return self.stored if isinstance(self.stored, bytes) else self.stored.whole()


Objects = dict[str, Object]
"""By id in hexadecimal."""


@dataclass(slots=True)
class _Delta:
    """A delta whose base is yet to come."""

    base: int | str
    """Offset in the pack, or id."""
    offset: int
    instructions: bytes


def unpack(pack: bytes | bytearray, limits: Limits) -> Sliced[Objects]:
    """All objects of `pack`. BadAnswer when it is broken, incomplete, or beyond the limits."""
    if len(pack) < _HEADER_SIZE + _HASH_SIZE or pack[:4] != b"PACK":
        raise BadAnswer("what came is no pack")
    version, count = int.from_bytes(pack[4:8], "big"), int.from_bytes(pack[8:12], "big")
    if version != _VERSION:
        raise BadAnswer(f"pack version {version} is not supported")
    if count > limits.objects:
        raise BadAnswer(
            f"the pack has {count} objects, the limit is {limits.objects}", "keep zones apart from the rest"
        )
    digest = hashlib.sha1(usedforsecurity=False)
    yield from _update(digest, memoryview(pack)[:-_HASH_SIZE])
    if digest.digest() != pack[-_HASH_SIZE:]:
        raise BadAnswer("the pack is damaged: its hash is wrong", "a retry may help, else run git fsck on the server")
    reader = _Reader(pack, limits)
    return (yield from reader.read(count))


class _Reader:
    """Objects of one pack as they are found."""

    def __init__(self, pack: bytes | bytearray, limits: Limits) -> None:
        self._pack = memoryview(pack)[:-_HASH_SIZE]
        self._limits = limits
        self._inflated = 0
        self._objects: Objects = {}
        self._ids: dict[int, str] = {}
        self._waiting: dict[int | str, list[_Delta]] = {}

    def read(self, count: int) -> Sliced[Objects]:
        position = _HEADER_SIZE
        deltas = 0
        for number in range(count):
            if number % _OBJECTS_A_SLICE == 0:
                yield
            offset = position
            kind, size, position = entry_head(self._pack, position)
            self._account(size)
            base: int | str | None = None
            if kind == _OFFSET_DELTA:
                base, position = self._base_offset(offset, position)
            elif kind == _REFERENCE_DELTA:
                base, position = bytes(self._pack[position : position + _HASH_SIZE]).hex(), position + _HASH_SIZE
            elif kind not in KINDS:
                raise BadAnswer(f"the pack has an object of unknown kind {kind}")
            if kind == BLOB and size >= LARGE:
                position = yield from self._leave(offset, position, size)
                continue
            parts: list[bytes] = []
            position = yield from self._inflate(position, size, parts.append)
            content = b"".join(parts)
            if base is None:
                yield from self._add(offset, kind, content)
            else:
                deltas += 1
                self._waiting.setdefault(base, []).append(_Delta(base, offset, content))
        if position != len(self._pack):
            raise BadAnswer("the pack has octets behind its last object")
        resolved = yield from self._resolve()
        if resolved != deltas:
            raise BadAnswer(f"the pack has {deltas - resolved} deltas without a base")
        return self._objects

    def _base_offset(self, offset: int, position: int) -> tuple[int, int]:
        octet = _octet(self._pack, position)
        distance = octet & 127
        while octet & 128:
            position += 1
            octet = _octet(self._pack, position)
            distance = (distance + 1 << 7) | octet & 127
            if distance > len(self._pack):
                raise BadAnswer("the pack has a delta whose base lies outside")
        return offset - distance, position + 1

    def _account(self, size: int) -> None:
        """Count `size` octets that are about to be made."""
        if size > self._limits.object_size:
            raise BadAnswer(f"an object has {size} octets, the limit is {self._limits.object_size}")
        self._inflated += size
        if self._inflated > self._limits.inflated:
            raise BadAnswer(
                f"the objects have more than {self._limits.inflated} octets", "keep zones apart from the rest"
            )

    def _inflate(self, position: int, size: int, take: Callable[[bytes], object]) -> Sliced[int]:
        """Hand parts of the `size` octets from the zlib stream at `position` to `take`; where that stream ends."""
        stream = _inflated(self._pack, position, size)
        while True:
            try:
                part = next(stream)
            except StopIteration as stop:
                end: int = stop.value
                return end
            take(part)
            if size > _OUTPUT or not part:  # a stream may go on without end and make nothing
                yield

    def _leave(self, offset: int, begin: int, size: int) -> Sliced[int]:
        """Take in a file of which only the hash is looked at now; where its zlib stream ends."""
        digest = digest_of(BLOB, size)
        end = yield from self._inflate(begin, size, digest.update)
        self._keep(offset, Object(BLOB, Deflated(self._pack, begin, size)), digest.hexdigest())
        return end

    def _add(self, offset: int, kind: int, content: bytes) -> Sliced[str]:
        """Take an object in; its id."""
        digest = digest_of(kind, len(content))
        if len(content) <= _OUTPUT:
            digest.update(content)
        else:
            yield from _update(digest, memoryview(content))
        return self._keep(offset, Object(kind, content), digest.hexdigest())

    def _keep(self, offset: int, found: Object, identity: str) -> str:
        """Note an object by its id, which is returned."""
        self._objects[identity] = found
        self._ids[offset] = identity
        return identity

    def _resolve(self) -> Sliced[int]:
        """Apply the deltas, bases first; how many there were."""
        pending = [(offset, identity, 0) for offset, identity in self._ids.items()]
        resolved = 0
        while pending:
            offset, identity, depth = pending.pop()
            deltas = [*self._waiting.pop(offset, ()), *self._waiting.pop(identity, ())]
            if deltas and depth >= self._limits.delta_depth:
                raise BadAnswer(f"more than {self._limits.delta_depth} deltas upon one another", "git gc on the server")
            found = self._objects[identity]
            base = found.content if deltas else b""
            for number, delta in enumerate(deltas):
                if number % _OBJECTS_A_SLICE == 0:
                    yield
                content = yield from self._patch(base, delta.instructions)
                pending.append((delta.offset, (yield from self._add(delta.offset, found.kind, content)), depth + 1))
                resolved += 1
        return resolved

    def _patch(self, base: bytes, delta: bytes) -> Sliced[bytes]:
        """`base` changed by the instructions of `delta` (gitformat-pack, "Deltified representation")."""
        try:
            base_size, position = _size(delta, 0)
            size, position = _size(delta, position)
            if base_size != len(base):
                raise BadAnswer("a delta is made for another base")
            self._account(size)
            parts: list[bytes] = []
            made = operations = 0
            while position < len(delta):
                operations += 1
                if operations % _OPERATIONS_A_SLICE == 0:
                    yield
                opcode = delta[position]
                position += 1
                if opcode & 128:
                    start, length, position = _copy(delta, opcode, position)
                    if start + length > len(base):
                        raise BadAnswer("a delta copies from beyond its base")
                    part = base[start : start + length]
                elif opcode:
                    part = delta[position : position + opcode]
                    position += opcode
                    length = opcode
                else:
                    raise BadAnswer("a delta has an unknown instruction")
                parts.append(part)
                made += length
                if made > size:
                    break
        except IndexError:
            raise BadAnswer("a delta ends within an instruction") from None
        if made != size:
            raise BadAnswer("a delta makes another size than it says")
        content = b"".join(parts)
        if len(content) != size:
            raise BadAnswer("a delta ends within an instruction")
        return content


def entry_head(pack: memoryview, position: int) -> tuple[int, int, int]:
    """Kind and size of the object at `position` of `pack`, and where it goes on. BadAnswer."""
    octet = _octet(pack, position)
    kind, size, shift = octet >> 4 & 7, octet & 15, 4
    while octet & 128:
        position += 1
        octet = _octet(pack, position)
        size |= (octet & 127) << shift
        shift += 7
        if shift > 60:
            raise BadAnswer("the pack has an object of absurd size")
    return kind, size, position + 1


def _octet(pack: memoryview, position: int) -> int:
    if position >= len(pack):
        raise BadAnswer("the pack ends within an object")
    return pack[position]


def _size(delta: bytes, position: int) -> tuple[int, int]:
    """A size at the head of a delta, and where it goes on."""
    size = shift = 0
    while True:
        octet = delta[position]
        position += 1
        size |= (octet & 127) << shift
        shift += 7
        if not octet & 128:
            return size, position
        if shift > 60:
            raise BadAnswer("a delta has an absurd size")


def _copy(delta: bytes, opcode: int, position: int) -> tuple[int, int, int]:
    """Start and length of a copy instruction, and where the delta goes on."""
    start = length = 0
    for bit in range(4):
        if opcode >> bit & 1:
            start |= delta[position] << 8 * bit
            position += 1
    for bit in range(3):
        if opcode >> 4 + bit & 1:
            length |= delta[position] << 8 * bit
            position += 1
    return start, length or 0x10000, position


def _inflated(pack: memoryview, position: int, size: int) -> Generator[bytes, None, int]:
    """Parts of the `size` octets that come of the zlib stream at `position`, some empty, and where that ends.

    BadAnswer where it makes another number of octets, or is broken.
    """
    inflater = zlib.decompressobj()
    missing = size
    tail = b""
    # A small object's stream is not much longer than the object: don't copy what is behind it each time.
    step = min(_INPUT, size + (size >> 8) + 32)
    try:
        while not inflater.eof:
            if not tail:
                tail = bytes(pack[position : position + step])
                position += len(tail)
                if not tail:
                    raise BadAnswer("the pack ends within an object")
            part = inflater.decompress(tail, min(missing + 1, _OUTPUT))
            tail = inflater.unconsumed_tail
            missing -= len(part)
            if missing < 0:
                raise BadAnswer("an object is longer than the pack says")
            yield part
    except zlib.error as error:
        raise BadAnswer(f"the pack has an object that cannot be inflated ({error})") from None
    if missing:
        raise BadAnswer("an object is shorter than the pack says")
    return position - len(inflater.unused_data)


def digest_of(kind: int, size: int) -> "hashlib._Hash":
    """What makes the id of an object."""
    return hashlib.sha1(b"%s %d\0" % (KINDS[kind].encode(), size), usedforsecurity=False)


def _update(digest: "hashlib._Hash", content: memoryview) -> Sliced[None]:
    for start in range(0, len(content), _OUTPUT):
        digest.update(content[start : start + _OUTPUT])
        yield
