"""Imports that wait until a function uses their names: which do, and that the module means what it meant."""

import ast
import sys
from types import ModuleType

import pytest

from dns_build.deferred import defer

HEAD = "from library import Thing, other as another\n"


def deferred(source: str, exported: frozenset[str] = frozenset()) -> str:
    tree = ast.parse(HEAD + source)
    defer(tree, lambda module, name: module == "library" and name != "submodule", exported)
    return ast.unparse(tree)


def test_a_name_that_functions_use_waits() -> None:
    assert deferred("def f(x):\n    return Thing(x) + another") == (
        "import library as _waiting_library\n\ndef f(x):\n    return _waiting_library.Thing(x) + _waiting_library.other"
    )


@pytest.mark.parametrize(
    "source",
    [
        "class C(Thing): pass",
        "@Thing\ndef f(): pass",
        "def f(x=Thing): pass",
        "x = [lambda y=Thing: y]",
        "def f():\n    Thing = 1\n    return Thing",
        "def f(Thing): return Thing",
        "def f():\n    global Thing\n    Thing = 1",
        "class C:\n    x = [Thing for _ in ()]",
        "def f(x):\n    match x:\n        case Thing: pass",
    ],
)
def test_a_name_that_is_used_at_once_or_bound_again_stays(source: str) -> None:
    assert "from library import Thing\n" in deferred(source)


def test_what_others_import_from_here_stays() -> None:
    assert deferred("def f(): return Thing", frozenset({"Thing"})).startswith(
        "import library as _waiting_library\nfrom library import Thing\n"
    )


def test_modules_below_and_other_modules_stay() -> None:
    source = "from library import submodule\nfrom elsewhere import this\ndef f(): return submodule, this"
    changed = deferred(source)
    assert "from library import submodule\nfrom elsewhere import this" in changed
    assert "return (submodule, this)" in changed


def test_patterns_and_nested_functions_work_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    library = ModuleType("library")
    vars(library).update(Thing=int, other="x")
    monkeypatch.setitem(sys.modules, "library", library)
    source = (
        "class C:\n    def f(self, x):\n        match x:\n            case Thing(): return 'a number'\n"
        "        return [lambda: another][0]()\n"
    )
    variables: dict[str, type] = {}
    exec(deferred(source), variables)
    assert variables["C"]().f(1) == "a number"
    assert variables["C"]().f("") == "x"
