"""An Ethernet link in memory: two devices back to back, for tests."""

from collections import deque
from collections.abc import Sequence

from dns_platform.protocols import BATCH, Octets

QUEUE_LIMIT = 4096
"""Frames that wait for a reader; as on a wire, more are lost."""


class MemoryDevice:
    """One end of a link made by `link`."""

    def __init__(self, mac: bytes, mtu: int) -> None:
        self.mac = mac
        self.mtu = mtu
        self.peer: MemoryDevice | None = None
        self.lost = 0
        self._queue: deque[bytes] = deque()

    def receive(self, limit: int = BATCH) -> Sequence[bytes]:
        """See `NetworkDevice.receive`."""
        return [self._queue.popleft() for _ in range(min(limit, len(self._queue)))]

    def transmit(self, frames: Sequence[Octets]) -> int:
        """See `NetworkDevice.transmit`."""
        peer = self.peer
        for frame in frames if peer is not None else ():
            self._offer(peer, bytes(frame))
        return len(frames)

    def fileno(self) -> int | None:
        """There is none."""
        return None

    def close(self) -> None:
        """Unplug the link."""
        if self.peer is not None:
            self.peer.peer = None
            self.peer = None

    def _offer(self, peer: "MemoryDevice | None", frame: bytes) -> None:
        if peer is None or len(peer._queue) >= QUEUE_LIMIT:
            self.lost += 1
        else:
            peer._queue.append(frame)


def link(mtu: int = 1500) -> tuple[MemoryDevice, MemoryDevice]:
    """Both ends of a new link; their MACs are locally administered."""
    left = MemoryDevice(bytes.fromhex("020000000001"), mtu)
    right = MemoryDevice(bytes.fromhex("020000000002"), mtu)
    left.peer, right.peer = right, left
    return left, right
