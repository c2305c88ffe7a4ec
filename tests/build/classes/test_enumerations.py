"""Enumerations that are written out are what `enum` makes; which are, and which are left to it."""

import ast
import copy
import json
import keyword
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dns_build import runtime
from dns_build.classes import enumerations, written
from dns_build.recipe import ROOT
from tests.build.classes.helpers import FACADE, both, expanded
from tests.support import images

if TYPE_CHECKING:
    import enum

# Before 3.12, asking for a value by `in` was an error to come.
pytestmark = pytest.mark.filterwarnings("ignore:in 3.12 __contains__:DeprecationWarning")

HEAD = "import enum\nfrom enum import IntEnum as Number\n"
SOURCE = (
    HEAD
    + '''
class Colour(enum.Enum):
    """Text."""

    RED = "red"
    """Text."""
    BLUE = "blue"
    SKY = "blue"
    NUMBER = 3
    OCTETS = b"x"

    @property
    def loud(self) -> str:
        return str(self.value).upper()

    def is_after(self, other: "Colour") -> bool:
        return list(Colour).index(self) > list(Colour).index(other)

    @classmethod
    def first(cls) -> "Colour":
        return next(iter(cls))

class Code(Number):
    LAST = 7
    FIRST = -1
    AGAIN = 7

class Word(enum.StrEnum):
    YES = "yes"
    NO = "no"
    NEVER = "no"
'''
)
LOOKS: list[Callable[[Any, Any], object]] = [
    lambda cls, _: repr(cls),
    lambda cls, _: type(cls),
    lambda cls, _: [base.__name__ for base in cls.__mro__],
    lambda cls, _: (cls.__name__, cls.__qualname__, cls.__module__, cls.__doc__),
    lambda cls, _: list(cls),
    lambda cls, _: list(reversed(cls)),
    lambda cls, _: len(cls),
    lambda cls, _: bool(cls),
    lambda cls, _: dir(cls),
    lambda cls, _: [*cls.__members__.items()],
    lambda cls, _: cls.__members__.clear(),
    lambda cls, _: cls("what no member has"),
    lambda cls, _: cls({}),
    lambda cls, _: cls["nobody"],
    lambda cls, _: cls.nobody,
    lambda cls, _: "what no member has" in cls,
    lambda cls, _: cls.added,
    lambda cls, _: type("More", (cls,), {}),
    lambda cls, one: setattr(cls, one.name, 1),
    lambda cls, one: delattr(cls, one.name),
    lambda _, one: setattr(one, "name", "other"),
    lambda _, one: setattr(one, "value", "other"),
    lambda _, one: (one.name, one.value, type(one.value)),
    lambda cls, one: cls[one.name] is cls(one.value) is cls(one) is getattr(cls, one.name) is one,
    lambda cls, one: one in cls,
    lambda cls, one: isinstance(one, cls),
    lambda cls, one: one.value in cls,
    lambda _, one: (repr(one), str(one), f"{one}", f"{one:>20}", f"{one!r}"),
    lambda _, one: hash(one) == hash(copy.copy(one)),
    lambda _, one: one in {one: 1},
    lambda _, one: (one == one.value, one == "other"),
    lambda _, one: one < one.value,
    lambda _, one: one + one,
    lambda _, one: copy.copy(one) is copy.deepcopy(one) is one,
    lambda _, one: [part.__name__ if isinstance(part, type) else part for part in one.__reduce_ex__(2)],
    lambda _, one: one.__objclass__ is type(one),
    lambda _, one: sorted(one.__dict__),
]


def outcome(call: Callable[[], object]) -> str:
    """What a call gives, or how it fails."""
    try:
        return repr(call())
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def looks(cls: "type[enum.Enum]") -> Iterator[str]:
    """All that can be seen of an enumeration."""
    for look in LOOKS:
        for member in cls.__members__.values():
            yield outcome(partial(look, cls, member))


@pytest.mark.parametrize("name", ["Colour", "Code", "Word"])
def test_they_are_what_enum_makes(name: str) -> None:
    before, after = both(SOURCE, enumerations.expand)
    assert [*looks(after[name])] == [*looks(before[name])]


@pytest.mark.parametrize(
    "expression",
    [
        "[colour.loud for colour in Colour]",
        "Colour.NUMBER.is_after(Colour.RED)",
        "Colour.first()",
        "Code.LAST + 1, Code.FIRST < Code.LAST, Code.LAST == 7, bytes([Code.LAST])",
        "Word.YES + '!', Word.NEVER.upper(), ''.join(Word)",
    ],
)
def test_their_own_methods_and_those_of_their_values_work(expression: str) -> None:
    before, after = both(SOURCE, enumerations.expand)
    assert repr(eval(expression, after)) == repr(eval(expression, before))


def test_patterns_find_their_members() -> None:
    text = (
        SOURCE + "\nmatch Code(7):\n    case Code.FIRST:\n        found = 1\n    case Code.AGAIN:\n        found = 2\n"
    )
    assert both(text, enumerations.expand)[1]["found"] == 2


