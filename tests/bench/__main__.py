"""`python -m tests.bench [NAME ...]`: all benchmarks, or those named; each prints its figures beside its goals."""

import importlib
import pkgutil
import sys
from collections.abc import Callable, Mapping

import tests.bench


def benchmarks() -> Mapping[str, str]:
    """Module of each benchmark by its name: the modules of this folder that have a `run`."""
    names = sorted(module.name for module in pkgutil.iter_modules(tests.bench.__path__))
    return {name: f"tests.bench.{name}" for name in names if not name.startswith("_")}


def main(arguments: list[str]) -> int:
    """Run what is asked for; the exit code."""
    known = benchmarks()
    for name in arguments:
        if name not in known:
            print(f"there is no benchmark {name!r}; there are: {', '.join(known)}", file=sys.stderr)
            return 64
    for name in arguments or known:
        module = importlib.import_module(known[name])
        run: Callable[[], None] = module.run
        print(f"== {name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        run()
    return 0


sys.exit(main(sys.argv[1:]))
