"""On what the figures were measured: date, machine, kernel, and versions of the programs compared."""

import datetime as dt
import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

from dns_server.answer.indexing import has_core
from tests.support.debian import Unavailable, programs

_PROGRAMS = {"NSD": ("nsd", "nsd", "-v"), "Knot": ("knot", "knotd", "-V"), "dnsperf": ("dnsperf", "dnsperf", "-h")}
_VERSION = re.compile(r"\d+\.\d+[\w.]*")


def versions() -> dict[str, str]:
    """What to print above the table, by what it is."""
    found = {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} cores of {_processor()}",
        "kernel": f"Linux {platform.release()}",
        "Python": f"{platform.python_version()}, {'compiled' if has_core() else 'not compiled'}",
        "unizone": metadata.version("unizone") + _commit(),
    }
    for name, (package, program, option) in _PROGRAMS.items():
        found[name] = _version(package, program, option)
    return found


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    folder = Path(__file__).parent
    result = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=folder, check=False, capture_output=True, text=True
    )
    return "" if result.returncode else f" ({result.stdout.strip()})"


def _version(package: str, program: str, option: str) -> str:
    try:
        tree = programs(package)
        path = tree.path(program)
    except Unavailable:
        return "not here"
    result = subprocess.run([path, option], check=False, capture_output=True, text=True, env=tree.environment)
    found = _VERSION.search(result.stdout + result.stderr)
    return found[0] if found else "unknown"
