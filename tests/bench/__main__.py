"""`python -m tests.bench [NAME ...] [--quick] [--write=FOLDER]`: measure, and print the table of all figures."""

import argparse
import ast
import pkgutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import tests.bench
from tests.bench.harness.figure import Figure
from tests.bench.harness.one import EXIT_NOT_HERE
from tests.bench.harness.page import write
from tests.bench.harness.report import Outcome, summary, table
from tests.bench.harness.versions import versions

_ROOT = Path(__file__).parent.parent.parent


def benchmarks() -> dict[str, str]:
    """What each benchmark measures, by its name: the modules of this folder."""
    found = {}
    for module in pkgutil.iter_modules(tests.bench.__path__):
        if not module.ispkg and not module.name.startswith("_"):
            source = Path(__file__).with_name(f"{module.name}.py").read_text()
            found[module.name] = (ast.get_docstring(ast.parse(source)) or module.name).splitlines()[0].rstrip(".")
    return dict(sorted(found.items()))


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; 1 if a benchmark failed (a goal that is missed is no failure)."""
    known = benchmarks()
    listing = "\n".join(f"  {name:26}{title}" for name, title in known.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=f"Benchmarks, all without names:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a benchmark")
    parser.add_argument("--quick", action="store_true", help="in seconds: whether they work, not how fast things are")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write table and picture there")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in known:
            parser.error(f"there is no benchmark {name!r}; there are: {', '.join(known)}")
    about = versions()
    print("\n".join(f"{what}: {text}" for what, text in about.items()), flush=True)
    outcomes = [_measure(name, known[name], quick=options.quick) for name in options.names or known]
    print(f"\n{table(outcomes)}\n{summary(outcomes)}")
    if options.write is not None:
        write(options.write, _PAGE, outcomes, about, *(f"{name} {about[name]}" for name in ("NSD", "Knot")))
    return int(any(outcome.is_fault for outcome in outcomes))


def _measure(name: str, title: str, *, quick: bool) -> Outcome:
    """Run one benchmark in a process of its own, and show its figures as they come."""
    outcome = Outcome(name, title)
    print(f"== {name}: {title}", flush=True)
    started = time.monotonic()
    command = [sys.executable, "-m", "tests.bench.harness.one", name, *(["--quick"] if quick else [])]
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=_ROOT) as process:
            assert process.stdout is not None
            for line in process.stdout:
                figure = Figure.from_json(line)
                outcome.figures.append(figure)
                parts = (figure.panel, figure.name, figure.value_text, figure.goal_text, figure.verdict, figure.note)
                print(f"   {'; '.join(part for part in parts if part)}", flush=True)
        errors.seek(0)
        said = errors.read().strip()
    outcome.seconds = time.monotonic() - started
    if process.returncode:
        outcome.problem = said.splitlines()[-1] if said else f"exit code {process.returncode}"
        outcome.is_fault = process.returncode != EXIT_NOT_HERE
        print(f"   {said if outcome.is_fault else outcome.problem}", flush=True)
    return outcome


_PAGE = """# Benchmarks

What was measured, beside the goals. `make bench` repeats it and rewrites this page and its picture (a few minutes; as
root for what needs network namespaces); `python -m tests.bench NAME` runs one benchmark. Servers that are compared run
in turns, on one core, with who loads them on the other, and as root before whatever else the machine does; what is told
is the median of the rounds. CPU time is user and system time of the server's process. Absolute times differ from
machine to machine, ratios much less.

![The figures as bars](figures.svg)

{versions}
{table}
{summary}.
"""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
