"""Classes of images do what those of another CPython do: `build/cpython/slots.patch` makes them in fewer steps."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dns_build import runtime
from tests.support.images import require_runtime

PROGRAM = Path(__file__).with_name("special_methods.py")
NAMES = (
    *("__repr__", "__str__", "__hash__", "__len__", "__bool__", "__iter__", "__next__", "__index__", "__init__"),
    *("__call__", "__getitem__", "__setitem__", "__delitem__", "__contains__", "__add__", "__radd__", "__iadd__"),
    *("__neg__", "__eq__", "__lt__", "__getattr__", "__setattr__", "__delattr__", "__await__", "__get__", "__set__"),
    *("__getattribute__", "__custom__", "__doc__", "plain"),
)
_names = st.lists(st.sampled_from(NAMES), max_size=4, unique=True)
_class = st.fixed_dictionaries(
    {
        "bases": st.lists(st.sampled_from(["object", "int", "list", "dict", "Exception"]), max_size=1),
        "methods": _names,
        "none": st.lists(st.sampled_from(["__hash__", "__iter__", "__contains__"]), max_size=1),
        "later": st.lists(st.sampled_from(NAMES), max_size=1),
        "keys": st.sampled_from(["plain", "plain", "joined", "text"]),
        "shorter": st.booleans(),
    }
)
_derived = st.tuples(_class, st.lists(st.integers(0, 3), min_size=1, max_size=3)).map(
    lambda told: {**told[0], "bases": told[1]}
)
_hierarchy = st.tuples(_class, st.lists(_derived, max_size=4)).map(lambda told: [told[0], *told[1]])

Pipes = tuple[IO[str], IO[str]]


@pytest.fixture(scope="module")
def interpreters() -> Iterator[list[Pipes]]:
    require_runtime()
    base = runtime.locate()
    environment = {"PYTHONHASHSEED": "0"}
    with (
        _running([str(base.interpreter), "-S", "-P"], {**environment, "PYTHONHOME": str(base.home)}) as images,
        _running([sys.executable, "-S", "-P"], environment) as other,
    ):
        pipes = []
        for process in (images, other):
            assert process.stdin
            assert process.stdout
            pipes.append((process.stdin, process.stdout))
        yield pipes


def _running(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*command, str(PROGRAM)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@given(hierarchy=_hierarchy)
@settings(max_examples=500, deadline=None)
def test_special_methods_are_those_of_another_interpreter(
    interpreters: list[Pipes], hierarchy: list[dict[str, object]]
) -> None:
    told: list[dict[str, str]] = []
    for to, back in interpreters:
        to.write(json.dumps(hierarchy) + "\n")
        to.flush()
        told.append(json.loads(back.readline()))
    if any(one["shorter"] for one in hierarchy):
        for answer in told:
            answer.pop("set attribute", None)  # classes without `object` can't, from Python 3.12 on
            answer.pop("delete attribute", None)
    assert told[0] == told[1]
