"""CPU for each query on the own stack over veth, others on the kernel's."""

import contextlib
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from dns_platform.protocols import BATCH
from dns_platform.unix.packet import PacketDevice
from stack.address import parse
from stack.wire import ethernet, ipv4, udp
from stack.wire.ethernet import EtherType, Frame
from tests.bench.harness import contest, questions
from tests.bench.harness.contest import Contender, Turn
from tests.bench.harness.figure import Figure, NotHere
from tests.bench.harness.generator import OUTSTANDING
from tests.bench.harness.questions import ORIGIN
from tests.support.debian import Unavailable, programs
from tests.support.namespaces import Namespace, veth_namespace
from tests.support.server import Server

GOALS = {"xdp": {"NSD": 0.60}, "packet": {"NSD": 0.75}}
SERVER, CLIENT = "192.0.2.53", "192.0.2.200"
_LONGER_THAN_NOISE = 100
_PATIENCE_S = 0.2

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
class Link:
    """Our end of a link to a server, and the frames to send over it."""

    device: PacketDevice
    batches: list[list[bytes]]

    def load(self, seconds: float) -> Turn:
        """Keep `OUTSTANDING` queries on their way."""
        answered = sent = lost = turn = 0
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            while sent - answered - lost <= OUTSTANDING - BATCH:
                sent += self.device.transmit(self.batches[turn % len(self.batches)])
                turn += 1
            answered += self._replies()
            if sent - answered - lost > OUTSTANDING - BATCH and not self._wait():
                lost = sent - answered
        while self._wait():
            answered += self._replies()
        return Turn(answered, sent, time.perf_counter() - started)

    def _wait(self) -> bool:
        """Is there something to receive before patience ends?"""
        descriptor = self.device.fileno()
        assert descriptor is not None
        return bool(select.select([descriptor], [], [], _PATIENCE_S)[0])

    def _replies(self) -> int:
        """How many answers came: what else there is on the link, such as neighbour discovery, is shorter."""
        return sum(len(frame) > _LONGER_THAN_NOISE for frame in self.device.receive())


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures."""
    if os.geteuid():
        raise NotHere("network namespaces need root")
    wires = questions.queries(negative=0.1, do=False)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        file = Path(name) / "zones" / ORIGIN.rstrip(".")
        file.parent.mkdir()
        file.write_text(questions.zone_text())
        ours = {link: stack.enter_context(_ours(link, file.parent, wires)) for link in GOALS}
        rivals = []
        with contextlib.suppress(Unavailable):
            rivals.append(stack.enter_context(_nsd(file, Path(name), wires)))
        contest.compete([*ours.values(), *rivals], quick=quick)
    yield from contest.bars([*ours.values(), *rivals], "CPU per answered query, own stack over veth")
    for link, contender in ours.items():
        yield from contest.ratios(contender, rivals, GOALS[link], f"CPU a query, own stack, {link}")


@contextlib.contextmanager
def _ours(link: str, folder: Path, wires: list[bytes]) -> Iterator[Contender]:
    with veth_namespace() as namespace:
        line = [
            f"--zones={folder}",
            "--rate-limit=10000000",
            "--net=direct",
            f"--link={link}",
            f"--interface={namespace.inside}",
        ]
        line += [f"--ipv4={SERVER}/24", "--ipv6=none", "--log-format=json"]
        server = Server(["serve", *line], within=["ip", "netns", "exec", namespace.name])
        try:
            server.wait_for("ready")
            yield Contender(f"{contest.OURS}, {link}", server.process.pid, _link(namespace, wires).load)
        finally:
            server.stop()


@contextlib.contextmanager
def _nsd(file: Path, folder: Path, wires: list[bytes]) -> Iterator[Contender]:
    tree = programs("nsd")
    configuration = folder / "nsd.conf"
    configuration.write_text(_NSD.format(folder=folder, file=file, origin=ORIGIN))
    with veth_namespace(f"{SERVER}/24") as namespace:
        _know_us(namespace)
        command = [str(tree.path("nsd")), "-d", "-c", str(configuration)]
        process = namespace.start(*command, env=tree.environment, stderr=subprocess.DEVNULL)
        try:
            contender = Contender("NSD", process.pid, _link(namespace, wires).load)
            while not contender.load(_PATIENCE_S).answered:
                assert process.poll() is None, "NSD ended"
            yield contender
        finally:
            process.terminate()
            process.wait()


def _know_us(namespace: Namespace) -> None:
    """Tell Linux where the client is, which answers no question of ARP."""
    mac = Path(f"/sys/class/net/{namespace.outside}/address").read_text().strip()
    namespace.run("ip", "neighbour", "add", CLIENT, "lladdr", mac, "dev", namespace.inside)


def _link(namespace: Namespace, wires: list[bytes]) -> Link:
    device = PacketDevice(namespace.outside)
    mac = bytes.fromhex(
        namespace.run("cat", f"/sys/class/net/{namespace.inside}/address").stdout.strip().replace(":", "")
    )
    frames = [_frame(wire, device.mac, mac, 1024 + number % 60000) for number, wire in enumerate(wires)]
    return Link(device, [frames[at : at + BATCH] for at in range(0, len(frames), BATCH)])


def _frame(wire: bytes, source: bytes, destination: bytes, port: int) -> bytes:
    ours, theirs = parse(CLIENT), parse(SERVER)
    packet = ipv4.Packet(ours, theirs, 17, udp.emit(udp.Datagram(port, 53, wire), ours, theirs))
    return ethernet.emit(Frame(destination, source, EtherType.IPV4, ipv4.emit(packet)))
