"""Machines of QEMU's: start one, wait for its first answer, load it, find the least memory with which it answers."""

import select
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import dns.message

from tests.bench.harness.machine import cpu_seconds, pinned
from tests.bench_image.systems import System
from tests.support import qemu
from tests.support.servers import free_port

QUERY: Final = dns.message.make_query("www.garden.example", "A").to_wire()
IN_FLIGHT: Final = 64
LOAD: Final = 2000
"""Queries that a machine must answer to count as one that works."""
_PATIENCE_S: Final = 120.0
_SILENCE_S: Final = 5.0
_AGAIN_S: Final = 0.03  # each query takes CPU of a machine that starts
_DEVICES: Final = {"microvm": "virtio-net-device", "q35": "virtio-net-pci,romfile="}


@dataclass(frozen=True)
class Machine:
    """A machine that runs, and a socket whose peer is its port 53."""

    process: "subprocess.Popen[bytes]"
    asker: socket.socket
    started: float

    @property
    def cpu_s(self) -> float:
        """CPU time of QEMU so far."""
        return cpu_seconds(self.process.pid)

    def wait_for_answer(self) -> float | None:
        """Seconds from QEMU's start to the first answer; None when the machine ends or nothing comes."""
        end = self.started + _PATIENCE_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                self.asker.send(QUERY)
                if select.select([self.asker], [], [], _AGAIN_S)[0] and is_answer(self.asker.recv(4096)):
                    return time.monotonic() - self.started
            except ConnectionError:
                time.sleep(_AGAIN_S)  # QEMU has not opened the port yet
        return None

    def load(self, count: int) -> int:
        """Keep some queries in flight until `count` are answered; how many were, before some seconds of silence."""
        answered = 0
        try:
            while select.select([self.asker], [], [], 0.1)[0]:
                self.asker.recv(4096)  # late answers to the first ones
            for _ in range(IN_FLIGHT):
                self.asker.send(QUERY)
            while answered < count and select.select([self.asker], [], [], _SILENCE_S)[0]:
                answered += is_answer(self.asker.recv(4096))
                self.asker.send(QUERY)
        except ConnectionError:  # the machine has ended
            pass
        return answered


def is_answer(wire: bytes) -> bool:
    """Whether a reply has records and no error."""
    return wire[3] & 15 == 0 and wire[6:8] != b"\0\0"


@contextmanager
def machine(system: System, kind: str, memory_mb: int) -> Iterator[Machine]:
    """A machine with one CPU, QEMU on the servers' core and this process on the clients'."""
    port = free_port()
    command = [
        *qemu.program(),
        *("-M", kind, "-accel", "tcg", "-cpu", "max", "-m", str(memory_mb), "-smp", "1"),
        *("-nodefaults", "-no-reboot", "-display", "none", "-serial", "null"),
        *("-netdev", f"user,id=n,hostfwd=udp:127.0.0.1:{port}-:53", "-device", f"{_DEVICES[kind]},netdev=n"),
        *system.options,
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.connect(("127.0.0.1", port))
        asker.setblocking(False)
        started = time.monotonic()
        with subprocess.Popen(command, env=qemu.environment(), stderr=subprocess.DEVNULL) as process:
            try:
                with pinned([process.pid]):
                    yield Machine(process, asker, started)
            finally:
                process.kill()


def least_memory_mb(system: System) -> int:
    """The least of the system's sizes with which it answers under load. ChildProcessError when none is enough."""
    low, high = 0, len(system.memories_mb)
    while low < high:
        middle = (low + high) // 2
        if _works(system, system.memories_mb[middle]):
            high = middle
        else:
            low = middle + 1
    if low == len(system.memories_mb):
        raise ChildProcessError(f"{system.name} does not answer with {system.memories_mb[-1]} MB either")
    return system.memories_mb[low]


def _works(system: System, memory_mb: int) -> bool:
    with machine(system, "q35", memory_mb) as running:
        return running.wait_for_answer() is not None and running.load(LOAD) == LOAD
