"""What images have compiled before they start: it is found, and does what Python would have made of it."""

import json
import subprocess
import sys
from pathlib import Path

from dns_build.recipe import ROOT

MODULE = """
import re
from collections import namedtuple
from dataclasses import dataclass, field
from _unizone import ffi, lib

@dataclass(frozen=True, order=True, slots=True)
class Point:
    x: int
    y: list = field(default_factory=list)

Pair = namedtuple("Pair", "first second")
WORD = re.compile(r"(?P<word>\\w+)-\\1", re.IGNORECASE)
BYTES = re.compile(b"[a-f]{2,3}")
"""

# Run where `compile` may not be called: everything must be there.
USE = """
import unizone_prepared
def refuse(*arguments, **options):
    raise AssertionError(arguments)
unizone_prepared.compile = refuse
import re
for name in ("_parser", "_code"):
    setattr(re._compiler, name, refuse)
import example
print(example.Point(1) < example.Point(2), example.Point(1), example.Pair(1, second=2))
print(example.WORD.fullmatch("ab-AB")["word"], example.BYTES.search(b"xabcx").group())
try:
    example.Point(1).x = 2
except AttributeError:
    print("frozen")
"""


def test_what_modules_compile_is_kept_and_found(tmp_path: Path) -> None:
    module = tmp_path / "example.py"
    module.write_text(MODULE)
    modules = {"example": [str(module), False], "absent": ["/absent.py", False]}
    job = {"modules": modules, "left_out": ["_decimal"], "machine": ["_unizone"]}
    made = _run(["-m", "dns_build.prepare"], json.dumps(job))
    assert "absent is passed over" in made.stderr
    (tmp_path / "unizone_tables.py").write_text(made.stdout + "MODULES = PACKAGES = STARTED = WAITING = frozenset()\n")
    facade = (ROOT / "platform" / "facades" / "all" / "unizone_prepared.py").read_text()
    (tmp_path / "unizone_prepared.py").write_text(facade)
    (tmp_path / "_unizone.py").write_text("ffi = lib = object()\n")  # where it is used, there is the machine's own
    used = _run(["-c", USE], "", tmp_path)
    assert used.stdout.splitlines() == ["True Point(x=1, y=[]) Pair(first=1, second=2)", "ab b'abc'", "frozen"]


def _run(arguments: list[str], text: str, *paths: Path) -> "subprocess.CompletedProcess[str]":
    path = ":".join(map(str, [*paths, ROOT / "build"]))
    result = subprocess.run(
        [sys.executable, *arguments], input=text, capture_output=True, text=True, env={"PYTHONPATH": path}, check=False
    )
    assert not result.returncode, result.stderr
    return result
