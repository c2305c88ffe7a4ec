"""What all kinds of classes need: which names of a module mean what, and statements from text."""

import ast
from collections.abc import Iterator
from typing import Final

HELPERS: Final = "unizone_classes"
"""Module with what classes that are written out have in common."""

PREFIX: Final = "_made_"
"""Of the names by which a module knows the helpers."""


GENERIC: Final = f"{PREFIX}Generic"
"""What stands for `typing.Generic` as a base: classes that can be given types in brackets, which mean nothing."""


class UnknownShape(Exception):
    """A class is left to what makes it: nothing here knows how to write it out."""


def imported(tree: ast.Module, module: str) -> dict[str, str]:
    """Names that stand for something of `module` throughout a module: what each is called there."""
    found: dict[str, str] = {}
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module == module and not statement.level:
            found |= {alias.asname or alias.name: alias.name for alias in statement.names}
    bound = [name for statement in tree.body for name in bindings(statement)]
    return {name: original for name, original in found.items() if bound.count(name) == 1}


def bindings(statement: ast.stmt) -> Iterator[str]:
    """Names that a statement binds in its own scope, where it is no loop or branch."""
    match statement:
        case ast.Import(aliases) | ast.ImportFrom(_, aliases):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
            yield name
        case _:
            found = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            yield from (node.id for node in found if isinstance(node.ctx, ast.Store))


def names(*nodes: ast.AST) -> set[str]:
    """All names that stand in syntax trees."""
    return {part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name)}


def is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def statements(text: str, place: ast.stmt) -> list[ast.stmt]:
    """Statements of a text, which tracebacks show at the line of `place`."""
    body = ast.parse(text).body
    for statement in body:
        for node in ast.walk(statement):
            if hasattr(node, "lineno"):
                ast.copy_location(node, place)
    return body


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def add_helpers(tree: ast.Module) -> None:
    """Import the helpers that the module's written-out classes use."""
    used = sorted(name for name in names(tree) if name.startswith(PREFIX))
    if not used:
        return
    place = next(at for at, statement in enumerate(tree.body) if not is_text(statement) and not _is_future(statement))
    aliases = ", ".join(f"{name.removeprefix(PREFIX)} as {name}" for name in used)
    tree.body[place:place] = statements(f"from {HELPERS} import {aliases}", tree.body[place])
