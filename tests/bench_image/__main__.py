"""`python -m tests.bench_image [--quick] [--write=FOLDER]`: measure images, and print the table of all figures."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dns_build import image
from dns_build.targets import TARGETS
from tests.bench.harness.figure import Figure
from tests.bench.harness.page import write
from tests.bench.harness.report import Outcome, summary, table
from tests.bench.harness.versions import versions
from tests.bench_image import figures, systems
from tests.support.debian import Unavailable

_PAGE = """# Images, measured

What was measured, beside the goals. `make bench-image` repeats it and rewrites this page and its picture, in some
minutes; nothing needs root. All machines are emulated (QEMU's TCG, one CPU), so times are ten to fifty times those of a
real host and only ratios mean something. QEMU has one core and the queries another; systems run in turns, and what is
told is the median of the rounds, each of which has three starts. Each serves the two example zones and is asked with
64 queries in flight. The goal of a start was set on a host where Debian's kernel with NSD takes 3.3 s; beside the
seconds of this host stand those that they would be there.

![The figures as bars](figures.svg)

{versions}
{table}
{summary}.
"""


def main(arguments: Sequence[str]) -> int:
    """Measure; 1 if something failed (a goal that is missed is no failure)."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_image", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round: whether it works, not how fast things are")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write table and picture there")
    options = parser.parse_args(arguments)
    rounds, queries = (1, 2000) if options.quick else (3, 5000)
    about = versions()
    about["rounds"] = str(rounds)
    about["load"] = f"{os.getloadavg()[1]:.1f} when it began, of other programs"
    print("\n".join(f"{what}: {text}" for what, text in about.items()), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def beside_linux() -> Iterator[Figure]:
            built = image.Build(TARGETS["virtio"], baked=systems.ZONES, output=folder / "baked").run()
            rivals = list(systems.rivals(folder))
            try:
                rivals += systems.tiny_rivals(folder)
            except Unavailable as reason:
                print(f"   left out: {reason}", flush=True)
            yield from figures.beside_linux(systems.ours(built.path), rivals, rounds, queries)

        outcomes = [
            _outcome("sizes", "Sizes", lambda: figures.sizes(folder)),
            _outcome("unix", "Native start", lambda: figures.unix_start(folder, rounds)),
            _outcome("linux", "Beside Linux and NSD in the same machine", beside_linux),
        ]
    print(f"\n{table(outcomes)}\n{summary(outcomes)}")
    if options.write is not None:
        write(options.write, _PAGE, outcomes, about, f"NSD {about['NSD']}", f"load {about['load']}")
    return int(any(outcome.is_fault for outcome in outcomes))


def _outcome(name: str, title: str, measure: Callable[[], Iterator[Figure]]) -> Outcome:
    outcome = Outcome(name, title)
    started = time.monotonic()
    try:
        for figure in measure():
            outcome.figures.append(figure)
            print(f"   {figure.panel or figure.name}: {figure.name} {figure.value_text} {figure.verdict}", flush=True)
    except (Unavailable, ChildProcessError) as problem:
        outcome.problem, outcome.is_fault = str(problem), isinstance(problem, ChildProcessError)
    outcome.seconds = time.monotonic() - started
    return outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
