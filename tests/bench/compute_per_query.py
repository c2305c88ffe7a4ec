"""Compute alone for a query, in batches, without sockets."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from dns_server.answer.batch import Batch
from dns_server.answer.engine import Engine
from dns_server.answer.protocol import Transport
from dns_server.listeners.messages import BATCH
from tests.bench.harness.figure import Figure
from tests.bench.harness.machine import pinned
from tests.bench.harness.questions import ORIGIN, queries, zone_text
from tests.support.debian import Unavailable
from tests.support.served import catalogue_of, zone_from_text
from tests.support.signing import bind

GOAL_NS = 350
REPEATS = 20


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures."""
    repeats = 2 if quick else REPEATS
    text = zone_text()
    yield from _measure(text, queries(negative=0.1, do=False), "unsigned zone, 10 % negative", repeats, GOAL_NS)
    with tempfile.TemporaryDirectory() as name:
        plain = Path(name) / "plain"
        plain.write_text(text)
        (Path(name) / "keys").mkdir()
        try:
            signed = bind()(plain, ORIGIN, Path(name) / "keys").read_text()
        except Unavailable:
            return
    yield from _measure(signed, queries(negative=0.3, do=True), "signed zone, DO set, 30 % negative", repeats, None)


def _measure(text: str, wires: list[bytes], label: str, repeats: int, goal: float | None) -> Iterator[Figure]:
    zone = zone_from_text(text, ORIGIN)
    engine = Engine(catalogue=catalogue_of(zone))
    batch = Batch(BATCH, 4160)
    turns = [wires[begin : begin + BATCH] for begin in range(0, len(wires), BATCH)]

    def fill(turn: list[bytes]) -> None:
        """As the kernel does it: into one buffer, which the cache has therefore."""
        for index, wire in enumerate(turn):
            batch.put_query(index, wire)

    def answer() -> float:
        spent = 0.0
        for turn in turns:
            fill(turn)
            begin = time.process_time()
            engine.respond_batch(batch, BATCH, lambda wire, _: engine.respond(wire, Transport.UDP, 0.0), 0.0)
            spent += time.process_time() - begin
        return spent / len(wires) * 1e9

    def missed(turn: list[bytes]) -> int:
        fill(turn)
        return engine.respond_core(batch, BATCH, 0.0)

    with pinned([]):
        first = answer()
        warm = min(answer() for _ in range(repeats))
    left = sum(map(missed, turns)) / len(wires)
    note = f"{first:,.0f} ns when first asked, {left:.1%} not answered by the core".replace("%", " %")
    yield Figure(f"a query, {label}", warm, "ns", goal, note=note)
