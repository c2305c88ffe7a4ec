"""Linux and ours over links that lose, double, reorder, damage and delay frames; a hash tells whether all arrived.

Linux's own netem spoils what Linux sends where the kernel has it; devices that wrap ours spoil both directions
everywhere.
"""

import asyncio
import hashlib
import random
from collections.abc import Sequence

import pytest

from dns_platform.protocols import NetworkDevice, Octets
from dns_platform.unix.host import UnixClock
from dns_platform.wrapping.fault import FaultDevice, Faults
from dns_platform.wrapping.wrapper import Wrapper
from tests.stack.loop.linux import linked, run
from tests.stack.loop.test_linux import pattern, receive_from_linux, send_to_linux
from tests.support.namespaces import Namespace
from tests.support.patience import takes_minutes

pytestmark = pytest.mark.netns

LENGTH = 400_000
LARGE = 100_000_000


class LossyWriter(Wrapper):
    """Spoils what is sent: a frame may be lost, sent twice, or have a bit flipped."""

    def __init__(self, device: NetworkDevice, faults: Faults, seed: int) -> None:
        super().__init__(device)
        self._faults = faults
        self._random = random.Random(seed)

    def transmit(self, frames: Sequence[Octets]) -> int:
        chance, faults = self._random.random, self._faults
        for frame in frames:
            spoiled = bytearray(frame)
            if chance() < faults.corruption:
                spoiled[self._random.randrange(14, len(spoiled))] ^= 1 << self._random.randrange(8)
            copies = (chance() >= faults.loss) * (1 + (chance() < faults.duplication))
            for _ in range(copies):
                self.device.transmit([bytes(spoiled)])
        return len(frames)


def spoiled(device: NetworkDevice, faults: Faults) -> NetworkDevice:
    return FaultDevice(LossyWriter(device, faults, 1), faults, 2, UnixClock())


FAULTS = {
    "loss": Faults(loss=0.1),
    "duplication": Faults(duplication=0.2),
    "reordering": Faults(reordering=0.2, reordering_delay_s=0.005),
    "corruption": Faults(corruption=0.05),
    "delay": Faults(delay_s=0.02),
    "all": Faults(0.1, 0.05, 0.1, 0.005, 0.02, 0.005, 0.002),
}


@pytest.mark.parametrize("name", FAULTS)
def test_octets_arrive_over_bad_links(name: str) -> None:
    expected = f"{LENGTH} {hashlib.sha256(pattern(LENGTH)).hexdigest()}"
    with linked(wrap=lambda device: spoiled(device, FAULTS[name])) as link:
        assert run(link[1], send_to_linux(link, 4, LENGTH)) == expected
        assert run(link[1], receive_from_linux(link, 4, LENGTH)) == expected


@takes_minutes
@pytest.mark.timeout(4000)
@pytest.mark.parametrize("name", ["loss", "all"])
def test_100_megabytes_arrive_over_bad_links(name: str) -> None:
    """Some minutes each way: at a loss of a tenth every window is cut, and half of the losses wait for the timer."""
    expected = f"{LARGE} {hashlib.sha256(pattern(LARGE)).hexdigest()}"
    with linked(wrap=lambda device: spoiled(device, FAULTS[name])) as link:
        assert run(link[1], send_to_linux(link, 4, LARGE), 2000) == expected
        assert run(link[1], receive_from_linux(link, 4, LARGE), 2000) == expected


def netem(namespace: Namespace, *arguments: str) -> None:
    """Spoil what Linux sends; skip where the kernel can't."""
    result = namespace.run("tc", "qdisc", "add", "dev", namespace.inside, "root", "netem", *arguments, check=False)
    if result.returncode:
        pytest.skip(f"this kernel has no netem: {result.stderr.strip()}")


@pytest.mark.parametrize(
    "arguments",
    ["loss 10%", "delay 20ms reorder 25% 50%", "duplicate 20%", "corrupt 5%", "delay 20ms 10ms"],
)
def test_octets_arrive_when_linux_spoils_what_it_sends(arguments: str) -> None:
    expected = f"{LENGTH} {hashlib.sha256(pattern(LENGTH)).hexdigest()}"
    with linked() as link:
        netem(link[0], *arguments.split())
        assert run(link[1], send_to_linux(link, 4, LENGTH)) == expected
        assert run(link[1], receive_from_linux(link, 4, LENGTH)) == expected


def test_a_connection_survives_silence() -> None:
    """Nothing gets through for a while; then all arrives."""

    class Cut(Wrapper):
        is_cut = False

        def receive(self, limit: int = 64) -> Sequence[Octets]:
            frames = self.device.receive(limit)
            return [] if self.is_cut else frames

    cuts: list[Cut] = []

    def wrap(device: NetworkDevice) -> NetworkDevice:
        cuts.append(Cut(device))
        return cuts[0]

    async def main() -> str:
        async def cut() -> None:
            await asyncio.sleep(0.02)
            cuts[0].is_cut = True
            await asyncio.sleep(1)
            cuts[0].is_cut = False

        cutting = asyncio.create_task(cut())
        told = await send_to_linux(link, 4, 20_000_000)
        await cutting
        return told

    with linked(wrap=wrap) as link:
        assert run(link[1], main()) == f"20000000 {hashlib.sha256(pattern(20_000_000)).hexdigest()}"
