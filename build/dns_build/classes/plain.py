"""Take from modules what only a type checker looks at: protocols, types in brackets, casts, marks."""

import ast
from collections.abc import Mapping
from typing import Final

from dns_build.classes.written import GENERIC, imported

_COMPILED: Final = "_typing"
"""The compiled half of `typing`: it has TypeVar."""
_MARKS: Final = frozenset({"final", "overload"})


def expand(tree: ast.Module) -> None:
    """Change a module in place; the classes of one with protocols that are asked for at run time stay."""
    known = imported(tree, "typing")
    if "runtime_checkable" not in known.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                node.bases = [_base(base, known) for base in node.bases if _meaning(base, known) != "Protocol"]
    _Casts(known).visit(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.decorator_list = [part for part in node.decorator_list if _meaning(part, known) not in _MARKS]
    for statement in [*tree.body]:
        if isinstance(statement, ast.ImportFrom) and statement.module == "typing" and not statement.level:
            compiled = [alias for alias in statement.names if alias.name == "TypeVar"]
            if compiled:
                whole = ast.copy_location(ast.ImportFrom(_COMPILED, compiled, 0), statement)
                tree.body.insert(tree.body.index(statement), whole)
                statement.names = [alias for alias in statement.names if alias not in compiled]
                if not statement.names:
                    tree.body.remove(statement)


class _Casts(ast.NodeTransformer):
    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A cast is its value."""
        self.generic_visit(node)
        match node:
            case ast.Call(function, [_, value], []) if _meaning(function, self._known) == "cast":
                return value
        return node


def _base(base: ast.expr, known: Mapping[str, str]) -> ast.expr:
    if isinstance(base, ast.Subscript) and _meaning(base.value, known) == "Generic":
        return ast.copy_location(ast.Name(GENERIC, ast.Load()), base)
    return base


def _meaning(node: ast.expr, known: Mapping[str, str]) -> str:
    """What of `typing` an expression names; empty for other things."""
    match node:
        case ast.Name(name):
            return known.get(name, "")
        case ast.Attribute(ast.Name("typing"), name):
            return name
    return ""
