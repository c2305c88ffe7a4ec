"""Named tuples that are written out are what `NamedTuple` makes."""

import copy

import pytest

from dns_build.classes import tuples
from tests.build.classes.helpers import both

SOURCE = '''
from typing import NamedTuple

LAST = "z"

class Pair(NamedTuple):
    """Text."""

    first: int
    """Text."""
    second: str = LAST

    @property
    def both(self) -> str:
        return f"{self.first}{self.second}"

class Empty(NamedTuple):
    pass
'''


@pytest.mark.parametrize(
    "expression",
    [
        "Pair(1)",
        "Pair(1, second='b')",
        "tuple(Pair(1))",
        "Pair(1) == (1, 'z')",
        "hash(Pair(1)) == hash((1, 'z'))",
        "Pair._make([3, 'c'])",
        "Pair(1)._replace(first=2)",
        "Pair(1)._asdict()",
        "Pair._fields",
        "Pair.__match_args__",
        "Pair(1).both",
        "[x for x in Pair(1)]",
        "sorted([Pair(2), Pair(1)])",
        "Empty()",
        "isinstance(Pair(1), tuple)",
    ],
)
def test_they_do_what_namedtuple_makes(expression: str) -> None:
    before, after = both(SOURCE, tuples.expand)
    assert repr(eval(expression, before)) == repr(eval(expression, after))


@pytest.mark.parametrize(
    "expression",
    [
        "Pair()",
        "Pair(1, 2, 3)",
        "Pair(third=1)",
        "Pair._make([1])",
        "setattr(Pair(1), 'first', 2)",
        "setattr(Pair(1), 'x', 2)",
    ],
)
def test_they_refuse_what_namedtuple_refuses(expression: str) -> None:
    for namespace in both(SOURCE, tuples.expand):
        with pytest.raises((TypeError, AttributeError)):
            eval(expression, namespace)


def test_an_unknown_field_can_not_be_replaced() -> None:
    for namespace in both(SOURCE, tuples.expand):
        with pytest.raises((TypeError, ValueError), match="Got unexpected field names"):
            namespace["Pair"](1)._replace(third=3)


def test_copies_are_equal() -> None:
    pair = both(SOURCE, tuples.expand)[1]["Pair"](1)
    assert copy.copy(pair) == pair
    assert pair.__getnewargs__() == (1, "z")


def test_patterns_take_them_apart() -> None:
    text = SOURCE + "\nmatch Pair(4, 'x'):\n    case Pair(first, second):\n        found = second, first\n"
    assert both(text, tuples.expand)[1]["found"] == ("x", 4)
