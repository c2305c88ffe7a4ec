"""TCP of the own stack, with Linux."""

import asyncio
import contextlib
import os
import random
import threading
import time
import tracemalloc
from collections.abc import Iterator, Sequence

from dns_platform.protocols import BATCH, NetworkDevice, Octets
from dns_platform.unix.host import UnixClock, UnixEntropy
from dns_platform.unix.packet import PacketDevice
from dns_platform.unix.poller import UnixPoller
from dns_platform.unix.tap import TapDevice
from dns_platform.wrapping.fault import FaultDevice, Faults
from dns_platform.wrapping.wrapper import Wrapper
from stack.loop.loop import StackLoop
from stack.loop.turn import Platform
from stack.tcp.commons import Limits
from tests.bench.harness.figure import Figure, NotHere, Relation
from tests.stack.loop.alone import ADDRESS, make_loop
from tests.stack.loop.linux import OURS, SETTINGS, SINK, SOURCE, THEIRS, linked, program
from tests.support.namespaces import Namespace, plug, tap_namespace, veth_namespace

OCTETS = 60_000_000
LOSSY_OCTETS = 4_000_000
IDLE = 1000
IDLE_GOAL = 8000
BULK_GOAL = 500
LOSSY_GOAL = 0.8
LOSS = Faults(delay_s=0.05)
LOSS_CHANCE = 0.01
_LIMITS = Limits(send_buffer=1 << 20, receive_buffer=1 << 20, connections=2 * IDLE)
# The sink hashes nothing here: the other core is not what is measured.
_SINK = SINK.replace("digest.update(data)", "pass")
# Like with like: the host's default may be another congestion control than the one that we have.
_CUBIC = "connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b'cubic')"
_SOURCE = SOURCE.replace("for block in pattern(int", f"{_CUBIC}\nfor block in pattern(int")


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures."""
    if os.geteuid():
        raise NotHere("network namespaces need root")
    octets, lossy = (OCTETS // 20, LOSSY_OCTETS // 20) if quick else (OCTETS, LOSSY_OCTETS)
    yield Figure(f"memory of one of {IDLE:,} idle connections", _idle(), "octets", IDLE_GOAL)
    with veth_namespace(f"{THEIRS[4]}/24", f"{THEIRS[6]}/64") as namespace:
        for name, is_sending in (("to", True), ("from", False)):
            with _loop(PacketDevice(namespace.outside)) as loop:
                wall, cpu = loop.run_until_complete((_send if is_sending else _receive)(namespace, octets))
            rate, per_core = octets * 8e-6 / wall, octets * 8e-6 / cpu
            wall_note = f"{rate:,.0f} Mbit/s of time"
            yield Figure(f"bulk {name} Linux, a core", per_core, "Mbit/s", BULK_GOAL, Relation.AT_LEAST, wall_note)
    linux = _linux_to_linux(lossy)
    with linked(wrap=lambda device: FaultDevice(_Lossy(device), LOSS, 2, UnixClock()), limits=_LIMITS) as (there, loop):
        wall, _ = loop.run_until_complete(_send(there, lossy))
    ours = lossy * 8e-6 / wall
    note = f"of Linux to Linux with CUBIC: {ours:.2f} and {linux:.2f} Mbit/s"
    yield Figure("bulk at 1 % loss and 50 ms", ours / linux, "", LOSSY_GOAL, Relation.AT_LEAST, note)


@contextlib.contextmanager
def _loop(device: NetworkDevice) -> Iterator[StackLoop]:
    poller = UnixPoller(device)
    loop = StackLoop(Platform(UnixClock(), UnixEntropy(), poller, device), SETTINGS, _LIMITS)
    try:
        yield loop
    finally:
        loop.close()
        poller.close()
        device.close()


async def _send(namespace: Namespace, octets: int) -> tuple[float, float]:
    """Wall and CPU seconds to send `octets` to a program on Linux's sockets."""
    async with program(namespace, _SINK, THEIRS[4]) as sink:
        _, writer = await asyncio.open_connection(THEIRS[4], int(await sink.line()))
        wall, cpu = time.perf_counter(), time.process_time()
        block = bytes(1 << 16)
        for at in range(0, octets, len(block)):
            writer.write(block[: octets - at])
            await writer.drain()
        writer.close()
        assert int((await sink.line()).split()[0]) == octets
        return time.perf_counter() - wall, time.process_time() - cpu


async def _receive(namespace: Namespace, octets: int) -> tuple[float, float]:
    """Wall and CPU seconds to receive `octets` from a program on Linux's sockets."""
    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        total = 0
        while data := await reader.read(1 << 16):
            total += len(data)
        done.set_result(total)
        writer.close()

    server = await asyncio.start_server(take, OURS[4], 0)
    wall, cpu = time.perf_counter(), time.process_time()
    async with program(namespace, SOURCE, OURS[4], server.sockets[0].getsockname()[1], octets):
        assert await done == octets
        return time.perf_counter() - wall, time.process_time() - cpu


class _Lossy(Wrapper):
    """Loses of what is sent; the way back is the fault device's, which delays it."""

    def __init__(self, device: NetworkDevice) -> None:
        super().__init__(device)
        self._random = random.Random(1)

    def transmit(self, frames: Sequence[Octets]) -> int:
        """See `NetworkDevice.transmit`."""
        self.device.transmit([frame for frame in frames if self._random.random() >= LOSS_CHANCE])
        return len(frames)


def _linux_to_linux(octets: int) -> float:
    """Mbit/s between Linux in two namespaces, through the same faults, with the congestion control that is ours."""
    with tap_namespace() as left, tap_namespace() as right:
        sending, receiving = TapDevice(left.outside), TapDevice(right.outside)
        plug(left, f"{OURS[4]}/24")
        plug(right, f"{THEIRS[4]}/24")
        stop = threading.Event()
        bridge = threading.Thread(target=_bridge, args=(sending, receiving, stop))
        bridge.start()
        try:
            return asyncio.run(_between(left, right, octets))
        finally:
            stop.set()
            bridge.join()
            sending.close()
            receiving.close()


async def _between(left: Namespace, right: Namespace, octets: int) -> float:
    async with program(right, _SINK, THEIRS[4]) as sink:
        port = int(await sink.line())
        wall = time.perf_counter()
        async with program(left, _SOURCE, THEIRS[4], port, octets):
            assert int((await sink.line()).split()[0]) == octets
            return octets * 8e-6 / (time.perf_counter() - wall)


def _bridge(sending: NetworkDevice, receiving: NetworkDevice, stop: threading.Event) -> None:
    lossy = _Lossy(receiving)
    delayed = FaultDevice(receiving, LOSS, 2, UnixClock())
    poller = UnixPoller(sending, delayed)
    while not stop.is_set():
        poller.poll(time.monotonic() + 0.1)
        lossy.transmit(sending.receive(BATCH))
        sending.transmit(delayed.receive(BATCH))
    poller.close()


def _idle() -> float:
    """Octets of memory for one established connection with its transport; both ends are here."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, ADDRESS, 0)
        port = server.sockets[0].getsockname()[1]
        warm = await loop.create_connection(asyncio.Protocol, ADDRESS, port)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        opened = [await loop.create_connection(asyncio.Protocol, ADDRESS, port) for _ in range(IDLE // 2)]
        used = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        for transport, _ in (warm, *opened):
            transport.abort()
        server.close()
        return used / IDLE

    with asyncio.Runner(loop_factory=lambda: make_loop(_LIMITS)) as runner:
        return runner.run(main())
