"""Leave out what only annotations needed: imports, type aliases, protocols, and what stands under `if TYPE_CHECKING`.

An import that nothing but annotations uses is there for a type checker (whoever imports for the effect says so, and the
name has no use at all). Without it the module behind it, and those behind that, need not run at a start.
"""

import ast
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Final

from dns_build.classes.written import bindings, names

_MADE_OF_ANNOTATIONS: Final = frozenset({"NamedTuple", "TypedDict"})
_TYPES: Final = frozenset({"TypeVar", "NewType", "ParamSpec"})
_TYPE_PARTS: Final = (
    *(ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.Constant, ast.BinOp, ast.BitOr),
    *(ast.Load, ast.Call, ast.keyword),
)


def used(tree: ast.AST) -> set[str]:
    """Names that a module uses, in annotations too."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)}


def unannotate(tree: ast.Module) -> None:
    """Make plain assignments of those whose annotation was taken away, but for classes that are made of them."""
    tree.body = [part for statement in tree.body for part in _assignment(statement)]
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.decorator_list and not names(*node.bases) & _MADE_OF_ANNOTATIONS:
            body = [part for statement in node.body for part in _assignment(statement)]
            node.body = body or [ast.copy_location(ast.Pass(), node)]


def _assignment(statement: ast.stmt) -> list[ast.stmt]:
    match statement:
        case ast.AnnAssign(target, ast.Constant(None), value):
            return [] if value is None else [ast.copy_location(ast.Assign([target], value), statement)]
    return [statement]


def drop(
    trees: Mapping[str, ast.Module],
    before: Mapping[str, Container[str]],
    packages: Container[str],
    others: Iterable[tuple[str, ast.Module]],
) -> None:
    """Change the trees of modules in place.

    `before` has what each used with its annotations, `packages` which of the modules are packages. `others` are modules
    that stay as they are, and import from these.
    """
    others = list(others)
    for tree in trees.values():
        tree.body = [part for statement in tree.body for part in _checked(statement)]
    everywhere = [*trees.items(), *others]
    mentioned = {pair for _, tree in everywhere for pair in _mentioned(tree)}
    changed = True
    while changed:
        exported = mentioned.union(_exports(everywhere, packages))
        changed = False
        for name, tree in trees.items():
            needed = _needed(tree) | {offered for module, offered in exported if module == name}
            if "*" in needed and not _offers(tree):
                continue
            body = [part for statement in tree.body for part in _kept(statement, before[name], needed)]
            changed |= body != tree.body  # syntax trees are equal when they are the same
            tree.body = body


def _mentioned(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Modules and names that a module may look up in them, as `module.name`."""
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name.partition(".")[0]: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            first, *path = ast.unparse(node.value).split(".")
            if first in modules:
                yield ".".join([modules[first], *path]), node.attr
                yield ".".join([first, *path]), node.attr  # import a.b.c, then a.b.c.name


def _checked(statement: ast.stmt) -> list[ast.stmt]:
    """A statement; of `if TYPE_CHECKING` what is taken."""
    if isinstance(statement, ast.If) and ast.unparse(statement.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
        return statement.orelse
    return [statement]


def _exports(modules: Iterable[tuple[str, ast.Module]], packages: Container[str]) -> Iterator[tuple[str, str]]:
    """Modules and names that others import from them."""
    for name, tree in modules:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                target = node.module or ""
                if node.level:
                    parts = name.split(".")
                    parts = parts[: len(parts) - node.level + (name in packages)]
                    target = ".".join([*parts, target] if target else parts)
                yield from ((target, alias.name) for alias in node.names)


def _offers(tree: ast.Module) -> bool:
    """Whether `from module import *` gives what `__all__` has."""
    return any("__all__" in bindings(statement) for statement in tree.body)


def _needed(tree: ast.Module) -> set[str]:
    """Names that a module uses, or offers under `__all__`."""
    found = set()
    for statement in tree.body:
        match statement:
            case ast.Assign([ast.Name("__all__")], value):
                found |= set(ast.literal_eval(value))
            case _:
                found |= used(statement)
                found |= {name for node in ast.walk(statement) if isinstance(node, ast.Global) for name in node.names}
    return found


def _kept(statement: ast.stmt, before: Container[str], needed: Container[str]) -> list[ast.stmt]:
    """A statement with what of it is needed, or nothing."""

    def is_kept(name: str) -> bool:
        return name in needed or name not in before

    match statement:
        case ast.ImportFrom(module, aliases, level) if module != "__future__":
            kept = [alias for alias in aliases if is_kept(alias.asname or alias.name)]
            if len(kept) == len(aliases):
                return [statement]
            return [ast.copy_location(ast.ImportFrom(module, kept, level), statement)] if kept else []
        case ast.Import([ast.alias(name, other)]) if not is_kept(other or name.partition(".")[0]):
            return []
        case ast.Assign([ast.Name(name)], value) if not is_kept(name) and _is_type(value):
            return []
        case ast.ClassDef(name, [], [], _, []) if not is_kept(name):
            return []  # a protocol
    return [statement]


def _is_type(value: ast.expr) -> bool:
    """Whether an expression is a type, whose making has no other effect."""
    parts = list(ast.walk(value))
    calls = [part for part in parts if isinstance(part, ast.Call)]
    return (
        all(isinstance(part, _TYPE_PARTS) for part in parts)
        and all(isinstance(call.func, ast.Name) and call.func.id in _TYPES for call in calls)
        and any(isinstance(part, ast.Subscript | ast.BinOp | ast.Call) for part in parts)
    )
