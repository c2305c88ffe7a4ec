"""CPU for each query on the host's sockets, batching client."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.harness import contest, generator, rivals
from tests.bench.harness.figure import Figure
from tests.bench.harness.questions import ORIGIN, queries, zone_text
from tests.support.debian import Unavailable
from tests.support.signing import bind

GOALS = {"NSD": 0.85, "Knot": 0.85}
SIGNED_GOALS = {"NSD": 0.9}


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = folder / "plain" / ORIGIN.rstrip(".")
        plain.parent.mkdir()
        plain.write_text(zone_text())
        wires = queries(negative=0.1, do=False)
        with rivals.contenders(plain, folder, lambda port: generator.loader(port, wires)) as found:
            contest.compete(found, quick=quick)
        yield from contest.bars(found, "CPU per answered query, sockets")
        yield from contest.ratios(found[0], found[1:], GOALS, "CPU a query, sockets")
        try:
            (folder / "keys").mkdir()
            made = bind()(plain, ORIGIN, folder / "keys")
        except Unavailable:
            return
        secured = folder / "secured" / plain.name
        secured.parent.mkdir()
        made.rename(secured)
        wires = queries(negative=0.3, do=True)
        with rivals.contenders(secured, folder, lambda port: generator.loader(port, wires), signed=True) as found:
            contest.compete(found, quick=quick)
        yield from contest.bars(found, "CPU per answered query, sockets, signed zone")
        yield from contest.ratios(found[0], found[1:], SIGNED_GOALS, "CPU a query, signed zone")
