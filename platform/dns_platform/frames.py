"""Frames that lie in one memory, for devices and compiled code that move a batch at a time.

Places and lengths are words of 64 bits in buffers, so that a batch is moved without an object of Python for each frame.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TypeAlias, overload

Words: TypeAlias = "array[int] | memoryview"
"""Words of the format "Q", side by side or not. Those of a device are valid until it is called again."""


class Frames(Sequence[memoryview]):
    """A batch in `memory`: frame `i` is `lengths[i]` octets from `starts[i]` on.

    It is a sequence of views, which are made when they are asked for; who knows the class needs none.
    """

    __slots__ = ("lengths", "memory", "starts")

    def __init__(self, memory: memoryview, starts: Words, lengths: Words) -> None:
        self.memory = memory
        self.starts = starts
        self.lengths = lengths

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, index: int) -> memoryview: ...

    @overload
    def __getitem__(self, index: slice) -> "list[memoryview]": ...

    def __getitem__(self, index: int | slice) -> "memoryview | list[memoryview]":
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        start = self.starts[index]
        return self.memory[start : start + self.lengths[index]]

    def __iter__(self) -> Iterator[memoryview]:
        memory = self.memory
        for start, length in zip(self.starts, self.lengths, strict=True):
            yield memory[start : start + length]

    def copy(self, target: memoryview, places: Words) -> None:
        """Copy the first `len(places)` frames into `target`, each to its place."""
        for place, frame in zip(places, self, strict=False):
            target[place : place + len(frame)] = frame


def copied(frames: Sequence[bytes | memoryview], target: memoryview, places: Words) -> Words:
    """Copy the first `len(places)` of `frames` into `target`, each to its place; their lengths."""
    if isinstance(frames, Frames):
        frames.copy(target, places)
        return frames.lengths[: len(places)]
    lengths = array("Q")
    for place, frame in zip(places, frames, strict=False):
        target[place : place + len(frame)] = frame
        lengths.append(len(frame))
    return lengths


def joined(frames: Sequence[bytes | memoryview]) -> Frames:
    """`frames` one after the other, in new memory."""
    lengths = array("Q", map(len, frames))
    return Frames(memoryview(b"".join(frames)), array("Q", accumulate(lengths, initial=0))[:-1], lengths)
