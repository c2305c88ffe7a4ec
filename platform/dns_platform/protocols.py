"""The platform contract as Python sees it; each target implements the same names (see platform/include/).

Times are float seconds. The monotonic clock starts anywhere and never goes back; the wall clock counts from 1970 UTC.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

Octets = bytes | memoryview
"""Octets that the callee only reads. A memoryview may be valid for a limited time: see where it comes from."""

BATCH = 64
"""Frames that a device receives at once when the caller doesn't say."""

GATHERING_S = 20e-6
"""Seconds to pause after a few queries that came together and were answered, so that the next ones gather to a batch: a
turn costs as much as ten answers do. Linux adds its timer slack, 50 microseconds."""


class Mark(NamedTuple):
    """What tells UDP datagrams of known senders from those of anybody: a word, so many octets before their end.

    Devices that can keep the others waiting: those overflow a queue of their own, and not the one that all frames share
    which are marked, or not UDP.
    """

    distance: int
    word: int
    """Of 4 octets."""


class MemoryUse(NamedTuple):
    """Memory of this program, in octets."""

    used: int
    """Resident memory of a process; in a virtual machine all that is not free, beside the image itself."""
    total: int | None
    """RAM of the virtual machine beside the image itself; None where a kernel shares it out."""


class DeviceError(Exception):
    """A device can't be opened or has gone away; the message says which, why, and what to do."""


class Clock(Protocol):
    """Both clocks of the host, asked of the host on each call."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; what deadlines are measured in."""
        ...

    def wall(self) -> float:
        """Seconds since 1970-01-01 UTC; what timestamps and signatures are measured in."""
        ...


class Entropy(Protocol):
    """Random octets fit for secrets."""

    def random(self, count: int) -> bytes:
        """`count` octets that nobody can predict. Blocks or aborts where there are none; never falls back."""
        ...


class Console(Protocol):
    """Where the log goes."""

    def write(self, data: Octets) -> None:
        """Write all of `data`."""
        ...


class BlockDevice(Protocol):
    """A disk: whole sectors at sector offsets."""

    @property
    def sector_size(self) -> int:
        """Octets in a sector."""
        ...

    @property
    def sectors(self) -> int:
        """Sectors on the device."""
        ...

    def read(self, sector: int, count: int) -> bytes:
        """`count` sectors from `sector` on. ValueError outside the device."""
        ...

    def write(self, sector: int, data: Octets) -> None:
        """Write `data`, whole sectors, from `sector` on. ValueError outside the device."""
        ...

    def flush(self) -> None:
        """Return when all that was written is on the medium."""
        ...


class NetworkDevice(Protocol):
    """An Ethernet interface: batches of whole frames, without preamble and frame check sequence."""

    @property
    def mac(self) -> bytes:
        """Six octets: the address that the stack uses."""
        ...

    @property
    def mtu(self) -> int:
        """Octets of payload that a frame may carry, without the 14 of the Ethernet header."""
        ...

    def receive(self, limit: int = BATCH) -> Sequence[Octets]:
        """Up to `limit` frames that have come in; empty when there are none. Never waits.

        The frames are valid until the next call of `receive` or `close`. DeviceError when the device is gone.
        """
        ...

    def transmit(self, frames: Sequence[Octets]) -> int:
        """Send `frames` in order; how many the device took. The rest may be offered again later. Never waits."""
        ...

    def fileno(self) -> int | None:
        """File descriptor that is readable when `receive` has frames, where there is one."""
        ...

    def close(self) -> None:
        """Give up the device and all that was attached to the host's interface. Can be called twice."""
        ...


class Poller(Protocol):
    """Waits for the devices of a target."""

    def poll(self, deadline: float | None) -> bool:
        """Wait until a device has frames, `wake` is called, or `deadline` (monotonic seconds) has come.

        None waits without end, a deadline in the past looks once. True when a device may have frames.
        """
        ...

    def gather(self) -> None:
        """Pause for `GATHERING_S`, whatever comes meanwhile, where that costs less than to be woken."""
        ...

    def wake(self) -> None:
        """End the wait under way, or the next one; for another thread or a signal handler."""
        ...
