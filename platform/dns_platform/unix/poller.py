"""Waiting for devices with poll(2)."""

import math
import os
import select
import time
from collections.abc import Callable

from dns_platform.protocols import GATHERING_S, NetworkDevice
from dns_platform.wrapping.wrapper import Wrapper


class UnixPoller:
    """Waits for `devices` and for file descriptors that are watched besides."""

    def __init__(self, *devices: NetworkDevice) -> None:
        self._poll = select.poll()
        self._watched: dict[int, Callable[[], None]] = {}
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll.register(self._wake_read, select.POLLIN)
        self._devices = set()
        self._wrappers = [device for device in devices if isinstance(device, Wrapper)]
        for device in devices:
            descriptor = device.fileno()
            if descriptor is not None:
                self._devices.add(descriptor)
                self._poll.register(descriptor, select.POLLIN)

    def watch(self, descriptor: int, readable: Callable[[], None]) -> None:
        """Call `readable` whenever `descriptor` can be read: a signal's pipe, a console."""
        self._watched[descriptor] = readable
        self._poll.register(descriptor, select.POLLIN)

    def unwatch(self, descriptor: int) -> None:
        """No longer look at `descriptor`."""
        if self._watched.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def poll(self, deadline: float | None) -> bool:
        """See `Poller.poll`."""
        held_back = [due for wrapper in self._wrappers if (due := wrapper.poll_at()) is not None]
        if held_back:
            deadline = min(held_back) if deadline is None else min(deadline, *held_back)
        timeout = None
        if deadline is not None:
            # Rounded up, so that a turn never comes a little early and finds nothing to do.
            timeout = math.ceil(max(0.0, deadline - time.monotonic()) * 1000)
        devices = bool(held_back)
        for descriptor, _ in self._poll.poll(timeout):
            if descriptor == self._wake_read:
                os.read(descriptor, 4096)
            elif descriptor in self._devices:
                devices = True
            else:
                self._watched[descriptor]()
        return devices

    def gather(self) -> None:
        """See `Poller.gather`."""
        time.sleep(GATHERING_S)

    def wake(self) -> None:
        """See `Poller.wake`."""
        try:
            os.write(self._wake_write, b"\0")
        except BlockingIOError:
            return  # the pipe is full: it will wake for sure

    def close(self) -> None:
        """Give up the pipe."""
        os.close(self._wake_read)
        os.close(self._wake_write)
