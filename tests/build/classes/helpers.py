"""Run source text as an image would: with its classes written out."""

import ast
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from dns_build.classes import written
from dns_build.recipe import ROOT

FACADE = ROOT / "platform" / "facades" / "all" / f"{written.HELPERS}.py"


@contextmanager
def helpers() -> Iterator[ModuleType]:
    """The module that written-out classes use, as the image has it."""
    spec = importlib.util.spec_from_file_location(written.HELPERS, FACADE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[written.HELPERS] = module
    try:
        yield module
    finally:
        del sys.modules[written.HELPERS]


def expanded(source: str, expand: Callable[[ast.Module], list[str]]) -> tuple[ast.Module, list[str]]:
    """A module with its classes written out, and the names of those that were not."""
    tree = ast.parse(source)
    return tree, expand(tree)


def both(source: str, expand: Callable[[ast.Module], object]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a module defines as it is, and with its classes written out."""
    tree = ast.parse(source)
    expand(tree)
    written.add_helpers(tree)
    before: dict[str, Any] = {"__name__": "example"}
    after: dict[str, Any] = {"__name__": "example"}
    exec(source, before)
    with helpers():
        exec(compile(tree, "example", "exec"), after)
    return before, after
