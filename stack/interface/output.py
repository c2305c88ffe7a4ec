"""Frames on their way to the device."""

from collections.abc import Sequence

from dns_platform.protocols import Octets
from stack.counters import Counters
from stack.wire import ethernet
from stack.wire.ethernet import EtherType, Frame


class Output:
    """A bounded queue of frames from `mac`."""

    __slots__ = ("_counters", "_frames", "_limit", "mac")

    def __init__(self, mac: bytes, limit: int, counters: Counters) -> None:
        self.mac = mac
        self._limit = limit
        self._counters = counters
        self._frames: list[Octets] = []

    def send(self, destination: bytes, ether_type: EtherType, payloads: Sequence[Octets]) -> None:
        """Queue a frame to the MAC `destination` for each of `payloads`, as `extend` does."""
        header = ethernet.emit(Frame(destination, self.mac, ether_type, b""))
        self.extend([header + payload for payload in payloads])

    def add(self, frame: bytes) -> None:
        """Queue `frame`; drop it when the queue is full."""
        if len(self._frames) >= self._limit:
            self._counters.add(ethernet.LAYER, "output queue full")
        else:
            self._frames.append(frame)

    def extend(self, frames: Sequence[Octets]) -> None:
        """Queue `frames`; drop those for which the queue has no room."""
        room = self._limit - len(self._frames)
        self._frames += frames[:room]
        if len(frames) > room:
            self._counters.add(ethernet.LAYER, "output queue full", len(frames) - room)

    def take(self) -> list[Octets]:
        """All frames queued, in order; the queue is empty afterwards."""
        frames, self._frames = self._frames, []
        return frames

    def __len__(self) -> int:
        return len(self._frames)
