"""`python -m tests.bench.harness.one NAME [--quick]`: one benchmark; its figures as lines of JSON as they come."""

import argparse
import importlib
import sys

from tests.bench.harness.figure import Benchmark, NotHere
from tests.support.debian import Unavailable

EXIT_NOT_HERE = 69
"""The benchmark can't measure here; the reason is the last line on stderr."""


def main(name: str, *, quick: bool) -> int:
    """Run it; the exit code."""
    benchmark: Benchmark = importlib.import_module(f"tests.bench.{name}").run
    try:
        for figure in benchmark(quick=quick):
            print(figure.to_json(), flush=True)
    except (NotHere, Unavailable) as reason:
        print(" ".join(str(reason).split()), file=sys.stderr)
        return EXIT_NOT_HERE
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.harness.one", description=__doc__)
    parser.add_argument("name", metavar="NAME", help="a benchmark, as `python -m tests.bench --help` lists them")
    parser.add_argument("--quick", action="store_true", help="whether it works, not how fast things are")
    options = parser.parse_args()
    sys.exit(main(options.name, quick=options.quick))
