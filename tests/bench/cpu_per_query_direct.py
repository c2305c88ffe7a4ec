"""CPU for each query on the own stack over veth, others on the kernel's."""

import contextlib
import os
import select
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from dns_platform.protocols import BATCH
from dns_platform.unix.packet import PacketDevice
from stack.address import parse
from stack.wire import arp, ethernet, ipv4, udp
from stack.wire.ethernet import EtherType, Frame
from tests.bench.harness import contest, questions
from tests.bench.harness.contest import Contender, Turn
from tests.bench.harness.figure import Figure, NotHere
from tests.bench.harness.generator import OUTSTANDING
from tests.bench.harness.questions import ORIGIN
from tests.support.debian import Tree, Unavailable, programs
from tests.support.namespaces import Namespace, ip, veth_namespace
from tests.support.server import Server

GOALS = {"xdp": {"NSD": 0.60, "Knot AF_XDP": 0.95}, "packet": {"NSD": 0.75}, "tap": {"NSD": 0.95}}
SERVER, CLIENT = "192.0.2.53", "192.0.2.200"
_LONGER_THAN_NOISE = 100
_PATIENCE_S = 0.2
_RCODE_AT = 14 + 20 + 8 + 3
_SERVFAIL = 2

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

_KNOT = """\
server:
  rundir: "{folder}"
  user: root:root
  listen: 192.0.2.53@53
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
xdp:
  listen: {interface}@53
  route-check: off
log:
  - target: stderr
    any: warning
database:
  storage: "{folder}/knot-data"
template:
  - id: default
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
zone:
  - domain: "{origin}"
    file: "{file}"
"""
_START_S = 20.0


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
        """How many answers came: noise is shorter, and errors (Knot's, while it loads) have no answers in them."""
        return sum(
            len(frame) > _LONGER_THAN_NOISE and frame[_RCODE_AT] & 0xF != _SERVFAIL for frame in self.device.receive()
        )


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures."""
    if os.geteuid():
        raise NotHere("network namespaces need root")
    wires = questions.queries(negative=0.1, do=False)
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        file = folder / "zones" / ORIGIN.rstrip(".")
        file.parent.mkdir()
        file.write_text(questions.zone_text())
        ours = {link: stack.enter_context(_ours(link, file.parent, wires)) for link in ("xdp", "packet")}
        ours["tap"] = stack.enter_context(_ours_on_tap(file.parent, wires))
        rivals, missing = [], ""
        for name, rival in (("NSD", _nsd), ("Knot AF_XDP", _knot)):
            try:
                rivals.append(stack.enter_context(rival(file, folder, wires)))
            except (Unavailable, NotHere) as reason:
                missing = f"{missing} {name}: {reason}"
        contest.compete([*ours.values(), *rivals], quick=quick)
    yield from contest.bars([*ours.values(), *rivals], "CPU per answered query, own stack over veth")
    for link, contender in ours.items():
        yield from contest.ratios(contender, rivals, GOALS[link], f"CPU a query, own stack, {link}")
    if missing:
        raise NotHere(missing.strip())


def _line(folder: Path, link: str, interface: str) -> list[str]:
    """Parameters of our server."""
    network = ["--net=direct", f"--link={link}", f"--interface={interface}", f"--ipv4={SERVER}/24", "--ipv6=none"]
    return [f"--zones={folder}", *network, *contest.LIMITS, f"--http={SERVER}:8053", "--log-format=json"]


@contextlib.contextmanager
def _ours(link: str, folder: Path, wires: list[bytes]) -> Iterator[Contender]:
    with veth_namespace() as namespace:
        line = _line(folder, link, namespace.inside)
        server = Server(["serve", *line], within=["ip", "netns", "exec", namespace.name])
        try:
            server.wait_for("ready")
            yield Contender(f"{contest.OURS}, {link}", server.process.pid, _link(namespace, wires).load)
        finally:
            server.stop()


@contextlib.contextmanager
def _ours_on_tap(folder: Path, wires: list[bytes]) -> Iterator[Contender]:
    """The server has the tap, and frames come to it from the kernel's end."""
    tap = f"uzb{os.getpid() % 100000}"
    server = Server(["serve", *_line(folder, "tap", tap)])
    try:
        server.wait_for("ready")
        Path(f"/proc/sys/net/ipv6/conf/{tap}/disable_ipv6").write_text("1")
        ip("link", "set", tap, "up")
        device = PacketDevice(tap)
        yield Contender(f"{contest.OURS}, tap", server.process.pid, _frames(device, _mac_of_server(device), wires).load)
    finally:
        server.stop()


