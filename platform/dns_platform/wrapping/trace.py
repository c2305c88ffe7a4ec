"""A device that shows its frames."""

from collections.abc import Callable, Sequence

from dns_platform.protocols import BATCH, NetworkDevice, Octets
from dns_platform.wrapping.wrapper import Wrapper

SHOWN = 64
"""Octets of a frame that are shown."""


class TraceDevice(Wrapper):
    """`device`, with a line per frame for `show`: its direction, length and first octets."""

    def __init__(self, device: NetworkDevice, show: Callable[[str], None]) -> None:
        super().__init__(device)
        self._show = show

    def receive(self, limit: int = BATCH) -> Sequence[Octets]:
        """See `NetworkDevice.receive`."""
        frames = self.device.receive(limit)
        for frame in frames:
            self._line("<", frame)
        return frames

    def transmit(self, frames: Sequence[Octets]) -> int:
        """See `NetworkDevice.transmit`."""
        sent = self.device.transmit(frames)
        for frame in frames[:sent]:
            self._line(">", frame)
        return sent

    def _line(self, direction: str, frame: Octets) -> None:
        rest = " ..." if len(frame) > SHOWN else ""
        self._show(f"{direction} {len(frame)} {frame[:SHOWN].hex(' ', 2)}{rest}")
