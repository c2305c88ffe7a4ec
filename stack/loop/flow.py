"""Flow control between a protocol that writes and a transport that can't keep up: asyncio's write buffer limits."""

import asyncio
from typing import Final

_HIGH: Final = 1 << 16  # octets, as in asyncio


class FlowControl(asyncio.Transport):
    """A transport that pauses its protocol when more than the high limit waits, and resumes it at the low one.

    A subclass calls `waits_more` and `waits_less` when `get_write_buffer_size` has changed.
    """

    __slots__ = ("_high", "_loop", "_low", "_protocol", "_writing_paused")

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._loop = loop
        self._protocol = protocol
        self._writing_paused = False
        self._high = _HIGH
        self._low = _HIGH // 4

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """The low and the high limit, octets."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Change the limits; what is None follows from the other as in asyncio. ValueError when low is above high."""
        if high is None:
            high = _HIGH if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"the high limit ({high}) must be at least the low one ({low}), and that at least 0")
        self._high, self._low = high, low
        self.waits_more()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand everything to `protocol` from now on."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Whom everything is handed to."""
        return self._protocol

    def waits_more(self) -> None:
        """Pause the protocol if it is over the high limit."""
        if not self._writing_paused and self.get_write_buffer_size() > self._high:
            self._writing_paused = True
            self._protocol.pause_writing()

    def waits_less(self) -> None:
        """Let the protocol write again if it is down to the low limit."""
        if self._writing_paused and self.get_write_buffer_size() <= self._low:
            self._writing_paused = False
            self._protocol.resume_writing()
