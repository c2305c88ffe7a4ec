"""CPU for each query on the host's sockets, asked by dnsperf."""

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.harness import contest, rivals
from tests.bench.harness.contest import Turn
from tests.bench.harness.figure import Figure
from tests.bench.harness.questions import ORIGIN, names, zone_text
from tests.support.debian import programs

GOALS = {"NSD": 1.0}
_COUNT = re.compile(r"Queries (sent|completed): +(\d+)")


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures."""
    tree = programs("dnsperf")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = folder / "plain" / ORIGIN.rstrip(".")
        plain.parent.mkdir()
        plain.write_text(zone_text())
        asked = folder / "queries"
        asked.write_text("".join(f"{each} A\n" for each in names(negative=0.1)))

        def loader(port: int) -> Callable[[float], Turn]:
            command = [
                str(tree.path("dnsperf")),
                "-s",
                "127.0.0.1",
                "-p",
                str(port),
                "-d",
                str(asked),
                "-e",
                "-q",
                "256",
            ]

            def load(seconds: float) -> Turn:
                # dnsperf takes whole seconds only.
                whole = max(1, round(seconds))
                result = subprocess.run(
                    [*command, "-l", str(whole)], check=True, capture_output=True, text=True, env=tree.environment
                )
                counts = {what: int(count) for what, count in _COUNT.findall(result.stdout)}
                return Turn(counts["completed"], counts["sent"], whole)

            return load

        with rivals.contenders(plain, folder, loader) as found:
            contest.compete(found, quick=quick)
        yield from contest.bars(found, "CPU per answered query, sockets, dnsperf")
        yield from contest.ratios(found[0], found[1:], GOALS, "CPU a query, dnsperf")
