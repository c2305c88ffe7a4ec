"""CPU time of the server for each query on the own stack, over a veth pair, beside NSD on the kernel's sockets."""

import contextlib
import os
import select
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from dns_platform.protocols import BATCH
from dns_platform.unix.packet import PacketDevice
from stack.address import parse
from stack.wire import ethernet, ipv4, udp
from stack.wire.ethernet import EtherType, Frame
from tests.bench import cpu_per_query
from tests.bench.cpu_per_query import CLIENT_CORE, ORIGIN, OUTSTANDING, SERVER_CORE
from tests.support.debian import Unavailable, programs
from tests.support.namespaces import Namespace, veth_namespace
from tests.support.server import Server

ROUNDS = 5
ROUND_S = 2.0
GOALS = {"xdp": 0.60, "packet": 0.75}
_LONGER_THAN_NOISE = 100
SERVER, CLIENT = "192.0.2.53", "192.0.2.200"

_NSD = """\
server:
  ip-address: 192.0.2.53
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  server-count: 1
  rrl-ratelimit: 0
  minimal-responses: yes
remote-control:
  control-enable: no
zone:
  name: "{origin}"
  zonefile: "{file}"
"""


@dataclass
class Contender:
    """A server in a namespace, and our end of the link to it."""

    name: str
    pid: int
    device: PacketDevice
    batches: list[list[bytes]]
    microseconds: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    lost: int = 0

    def load(self, seconds: float) -> tuple[int, float]:
        """Keep `OUTSTANDING` queries on their way; how many were answered, and the seconds that it took."""
        answered = sent = turn = 0
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            while sent - answered <= OUTSTANDING - BATCH:
                sent += self.device.transmit(self.batches[turn % len(self.batches)])
                turn += 1
            answered += self._replies()
            if sent - answered > OUTSTANDING - BATCH and not self._wait():
                self.lost += sent - answered
                sent = answered
        while self._wait():
            answered += self._replies()
        return answered, time.perf_counter() - started

    def _wait(self) -> bool:
        """Is there something to receive within 0.2 s?"""
        descriptor = self.device.fileno()
        assert descriptor is not None
        return bool(select.select([descriptor], [], [], 0.2)[0])

    def _replies(self) -> int:
        """How many answers came: what else there is on the link, such as neighbour discovery, is shorter."""
        return sum(len(frame) > _LONGER_THAN_NOISE for frame in self.device.receive())


def run() -> None:
    """Print the figures."""
    wires = cpu_per_query.queries(negative=0.1, do=False)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        file = Path(name) / "zones" / ORIGIN.rstrip(".")
        file.parent.mkdir()
        file.write_text(cpu_per_query.zone_text())
        contenders = [stack.enter_context(_ours(link, file.parent, wires)) for link in GOALS]
        with contextlib.suppress(Unavailable):
            contenders.append(stack.enter_context(_nsd(file, Path(name), wires)))
        os.sched_setaffinity(0, {CLIENT_CORE})
        for contender in contenders:
            for pid in cpu_per_query.processes(contender.pid):
                os.sched_setaffinity(pid, {SERVER_CORE})
            contender.load(ROUND_S)  # warm
            contender.lost = 0
        for _ in range(ROUNDS):
            for contender in contenders:
                before = cpu_per_query.cpu_seconds(contender.pid)
                answered, seconds = contender.load(ROUND_S)
                used = cpu_per_query.cpu_seconds(contender.pid) - before
                contender.microseconds.append(used / max(answered, 1) * 1e6)
                contender.rates.append(answered / seconds)
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    medians = {contender.name: statistics.median(contender.microseconds) for contender in contenders}
    for contender in contenders:
        beside = ""
        if "NSD" in medians and contender.name in GOALS:
            beside = f"; {medians[contender.name] / medians['NSD']:.2f} of NSD's (goal {GOALS[contender.name]})"
        print(
            f"  {contender.name:7} {medians[contender.name]:6.2f} us of CPU a query, "
            f"{statistics.median(contender.rates):9,.0f} answers/s, {contender.lost} lost{beside}",
            flush=True,
        )


@contextlib.contextmanager
def _ours(link: str, folder: Path, wires: list[bytes]) -> Iterator[Contender]:
    with veth_namespace() as namespace:
        line = [f"--zones={folder}", "--net=direct", f"--link={link}", f"--interface={namespace.inside}"]
        line += [f"--ipv4={SERVER}/24", "--ipv6=none", "--log-format=json"]
        server = Server(["serve", *line], within=["ip", "netns", "exec", namespace.name])
        try:
            server.wait_for("ready")
            yield _contender(link, server.process.pid, namespace, wires)
        finally:
            server.stop()


@contextlib.contextmanager
def _nsd(file: Path, folder: Path, wires: list[bytes]) -> Iterator[Contender]:
    tree = programs("nsd")
    configuration = folder / "nsd.conf"
    configuration.write_text(_NSD.format(folder=folder, file=file, origin=ORIGIN))
    with veth_namespace(f"{SERVER}/24") as namespace:
        mac = Path(f"/sys/class/net/{namespace.outside}/address").read_text().strip()
        namespace.run("ip", "neighbour", "add", CLIENT, "lladdr", mac, "dev", namespace.inside)
        command = [str(tree.path("nsd")), "-d", "-c", str(configuration)]
        process = namespace.start(*command, env=tree.environment, stderr=subprocess.DEVNULL)
        try:
            contender = _contender("NSD", process.pid, namespace, wires)
            while not contender.load(0.2)[0]:
                assert process.poll() is None, "NSD ended"
            yield contender
        finally:
            process.terminate()
            process.wait()


def _contender(name: str, pid: int, namespace: Namespace, wires: list[bytes]) -> Contender:
    device = PacketDevice(namespace.outside)
    mac = bytes.fromhex(
        namespace.run("cat", f"/sys/class/net/{namespace.inside}/address").stdout.strip().replace(":", "")
    )
    frames = [_frame(wire, device.mac, mac, 1024 + number % 60000) for number, wire in enumerate(wires)]
    return Contender(name, pid, device, [frames[at : at + BATCH] for at in range(0, len(frames), BATCH)])


def _frame(wire: bytes, source: bytes, destination: bytes, port: int) -> bytes:
    ours, theirs = parse(CLIENT), parse(SERVER)
    packet = ipv4.Packet(ours, theirs, 17, udp.emit(udp.Datagram(port, 53, wire), ours, theirs))
    return ethernet.emit(Frame(destination, source, EtherType.IPV4, ipv4.emit(packet)))
