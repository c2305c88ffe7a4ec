"""Our stack on a device, driven by a thread: the other end of what Linux is asked to do."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from dns_platform.protocols import NetworkDevice
from dns_platform.unix.host import UnixEntropy
from dns_platform.unix.poller import UnixPoller
from stack.address import Endpoint, parse_interface
from stack.interface.interface import Interface
from stack.interface.settings import Settings, Static

Result = TypeVar("Result")


def static(*interfaces: str) -> tuple[Static, ...]:
    """Settings of `ADDRESS/LENGTH`."""
    return tuple(Static(*parse_interface(interface)) for interface in interfaces)


class Station:
    """`with Station(device, settings) as station:`; the device is closed at the end."""

    def __init__(self, device: NetworkDevice, settings: Settings) -> None:
        self._device = device
        self._poller = UnixPoller(device)
        self._lock = threading.Lock()
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.interface = Interface(device.mac, device.mtu, settings, UnixEntropy(), time.monotonic())

    def __enter__(self) -> "Station":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop = True
        self._poller.wake()
        self._thread.join(10)
        self._device.close()
        self._poller.close()

    def call(self, function: Callable[[Interface], Result]) -> Result:
        """`function` of the interface, between two turns of the loop."""
        with self._lock:
            result = function(self.interface)
        self._poller.wake()
        return result

    def echo(self, endpoint: Endpoint) -> None:
        """Answer each datagram to `endpoint` with itself."""

        def bind(interface: Interface) -> None:
            socket = interface.udp.bind(
                endpoint,
                lambda payload, source, destination: socket.send(
                    payload, source, time.monotonic(), destination.address
                ),
            )

        self.call(bind)

    def wait(self, condition: Callable[[Interface], object], timeout: float = 30) -> None:
        """Return when `condition` holds; AssertionError when it does not within `timeout` seconds."""
        until = time.monotonic() + timeout
        while not self.call(condition):
            assert time.monotonic() < until, "the condition never came to hold"
            time.sleep(0.02)

    def _run(self) -> None:
        while not self._stop:
            with self._lock:
                now = time.monotonic()
                self.interface.receive(self._device.receive(), now)
                self._device.transmit(self.interface.transmit(now))
                deadline = self.interface.poll_at()
            self._poller.poll(deadline)
