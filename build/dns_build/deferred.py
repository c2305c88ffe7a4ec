"""Make `from module import name` cost nothing until a function uses the name.

A module that waits (see `platform/facades/all/unizone_prepared.py`) runs when something of it is asked for, which
`from module import name` does at once. Where only functions use the name, the statement becomes
`import module as _waiting_module`, and each use `_waiting_module.name`. Names that are used when the module itself runs
(by decorators, base classes, defaults), bound a second time, or that other modules import from here stay as they are.
"""

import ast
from collections.abc import Callable, Container, Iterator
from typing import Final

_PREFIX: Final = "_waiting_"


def defer(tree: ast.Module, can_wait: Callable[[str, str], bool], exported: Container[str]) -> None:
    """Change the tree of a module in place.

    `can_wait` tells of a module and a name in it whether the module waits and the name is no module below it;
    `exported` has the names that other modules import from this one.
    """
    at_once = set(_used_at_once(tree))
    bound = list(_bound(tree))
    names: dict[str, tuple[str, str]] = {}
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and not statement.level and statement.module:
            for alias in statement.names:
                name = alias.asname or alias.name
                if (
                    can_wait(statement.module, alias.name)
                    and name not in at_once
                    and name not in exported
                    and bound.count(name) == 1
                ):
                    names[name] = statement.module, alias.name
    if not names:
        return
    tree.body = [changed for statement in tree.body for changed in _import(statement, names)]
    _Uses(names).visit(tree)


def _import(statement: ast.stmt, names: dict[str, tuple[str, str]]) -> Iterator[ast.stmt]:
    if not isinstance(statement, ast.ImportFrom) or statement.level or not statement.module:
        yield statement
        return
    kept = [alias for alias in statement.names if (alias.asname or alias.name) not in names]
    if len(kept) < len(statement.names):
        whole = ast.Import([ast.alias(statement.module, _variable(statement.module))])
        yield ast.fix_missing_locations(ast.copy_location(whole, statement))
        statement.names = kept
    if kept:
        yield statement


def _variable(module: str) -> str:
    return _PREFIX + module.replace(".", "_")


class _Uses(ast.NodeTransformer):
    """Turns each use of a name into one of the module's attribute."""

    def __init__(self, names: dict[str, tuple[str, str]]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A name that waits is looked up in its module."""
        if node.id not in self._names:
            return node
        module, attribute = self._names[node.id]
        use = ast.Attribute(ast.Name(_variable(module), ast.Load()), attribute, ast.Load())
        return ast.fix_missing_locations(ast.copy_location(use, node))


def _used_at_once(node: ast.AST) -> Iterator[str]:
    """Names that are used when the module runs: all but those in the bodies of functions."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
        for part in (*decorators, node.args):
            yield from _used_at_once(part)
        if not isinstance(node, ast.Lambda) and node.returns is not None:
            yield from _used_at_once(node.returns)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _used_at_once(child)


def _bound(tree: ast.Module) -> Iterator[str]:
    """Every name that something in the module gives a value to, in whatever scope, once for each time."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from names
