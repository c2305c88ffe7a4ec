"""CPU time of a server for each query that it answers, beside NSD and Knot: in turns, with a core for each side."""

import contextlib
import os
import random
import socket
import statistics
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import dns.message

from dns_server.answer.batch import Batch
from dns_server.answer.engine import Engine
from dns_server.answer.protocol import Transport
from dns_server.listeners.messages import BATCH, MessageQueue
from tests.support.debian import Unavailable
from tests.support.served import catalogue_of, zone_from_text
from tests.support.server import serve
from tests.support.servers import running
from tests.support.signing import bind

ORIGIN = "bench.example."
HOSTS = 30_000
WILDCARDS = CUTS = 1_000
ROUNDS = 5
ROUND_S = 1.5
OUTSTANDING = 256
QUERIES = 64 * 100
SERVER_CORE, CLIENT_CORE = 0, 1
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
GOALS = {"unsigned": 0.85, "signed": 0.9}
COMPUTE_GOAL_NS = 350


@dataclass
class Contender:
    """A server and what was measured of it."""

    name: str
    port: int
    pid: int
    microseconds: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    lost: int = 0


def run() -> None:
    """Print the figures."""
    unsigned, signed = queries(negative=0.1, do=False), queries(negative=0.3, do=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = folder / "plain" / ORIGIN.rstrip(".")
        plain.parent.mkdir()
        plain.write_text(zone_text())
        _compute(plain, unsigned, "unsigned")
        _compare(plain, unsigned, "unsigned", folder)
        try:
            (folder / "keys").mkdir()
            made = bind()(plain, ORIGIN, folder / "keys")
        except Unavailable as unavailable:
            print(f"no signed zone: {unavailable}")
            return
        secured = folder / "secured" / plain.name
        secured.parent.mkdir()
        made.rename(secured)
        _compute(secured, signed, "signed")
        _compare(secured, signed, "signed", folder)


def zone_text() -> str:
    """Hosts, wildcards and delegations."""
    lines = ["$TTL 3600", "@ SOA ns1 hostmaster 1 7200 3600 1209600 300", "@ NS ns1", "ns1 A 192.0.2.1"]
    lines += [f"host-{number} A 10.0.{number >> 8 & 255}.{number & 255}" for number in range(HOSTS)]
    lines += [f"*.wild-{number} A 192.0.2.2" for number in range(WILDCARDS)]
    for number in range(CUTS):
        lines += [f"cut-{number} NS ns.cut-{number}", f"ns.cut-{number} A 192.0.2.3"]
    return "\n".join(lines) + "\n"


def queries(*, negative: float, do: bool) -> list[bytes]:
    """Queries with EDNS: `negative` of them for missing names, 3 % wildcards, 4 % referrals, the rest hosts."""
    rng = random.Random(1)
    wires = []
    for number in range(QUERIES):
        kind = rng.random()
        if kind < negative:
            name = f"missing-{rng.randrange(1 << 30)}"
        elif kind < negative + 0.03:
            name = f"any-{number}.wild-{rng.randrange(WILDCARDS)}"
        elif kind < negative + 0.07:
            name = f"www.cut-{rng.randrange(CUTS)}"
        else:
            name = f"host-{rng.randrange(HOSTS)}"
        query = dns.message.make_query(f"{name}.{ORIGIN}", "A", use_edns=0, want_dnssec=do, payload=1232)
        wires.append(query.to_wire())
    return wires


def _compute(file: Path, wires: list[bytes], label: str) -> None:
    """Time of the engine alone."""
    zone = zone_from_text(file.read_text(), ORIGIN)
    started = time.process_time()
    engine = Engine(catalogue=catalogue_of(zone))
    built = time.process_time() - started
    batches = []
    for begin in range(0, len(wires), BATCH):
        batch = Batch(BATCH, 4160)
        for index, wire in enumerate(wires[begin : begin + BATCH]):
            batch.put_query(index, wire)
        batches.append(batch)

    def answer() -> float:
        begin = time.process_time()
        for batch in batches:
            engine.respond_batch(batch, BATCH, lambda wire, _: engine.respond(wire, Transport.UDP, 0.0))
        return (time.process_time() - begin) / len(wires) * 1e9

    first = answer()
    later = min(answer() for _ in range(20))
    left = sum(engine.respond_core(batch, BATCH) for batch in batches) / len(wires)
    print(
        f"{label}: tables of {zone.record_count} records in {built:.2f} s; compute alone {first:,.0f} ns a query cold, "
        f"{later:,.0f} ns warm (goal {COMPUTE_GOAL_NS}), {left:.1%} not answered by the core",
        flush=True,
    )


def _compare(file: Path, wires: list[bytes], label: str, folder: Path) -> None:
    """Interleaved rounds against each server."""
    with ExitStack() as stack:
        contenders = [stack.enter_context(_ours(file.parent))]
        for name in ("NSD", "Knot"):
            own = folder / f"{label}-{name}"
            own.mkdir()
            with contextlib.suppress(Unavailable):
                server = stack.enter_context(running(name, own, {ORIGIN: file}))
                contenders.append(Contender(server.name, server.address[1], server.pid))
        os.sched_setaffinity(0, {CLIENT_CORE})
        for contender in contenders:
            for pid in processes(contender.pid):
                for thread in Path(f"/proc/{pid}/task").iterdir():
                    os.sched_setaffinity(int(thread.name), {SERVER_CORE})
            _load(contender.port, wires, ROUND_S)  # warm
        for _ in range(ROUNDS):
            for contender in contenders:
                before = cpu_seconds(contender.pid)
                answered, sent, seconds = _load(contender.port, wires, ROUND_S)
                contender.microseconds.append((cpu_seconds(contender.pid) - before) / answered * 1e6)
                contender.rates.append(answered / seconds)
                contender.lost += sent - answered
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    medians = {contender.name: statistics.median(contender.microseconds) for contender in contenders}
    for contender in contenders:
        ratios = [f"{medians['unizone'] / medians[name]:.2f} of {name}'s" for name in medians if name != "unizone"]
        goal = f"; {', '.join(ratios)} (goal {GOALS[label]})" if contender.name == "unizone" else ""
        print(
            f"{label}: {contender.name:8} {medians[contender.name]:6.2f} us of CPU a query, "
            f"{statistics.median(contender.rates):9,.0f} answers/s, {contender.lost} lost{goal}",
            flush=True,
        )


@contextlib.contextmanager
def _ours(folder: Path) -> Iterator[Contender]:
    with serve(f"--zones={folder}") as server:
        yield Contender("unizone", server.port, server.process.pid)


def processes(pid: int) -> list[int]:
    """The process, its children and theirs."""
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [pid, *(found for child in children for found in processes(child))]


def cpu_seconds(pid: int) -> float:
    """User and system time of the process and those below it."""
    total = 0
    for each in processes(pid):
        values = Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(values[11]) + int(values[12])
    return total * TICK_S


def _load(port: int, wires: list[bytes], seconds: float) -> tuple[int, int, float]:
    """Keep `OUTSTANDING` queries on their way; how many were answered and sent, and the seconds that it took."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        client.bind(("127.0.0.1", 0))
        client.settimeout(0.2)
        senders = [_sender(client, port, wires[begin : begin + BATCH]) for begin in range(0, len(wires), BATCH)]
        receiver = MessageQueue(client, 4160, is_wildcard=False)
        answered = sent = turn = 0
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            while sent - answered <= OUTSTANDING - BATCH:
                sent += senders[turn % len(senders)].send(BATCH)[0]
                turn += 1
            try:
                answered += receiver.receive()
            except BlockingIOError:
                try:
                    client.recv(4096)  # wait
                    answered += 1
                except TimeoutError:
                    answered = sent  # what is missing is lost
        took = time.perf_counter() - started
        with contextlib.suppress(TimeoutError):
            while answered < sent:
                client.recv(4096)
                answered += 1
    return answered, sent, took


def _sender(client: socket.socket, port: int, wires: list[bytes]) -> MessageQueue:
    """A queue whose replies are the queries to send."""
    queue = MessageQueue(client, 512, is_wildcard=False)
    address = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s24x", port, socket.inet_aton("127.0.0.1"))
    queue.batch.peers[:] = address * BATCH
    for index, wire in enumerate(wires):
        queue.batch.put_reply(index, wire)
    return queue
