"""Frames that lie in one memory, for devices and compiled code that move a batch at a time."""

from collections.abc import Iterator, Sequence
from typing import overload


class Frames(Sequence[memoryview]):
    """A batch in `memory`: frame `i` is `lengths[i]` octets from `starts[i]` on.

    It is a sequence of views, which are made when they are asked for; who knows the class needs none.
    """

    __slots__ = ("lengths", "memory", "starts")

    def __init__(self, memory: memoryview, starts: list[int], lengths: list[int]) -> None:
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

    def copy(self, target: memoryview, places: list[int]) -> None:
        """Copy the first `len(places)` frames into `target`, each to its place."""
        for place, frame in zip(places, self, strict=False):
            target[place : place + len(frame)] = frame


def copied(frames: Sequence[bytes | memoryview], target: memoryview, places: list[int]) -> list[int]:
    """Copy the first `len(places)` of `frames` into `target`, each to its place; their lengths."""
    if isinstance(frames, Frames):
        frames.copy(target, places)
        return frames.lengths[: len(places)]
    lengths = []
    for place, frame in zip(places, frames, strict=False):
        target[place : place + len(frame)] = frame
        lengths.append(len(frame))
    return lengths
