"""Write out the classes that `Enum` and its kin would make: those with members of constant values."""

import ast
import enum
from collections.abc import Mapping
from typing import Final

from dns_build.classes.written import PREFIX, UnknownShape, bindings, imported, is_text, statements

_BASES: Final[Mapping[str, tuple[type[enum.Enum], tuple[type, ...]]]] = {
    "Enum": (enum.Enum, (str, bytes, int)),
    "IntEnum": (enum.IntEnum, (int,)),
    "StrEnum": (enum.StrEnum, (str,)),
}
"""By what a class may derive from, the types of values that members can have there."""

_METHODS: Final = frozenset({"classmethod", "property", "staticmethod"})
"""Decorators after which a function still is no member."""


def expand(tree: ast.Module) -> list[str]:
    """Change the classes of a module in place; the names of those that are left to `enum`."""
    known = imported(tree, "enum")
    bound = [name for statement in tree.body for name in bindings(statement)]
    if bound.count("enum") == 1 and any(_is_import(statement) for statement in tree.body):
        known |= {f"enum.{name}": name for name in _BASES}
    left = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(_is_enumeration(base) for base in node.bases):
            try:
                if node not in tree.body:
                    raise UnknownShape
                members = _members(node, known)
            except UnknownShape:
                left.append(node.name)
            else:
                node.keywords = [ast.keyword("metaclass", ast.Name(f"{PREFIX}enumeration", ast.Load()))]
                node.body += statements(f"_member_names_ = {tuple(members)!r}", node)
                ast.fix_missing_locations(node)
    return left


def _is_import(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import(aliases):
            return any(alias.name == "enum" and alias.asname is None for alias in aliases)
    return False


def _is_enumeration(base: ast.expr) -> bool:
    return ast.unparse(base).endswith(("Enum", "Flag"))


def _members(node: ast.ClassDef, known: Mapping[str, str]) -> list[str]:
    """Names of the members of a class."""
    match node:
        case ast.ClassDef(bases=[base], keywords=[], decorator_list=[]) if known.get(ast.unparse(base)) in _BASES:
            kind, types = _BASES[known[ast.unparse(base)]]
        case _:
            raise UnknownShape
    members: list[str] = []
    methods: list[str] = []
    for statement in node.body:
        match statement:
            case ast.Assign([ast.Name(name)], value):
                _check_value(value, types)
                members.append(name)
            case ast.FunctionDef(name, decorator_list=decorators):
                if any(ast.unparse(decorator) not in _METHODS for decorator in decorators):
                    raise UnknownShape
                methods.append(name)
            case ast.Pass():
                pass
            case _ if not is_text(statement):
                raise UnknownShape
    names = [*members, *methods]
    # Names that `enum` has rules for, and those which the bases have a meaning for.
    special = [name for name in names if name.startswith("_") or name == "mro"]
    if (
        not members
        or special
        or len({*names}) < len(names)
        or any(name in dir(part) or name in vars(part) for part in kind.__mro__ for name in members)
    ):
        raise UnknownShape
    return members


def _check_value(node: ast.expr, types: tuple[type, ...]) -> None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        raise UnknownShape from None
    if type(value) not in types:
        raise UnknownShape