def _mac_of_server(device: PacketDevice) -> bytes:
    """What ARP says."""
    request = arp.Packet(arp.Operation.REQUEST, device.mac, parse(CLIENT), bytes(6), parse(SERVER))
    frame = ethernet.emit(Frame(b"\xff" * 6, device.mac, EtherType.ARP, arp.emit(request)))
    descriptor = device.fileno()
    assert descriptor is not None
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        device.transmit([frame])
        while select.select([descriptor], [], [], _PATIENCE_S)[0]:
            for answer in map(bytes, device.receive()):
                if answer[12:14] == EtherType.ARP.to_bytes(2, "big") and answer[20:22] == b"\0\2":
                    return answer[22:28]
    raise NotHere("nobody answers ARP on the tap")


@contextlib.contextmanager
def _nsd(file: Path, folder: Path, wires: list[bytes]) -> Iterator[Contender]:
    tree = programs("nsd")
    configuration = folder / "nsd.conf"
    configuration.write_text(_NSD.format(folder=folder, file=file, origin=ORIGIN))
    with veth_namespace(f"{SERVER}/24") as namespace:
        command = [str(tree.path("nsd")), "-d", "-c", str(configuration)]
        with _rival("NSD", namespace, command, tree, wires) as contender:
            yield contender


@contextlib.contextmanager
def _knot(file: Path, folder: Path, wires: list[bytes]) -> Iterator[Contender]:
    tree = programs("knot")
    (folder / "knot-data").mkdir()
    with veth_namespace(f"{SERVER}/24") as namespace:
        configuration = folder / "knot.conf"
        configuration.write_text(_KNOT.format(folder=folder, file=file, origin=ORIGIN, interface=namespace.inside))
        command = [str(tree.path("knotd")), "-c", str(configuration)]
        with _rival("Knot AF_XDP", namespace, command, tree, wires) as contender:
            yield contender


@contextlib.contextmanager
def _rival(name: str, namespace: Namespace, command: list[str], tree: Tree, wires: list[bytes]) -> Iterator[Contender]:
    """A server that answers in `namespace`. NotHere with what it says when it does not."""
    _know_us(namespace)
    with tempfile.TemporaryFile("w+") as log:
        process = namespace.start(*command, env=tree.environment, stdout=log, stderr=log)
        try:
            contender = Contender(name, process.pid, _link(namespace, wires).load)
            until = time.monotonic() + _START_S
            while not contender.load(_PATIENCE_S).answered:
                if process.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    raise NotHere(f"{name} does not answer: {' '.join(log.read().split())[-300:]}")
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
    return _frames(device, mac, wires)


def _frames(device: PacketDevice, mac: bytes, wires: list[bytes]) -> Link:
    """Queries from many ports, to the server with that MAC."""
    frames = [_frame(wire, device.mac, mac, 1024 + number % 60000) for number, wire in enumerate(wires)]
    return Link(device, [frames[at : at + BATCH] for at in range(0, len(frames), BATCH)])


def _frame(wire: bytes, source: bytes, destination: bytes, port: int) -> bytes:
    ours, theirs = parse(CLIENT), parse(SERVER)
    packet = ipv4.Packet(ours, theirs, 17, udp.emit(udp.Datagram(port, 53, wire), ours, theirs))
    return ethernet.emit(Frame(destination, source, EtherType.IPV4, ipv4.emit(packet)))
