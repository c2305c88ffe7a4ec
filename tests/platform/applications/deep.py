"""Recurses in each way that goes through C, until Python says that it is too deep."""

import json
import re
from collections.abc import Callable


class Nested:
    """What compares by sorting, and shows itself as a list with itself in it."""

    def __lt__(self, other: object) -> bool:
        return sorted([Nested(), Nested()]) is None

    def __repr__(self) -> str:
        return repr([self])


def _largest(value: int) -> int:
    return max([value], key=_largest)


def _mapped(value: object) -> object:
    return list(map(_mapped, [value]))


WAYS: dict[str, Callable[[], object]] = {
    "sort": lambda: sorted([Nested(), Nested()]),
    "repr": lambda: repr(Nested()),
    "key": lambda: _largest(0),
    "map": lambda: _mapped(0),
    "arrays": lambda: json.loads("[" * 100_000),
    "objects": lambda: json.loads('{"a":' * 100_000),
    "pattern": lambda: re.compile("(" * 5000 + ")" * 5000),
}


def main() -> int:
    """Print each way."""
    for name, recurse in WAYS.items():
        try:
            recurse()
        except RecursionError:
            print(name)
    return 0
