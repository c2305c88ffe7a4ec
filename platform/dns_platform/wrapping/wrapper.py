"""A device that is another one; the others here change what they need of it."""

from collections.abc import Sequence

from dns_platform.protocols import BATCH, NetworkDevice, Octets


class Wrapper:
    """`device`, unchanged."""

    def __init__(self, device: NetworkDevice) -> None:
        self.device = device

    @property
    def mac(self) -> bytes:
        """See `NetworkDevice.mac`."""
        return self.device.mac

    @property
    def mtu(self) -> int:
        """See `NetworkDevice.mtu`."""
        return self.device.mtu

    def receive(self, limit: int = BATCH) -> Sequence[Octets]:
        """See `NetworkDevice.receive`."""
        return self.device.receive(limit)

    def transmit(self, frames: Sequence[Octets]) -> int:
        """See `NetworkDevice.transmit`."""
        return self.device.transmit(frames)

    def poll_at(self) -> float | None:
        """When frames that a wrapper holds back are due: monotonic seconds, None where none wait."""
        return self.device.poll_at() if isinstance(self.device, Wrapper) else None

    def fileno(self) -> int | None:
        """See `NetworkDevice.fileno`."""
        return self.device.fileno()

    def close(self) -> None:
        """See `NetworkDevice.close`."""
        self.device.close()
