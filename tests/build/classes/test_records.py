"""Dataclasses that are written out are what `dataclass` makes; which are, and which are left to it."""

import ast
import copy
import dataclasses
import inspect
from collections.abc import Callable
from functools import partial

import pytest

from dns_build.classes import plain, records
from dns_build.recipe import ROOT
from tests.build.classes.helpers import both, expanded, helpers

HEAD = "from dataclasses import InitVar, dataclass, field, replace\nfrom typing import ClassVar\n"
SOURCE = (
    HEAD
    + '''
@dataclass(frozen=True, slots=True)
class Frozen:
    """Text."""

    name: bytes
    kind: int = 3
    """Text."""
    texts: tuple[str, ...] = field(default=(), compare=False)
    LIMIT: ClassVar[int] = 7

    @property
    def doubled(self) -> int:
        return 2 * self.kind

@dataclass(slots=True)
class Open:
    first: int
    items: list[int] = field(default_factory=list, repr=False)
    made: list[int] = field(default_factory=lambda: [1, 2])
    later: int = field(init=False)
    scale: InitVar[int] = 2

    def __post_init__(self, scale: int) -> None:
        self.later = self.first * scale

@dataclass(slots=True, eq=False)
class Same:
    value: int = 0

@dataclass(frozen=True, slots=True)
class Nothing:
    pass
'''
)


def outcome(call: Callable[[], object]) -> object:
    """What a call gives, or how it fails."""
    try:
        return call()
    except AttributeError as error:
        return type(error), str(error)
    except (TypeError, ValueError):  # which of both depends on Python's version
        return "refused"


EXPRESSIONS = [
    "Frozen(b'a')",
    "Frozen(b'a', 4, texts=('x',))",
    "Frozen()",
    "Frozen(b'a', 1, (), 2)",
    "Frozen(b'a') == Frozen(b'a', 3, ('y',))",
    "Frozen(b'a') == Frozen(b'a', 4)",
    "Frozen(b'a') == 'a'",
    "hash(Frozen(b'a', 3)) == hash(Frozen(b'a', 3, ('z',)))",
    "setattr(Frozen(b'a'), 'kind', 1)",
    "delattr(Frozen(b'a'), 'kind')",
    "Frozen(b'a').doubled",
    "Frozen.LIMIT",
    "Frozen.__match_args__",
    "Frozen.__slots__",
    "replace(Frozen(b'a'), kind=9)",
    "replace(Frozen(b'a'), nothing=9)",
    "Open(1)",
    "Open(1, [5], [6], 7)",
    "Open(1, scale=5).later",
    "Open(1).items is Open(1).items",
    "Open(1) == Open(1)",
    "Open(1) == Open(2)",
    "hash(Open(1))",
    "Open.__match_args__",
    "Open.__slots__",
    "replace(Open(1), first=2, scale=3)",
    "replace(Open(1), first=2)",
    "replace(Open(1), later=2, scale=1)",
    "Same() == Same()",
    "Same(4)",
    "hash(Same(1)) == hash(Same(1))",
    "Nothing()",
    "Nothing() == Nothing()",
    "hash(Nothing())",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_they_do_what_dataclass_makes(expression: str) -> None:
    before, after = both(SOURCE, records.expand)
    given = [outcome(partial(eval, f"repr({expression})", namespace)) for namespace in (before, after)]
    assert given[0] == given[1]


@pytest.mark.parametrize("name", ["Frozen", "Open", "Same", "Nothing"])
def test_others_see_a_dataclass(name: str) -> None:
    before, after = both(SOURCE, records.expand)
    classes = before[name], after[name]
    assert "dataclass(" not in ast.unparse(expanded(SOURCE, records.expand)[0])
    assert inspect.signature(classes[0]).parameters.keys() == inspect.signature(classes[1]).parameters.keys()
    assert all(dataclasses.is_dataclass(one) for one in classes)
    about = [[(one.name, one.init, one.repr, one.compare) for one in dataclasses.fields(cls)] for cls in classes]
    assert about[0] == about[1]


def test_a_frozen_object_takes_no_other_attributes() -> None:
    for namespace in both(SOURCE, records.expand):
        with pytest.raises((AttributeError, TypeError)):
            namespace["Frozen"](b"a").other = 1


def test_a_frozen_object_can_be_copied() -> None:
    frozen = both(SOURCE, records.expand)[1]["Frozen"](b"a", 4)
    assert copy.copy(frozen) == frozen


@pytest.mark.parametrize(
    "text",
    [
        "@dataclass\nclass C:\n    x: int",
        "@dataclass(frozen=True)\nclass C:\n    x: int",
        "@dataclass(slots=True, order=True)\nclass C:\n    x: int",
        "@dataclass(slots=True, kw_only=True)\nclass C:\n    x: int",
        "@dataclass(slots=True)\nclass C(Base):\n    x: int",
        "@other\n@dataclass(slots=True)\nclass C:\n    x: int",
        "@dataclass(slots=True)\nclass C:\n    x: int\n    def __init__(self): pass",
        "@dataclass(slots=True)\nclass C:\n    __x: int",
        "@dataclass(slots=True)\nclass C:\n    x: int = field(kw_only=True)",
        "@dataclass(slots=True)\nclass C:\n    list: int\n    y: int = field(default_factory=list)",
        "@dataclass(slots=True)\nclass C:\n    def make(): pass\n    y: int = field(default_factory=make)",
        "@dataclass(slots=True)\nclass C:\n    x: int = 1\n    y: int = x",
        "def f():\n    @dataclass(slots=True)\n    class C:\n        x: int",
    ],
)
def test_an_unknown_shape_is_left_to_dataclass(text: str) -> None:
    tree, left = expanded(HEAD + text, records.expand)
    assert left == ["C"]
    assert ast.unparse(tree) == ast.unparse(ast.parse(HEAD + text)).replace(
        "from dataclasses import InitVar, dataclass, field, replace",
        "from unizone_classes import replace\nfrom dataclasses import InitVar, dataclass, field",
    )


def test_all_of_ours_are_written_out() -> None:
    left = {}
    for folder in ("dns_server", "stack", "zones", "platform/dns_platform"):
        for file in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(file.read_bytes())
            plain.expand(tree)
            left[file] = records.expand(tree)
    assert {str(file): names for file, names in left.items() if names} == {}


def test_replace_takes_other_dataclasses_too() -> None:
    with helpers() as module:
        assert module.replace(dataclasses.make_dataclass("Other", ["x", "y"])(1, 2), y=3).y == 3
