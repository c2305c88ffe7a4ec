"""A device that writes its frames to a pcap file, for Wireshark and tcpdump.

Read first: draft-ietf-opsawg-pcap (the format), with timestamps in nanoseconds.
"""

import struct
from collections.abc import Sequence
from typing import BinaryIO

from dns_platform.protocols import BATCH, Clock, NetworkDevice, Octets
from dns_platform.wrapping.wrapper import Wrapper

_MAGIC_NANOSECONDS = 0xA1B23C4D
_SNAP_LENGTH = 262144
_ETHERNET = 1
_FILE_HEADER = struct.pack("=IHHiIII", _MAGIC_NANOSECONDS, 2, 4, 0, 0, _SNAP_LENGTH, _ETHERNET)
_RECORD = struct.Struct("=IIII")


class PcapDevice(Wrapper):
    """`device`, with each frame written to `file`, which is closed with the device."""

    def __init__(self, device: NetworkDevice, file: BinaryIO, clock: Clock) -> None:
        super().__init__(device)
        self._file = file
        self._clock = clock
        file.write(_FILE_HEADER)

    def receive(self, limit: int = BATCH) -> Sequence[Octets]:
        """See `NetworkDevice.receive`."""
        frames = self.device.receive(limit)
        self._record(frames)
        return frames

    def transmit(self, frames: Sequence[Octets]) -> int:
        """See `NetworkDevice.transmit`."""
        sent = self.device.transmit(frames)
        self._record(frames[:sent])
        return sent

    def close(self) -> None:
        """See `NetworkDevice.close`."""
        super().close()
        self._file.close()

    def _record(self, frames: Sequence[Octets]) -> None:
        if not frames:
            return
        seconds, fraction = divmod(self._clock.wall(), 1)
        for frame in frames:
            size = len(frame)
            self._file.write(_RECORD.pack(int(seconds), int(fraction * 1e9), size, size))
            self._file.write(frame)
        self._file.flush()
