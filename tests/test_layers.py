"""Imports go down only: the service knows zone data, zone data knows the stack, the stack knows the platform."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = {"dns_server": "dns_server", "zones": "zones", "stack": "stack", "dns_platform": "platform/dns_platform"}
"""Where each package is, from the top down."""
BUILDER = {"dns_build": "build/dns_build"}


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """Line and top-level package of each import in `file`, those for types alone included."""
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.lineno, node.module.partition(".")[0]


@pytest.mark.parametrize("package", [*LAYERS, *BUILDER])
def test_imports_go_down_only(package: str) -> None:
    order = list(LAYERS)
    # The image builder takes the layers as files and imports none of them.
    above = order[: order.index(package)] if package in LAYERS else order
    forbidden = {*above, *(BUILDER.keys() - {package}), "tests"}
    files = sorted((ROOT / (LAYERS | BUILDER)[package]).rglob("*.py"))
    assert files
    found = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in files
        for line, name in imported(file)
        if name in forbidden
    ]
    assert not found