NAMES = st.from_regex("[A-Z][A-Z0-9_]{0,8}[A-Z0-9]", fullmatch=True).filter(lambda name: not keyword.iskeyword(name))
VALUES = {
    "Enum": st.one_of(st.text(max_size=5), st.binary(max_size=5), st.integers(-9, 9)),
    "IntEnum": st.integers(-9, 9) | st.integers(),
    "StrEnum": st.text(max_size=5),
}


@given(st.sampled_from([*VALUES]).flatmap(lambda base: st.tuples(st.just(base), st.dictionaries(NAMES, VALUES[base]))))
def test_whatever_the_members_are_they_are_what_enum_makes(drawn: tuple[str, dict[str, object]]) -> None:
    base, members = drawn
    body = [f"    {name} = {value!r}" for name, value in members.items()] or ["    pass"]
    source = "\n".join([HEAD, f"class Example(enum.{base}):", *body])
    before, after = both(source, enumerations.expand)
    assert [*looks(after["Example"])] == [*looks(before["Example"])]


COMPARE = """
import enum, json, sys
from types import FunctionType

def inside(cls):
    for name, value in cls.__dict__.items():
        if name == "__new__" and isinstance(value, staticmethod):
            value = value.__func__  # which way it is kept makes no difference
        is_method = isinstance(value, FunctionType | property | classmethod) and name not in enum.Enum.__dict__
        yield name, repr(type(value) if is_method else value)

for source, written in json.load(sys.stdin):
    before, after = (dict(__name__="example") for _ in range(2))
    exec(source, before)
    exec(written, after)
    for name, first in before.items():
        if isinstance(first, enum.EnumType) and first.__module__ == "example":
            print(name)
            second = after[name]
            differ = {*inside(first)} ^ {*inside(second)}
            assert {key for key, _ in differ} <= {"__firstlineno__"}, differ
            for one in first.__members__:
                assert repr(vars(first[one])) == repr(vars(second[one])), one
                assert dir(first[one]) == dir(second[one]), one
"""


def test_inside_ours_are_what_the_enum_of_images_makes() -> None:
    images.require_runtime()
    base = runtime.locate()
    pairs = []
    for source in [SOURCE, *(HEAD + ast.unparse(node) for file in ours() for node in found(file))]:
        tree, _ = expanded(source, enumerations.expand)
        written.add_helpers(tree)
        pairs.append((source, ast.unparse(tree)))
    result = subprocess.run(
        [base.interpreter, "-S", "-P", "-c", COMPARE],
        env={"PYTHONHOME": str(base.home), "PYTHONPATH": str(FACADE.parent)},
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
        check=False,
    )
    assert not result.returncode, result.stderr
    assert len(result.stdout.split()) == len(pairs) + 2


def ours() -> Iterator[Path]:
    for folder in ("dns_server", "stack", "zones", "platform/dns_platform"):
        yield from (ROOT / folder).rglob("*.py")


def found(file: Path) -> Iterator[ast.ClassDef]:
    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases):
            yield node


@pytest.mark.parametrize(
    "text",
    [
        "class E(enum.Flag):\n    X = 1",
        "class E(enum.IntFlag):\n    X = 1",
        "class E(other.Enum):\n    X = 1",
        "class E(str, enum.Enum):\n    X = 'x'",
        "class E(enum.Enum, boundary=None):\n    X = 1",
        "@enum.unique\nclass E(enum.Enum):\n    X = 1",
        "class E(enum.Enum):\n    pass",
        "class E(enum.Enum):\n    X = enum.auto()",
        "class E(enum.Enum):\n    X = Y = 1",
        "class E(enum.Enum):\n    X = 1\n    X = 2",
        "class E(enum.Enum):\n    X = 1\n    def X(self): pass",
        "class E(enum.Enum):\n    X = (1, 2)",
        "class E(enum.Enum):\n    X = True",
        "class E(enum.Enum):\n    X = 1\n    Y = X",
        "class E(enum.Enum):\n    X: int = 1",
        "class E(enum.Enum):\n    name = 1",
        "class E(enum.Enum):\n    mro = 1",
        "class E(enum.Enum):\n    _X = 1",
        "class E(enum.Enum):\n    X = 1\n    def __init__(self, *_): pass",
        "class E(enum.Enum):\n    X = 1\n    @other\n    def f(self): pass",
        "class E(enum.IntEnum):\n    X = True",
        "class E(enum.IntEnum):\n    X = 'x'",
        "class E(enum.IntEnum):\n    real = 1",
        "class E(enum.StrEnum):\n    X = b'x'",
        "class E(enum.StrEnum):\n    upper = 'x'",
        "def f():\n    class E(enum.Enum):\n        X = 1",
        "enum = other\nclass E(enum.Enum):\n    X = 1",
    ],
)
def test_an_unknown_shape_is_left_to_enum(text: str) -> None:
    tree, left = expanded(HEAD + text, enumerations.expand)
    assert left == ["E"]
    assert ast.unparse(tree) == ast.unparse(ast.parse(HEAD + text))


def test_all_of_ours_are_written_out() -> None:
    left = {file: expanded(file.read_text(), enumerations.expand)[1] for file in ours()}
    assert {str(file): names for file, names in left.items() if names} == {}
