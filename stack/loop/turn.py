"""One turn of the loop: frames out, wait, frames in. It stands where asyncio's loops have their selector."""

from dataclasses import dataclass, field
from typing import Final

from dns_platform.protocols import BATCH, Clock, Entropy, NetworkDevice, Octets, Poller
from stack.interface.interface import Interface
from stack.tcp.connection import Connection
from stack.tcp.engine import Engine
from stack.wire import ethernet

_BATCHES: Final = 4
"""Batches of frames taken in a turn, before timers and callbacks have theirs."""

_RETRY: Final = 0.0005
"""Seconds until a device that had no room is asked again: devices tell when they can be read, not written."""


@dataclass(frozen=True, slots=True)
class Platform:
    """What the loop needs of the target it runs on."""

    clock: Clock
    entropy: Entropy
    poller: Poller
    device: NetworkDevice


@dataclass(slots=True)
class Turn:
    """Moves frames between device and interface, and finds out which connections have news."""

    platform: Platform
    interface: Interface
    tcp: Engine
    _unsent: list[Octets] = field(default_factory=list)

    def select(self, timeout: float | None) -> list[Connection]:
        """Send what there is, wait at most `timeout` seconds, receive. Connections with news: see `Engine.changed`."""
        clock = self.platform.clock
        now = clock.monotonic()
        wanted = self.flush(now)
        deadline = None if timeout is None else now + timeout
        if self.tcp.has_news:
            deadline = now  # of a timer, or of room to send: who uses the connection must not wait for frames
        elif wanted is not None and (deadline is None or wanted < deadline):
            deadline = wanted
        if self.platform.poller.poll(deadline):
            self._receive()
        self.flush(clock.monotonic())
        return list(self.tcp.changed())

    def flush(self, now: float) -> float | None:
        """Run the timers that are due and send; when there is something to do again, None when only input matters.

        What the device has no room for is kept, and nothing more is made until it is gone: at most what one turn made
        waits here, and as much again, replies to what comes in meanwhile, in the interface's queue, which drops more.
        """
        wanted = self.interface.turn(now)
        is_new = not self._unsent
        if is_new and wanted is not None and wanted <= now:
            self._unsent = self.interface.transmit(now)
            wanted = self.interface.poll_at()
        if self._unsent:
            sent = self.platform.device.transmit(self._unsent)
            del self._unsent[:sent]
            if self._unsent:
                wanted = now + _RETRY
                if is_new:
                    self.interface.counters.add(ethernet.LAYER, "frame waited for the device", len(self._unsent))
        return wanted

    def _receive(self) -> None:
        device, clock = self.platform.device, self.platform.clock
        for _ in range(_BATCHES):
            frames = device.receive(BATCH)
            count = len(frames)
            if not count:
                return
            self.interface.receive(frames, clock.monotonic())
            replied = self._reply()
            if count == BATCH:
                continue
            # Queries that come together are soon followed by others. What else came has its turn at once, and after
            # one query alone it is unlikely.
            if replied < count or count < 2:
                return
            self.platform.poller.gather()

    def _reply(self) -> int:
        """Send the replies to a batch before its memory is used for the next one; how many there are."""
        replies = self.interface.take_replies()
        count = len(replies)
        if count:
            sent = 0 if self._unsent else self.platform.device.transmit(replies)
            if sent < count:
                self.interface.put_back(replies[sent:])
        return count

    def close(self) -> None:
        """Nothing to give up: device and poller are their owner's."""
