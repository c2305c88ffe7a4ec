"""What only annotations needed is left out of an image, and nothing else."""

import ast

import pytest

from dns_build import unneeded
from dns_build.classes import plain


def dropped(source: str, used: str = "", others: str = "") -> str:
    """A module `here` without what is not needed; `used` stands for annotations, `others` for another module."""
    tree = ast.parse(source)
    plain.expand(tree)
    before = unneeded.used(ast.parse(f"{source}\n{used}"))
    unneeded.unannotate(tree)
    unneeded.drop({"here": tree}, {"here": before}, (), [("elsewhere", ast.parse(others))])
    return ast.unparse(tree)


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("from a import T, other\nother()", "from a import other\nother()"),
        ("from a import T", ""),
        ("import T", ""),
        ("from typing import TypeVar\nT = TypeVar('T')", ""),
        ("from collections.abc import Callable\nT = Callable[[int], None]", ""),
        ("T = int | None", ""),
        ("from a import Other\nT = list[Other]", ""),
        ("from typing import Protocol\nclass T(Protocol):\n    x: None", ""),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import T",
            "",
        ),
    ],
)
def test_what_only_annotations_use_is_left_out(source: str, left: str) -> None:
    assert dropped(source, "T") == left


@pytest.mark.parametrize(
    "source",
    [
        "from a import T\nT()",
        "from a import T\n__all__ = ['T']",
        "from a import T\n\ndef f():\n    return T",
        "from a import T as U",
        "T = 1",
        "T = f(1)",
        "@register\nclass T:\n    pass",
        "class T(Base):\n    pass",
    ],
)
def test_all_else_stays(source: str) -> None:
    assert dropped(source, "T") == source


def test_an_import_for_its_effect_stays() -> None:
    assert dropped("from a import T\nimport b") == "from a import T\nimport b"


@pytest.mark.parametrize(
    "others",
    ["from here import T", "import here\nhere.T", "import here as there\nthere.T", "from here import *"],
)
def test_what_another_module_needs_stays(others: str) -> None:
    assert dropped("from a import T", "T", others) == "from a import T"


def test_annotations_that_were_taken_away_leave_plain_assignments() -> None:
    source = "x: None = 1\ny: None\n\nclass C:\n    z: None = 2\n\nclass D:\n    z: None"
    assert dropped(source) == "x = 1\n\nclass C:\n    z = 2\n\nclass D:\n    pass"
