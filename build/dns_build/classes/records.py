"""Write out the classes that `dataclass` would make: those with slots that derive from nothing."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dns_build.classes.written import GENERIC, HELPERS, UnknownShape, bindings, imported, is_text, names, statements

_OPTIONS: Final = frozenset({"frozen", "slots", "eq"})
_FLAGS: Final = frozenset({"init", "repr", "compare", "hash"})
_POST_INIT: Final = "__post_init__"
# What `dataclass` refuses in a class, or leaves alone: such classes are left to it.
_FOREIGN: Final = frozenset({"__slots__", "__init__", "__setattr__", "__delattr__", "__getstate__", "__setstate__"})


@dataclass
class _Field:
    """One field, as the class has it."""

    name: str
    default: str | None = None
    """Source of the expression."""
    factory: str | None = None
    """Source of what makes a new default."""
    is_init_only: bool = False
    """An `InitVar`: for `__post_init__`, and no attribute."""
    flags: Mapping[str, bool] = field(default_factory=dict)

    def has(self, flag: str) -> bool:
        """Whether a flag of `field()` holds."""
        return self.flags.get(flag, self.has("compare") if flag == "hash" else True)


def expand(tree: ast.Module) -> list[str]:
    """Change the classes of a module in place; the names of those that are left to `dataclass`."""
    known = imported(tree, "dataclasses")
    _replace(tree)
    left = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("dataclass" in ast.dump(part) for part in node.decorator_list):
            try:
                if node not in tree.body:
                    raise UnknownShape
                node.body = _body(node, _options(node, known), known)
                node.decorator_list = []
            except UnknownShape:
                left.append(node.name)
    return left


def _replace(tree: ast.Module) -> None:
    """Take `replace` from the helpers: it is what starts call of `dataclasses`."""
    for statement in [*tree.body]:
        match statement:
            case ast.ImportFrom("dataclasses", aliases, 0):
                moved = [alias for alias in aliases if alias.name == "replace"]
                statement.names = [alias for alias in aliases if alias not in moved]
                helpers = ast.copy_location(ast.ImportFrom(HELPERS, moved, 0), statement)
                at = tree.body.index(statement)
                tree.body[at : at + 1] = [one for one in (helpers, statement) if one.names]


def _options(node: ast.ClassDef, known: Mapping[str, str]) -> dict[str, bool]:
    """What the decorator is told."""
    match node.decorator_list:
        case [ast.Call(ast.Name(name), [], keywords)] if known.get(name) == "dataclass":
            options = _constants(keywords)
        case _:
            raise UnknownShape
    if names(*node.bases) - {GENERIC} or node.keywords or options.keys() - _OPTIONS or not options.get("slots"):
        raise UnknownShape
    return options


def _constants(keywords: Sequence[ast.keyword]) -> dict[str, bool]:
    found = {}
    for keyword in keywords:
        match keyword:
            case ast.keyword(str(name), ast.Constant(bool(value))):
                found[name] = value
            case _:
                raise UnknownShape
    return found


def _body(node: ast.ClassDef, options: Mapping[str, bool], known: Mapping[str, str]) -> list[ast.stmt]:
    """The class's own statements, with what the decorator would add where the last field was."""
    fields: list[_Field] = []
    kept: list[ast.stmt] = []
    place = 0
    for statement in node.body:
        match statement:
            case ast.AnnAssign(ast.Name(name), annotation, value):
                if _means(annotation, "ClassVar"):
                    if value is not None:
                        plain = ast.Assign([ast.Name(name, ast.Store())], value)
                        kept.append(ast.fix_missing_locations(ast.copy_location(plain, statement)))
                    continue
                fields.append(_field(name, annotation, value, known))
                place = len(kept)
            case _ if not is_text(statement):
                kept.append(statement)
    bound = {name for part in kept for name in bindings(part)}
    own = {one.name for one in fields}
    # Expressions move into functions, where neither names of the class nor of parameters may mean another thing.
    moved = {name for one in fields if one.factory for name in names(ast.parse(one.factory))}
    used_early = {name for one in fields if one.default for name in names(ast.parse(one.default))}
    if bound & _FOREIGN or (own | bound | {"self"}) & moved or own & used_early or "self" in own:
        raise UnknownShape
    kept[place:place] = statements(_text(fields, options, bound), node)
    return kept


def _means(annotation: ast.expr, word: str) -> bool:
    return word in names(annotation)


def _field(name: str, annotation: ast.expr, value: ast.expr | None, known: Mapping[str, str]) -> _Field:
    is_init_only = _means(annotation, "InitVar")
    if name.startswith("__") or _means(annotation, "KW_ONLY"):
        raise UnknownShape
    match value:
        case ast.Call(ast.Name(function), [], keywords) if known.get(function) == "field":
            given = {keyword.arg: keyword.value for keyword in keywords}
            default, factory = given.pop("default", None), given.pop("default_factory", None)
            flags = _constants([keyword for keyword in keywords if keyword.arg in given])
            if flags.keys() - _FLAGS or is_init_only or (default is not None and not flags.get("init", True)):
                raise UnknownShape
        case _:
            default, factory, flags = value, None, {}
    return _Field(
        name,
        None if default is None else ast.unparse(default),
        None if factory is None else _call(factory),
        is_init_only,
        flags,
    )


def _call(factory: ast.expr) -> str:
    """What makes a new default."""
    if isinstance(factory, ast.Lambda) and not ast.unparse(factory.args):
        return ast.unparse(factory.body)
    if not isinstance(factory, ast.Name | ast.Attribute):
        raise UnknownShape
    return f"{ast.unparse(factory)}()"


def _text(fields: Sequence[_Field], options: Mapping[str, bool], bound: set[str]) -> str:
    """What the decorator would add, as source."""
    stored = [one for one in fields if not one.is_init_only]
    given = [one for one in fields if one.has("init")]
    lines = [
        f"__slots__ = {tuple(one.name for one in stored)!r}",
        f"__match_args__ = {tuple(one.name for one in given)!r}",
        f"__dataclass_fields__ = _made_Fields({_flags(fields)})",
        *_init(fields, given, is_frozen=options.get("frozen", False), has_more=_POST_INIT in bound),
    ]
    if "__repr__" not in bound:
        lines.append("__repr__ = _made_show")
    if options.get("eq", True):
        compared = [one.name for one in stored if one.has("compare")]
        if "__eq__" not in bound:
            lines += _equal(compared)
        if options.get("frozen") and "__hash__" not in bound:
            hashed = "".join(f"self.{one.name}, " for one in stored if one.has("hash"))
            lines += ["def __hash__(self):", f"    return hash(({hashed}))"]
    if options.get("frozen"):
        lines += ["__setattr__ = _made_refuse_to_set", "__delattr__ = _made_refuse_to_delete"]
        lines += ["__getstate__ = _made_get_state", "__setstate__ = _made_set_state"]
    return "\n".join(lines)


def _flags(fields: Sequence[_Field]) -> str:
    """Names of the fields, and for each flag those that don't have it."""
    parts = [repr(tuple(one.name for one in fields))]
    for flag in sorted(_FLAGS):
        without = tuple(one.name for one in fields if flag in one.flags and not one.flags[flag])
        if without:
            parts.append(f"{flag}={without!r}")
    only = tuple(one.name for one in fields if one.is_init_only)
    return ", ".join([*parts, *([f"init_only={only!r}"] if only else [])])


def _init(fields: Sequence[_Field], given: Sequence[_Field], *, is_frozen: bool, has_more: bool) -> list[str]:
    parameters = ["self"]
    for one in given:
        default = "_made_MAKE" if one.factory else one.default
        parameters.append(one.name if default is None else f"{one.name}={default}")
    lines = [f"def __init__({', '.join(parameters)}):"]
    for one in fields:
        value = one.name
        if one.factory:
            value = f"{one.factory} if {one.name} is _made_MAKE else {one.name}" if one in given else one.factory
        elif one not in given:
            continue  # `__post_init__` sets it, or nobody does
        if not one.is_init_only:
            put = f"_made_put(self, {one.name!r}, {value})" if is_frozen else f"self.{one.name} = {value}"
            lines.append(f"    {put}")
    if has_more:
        lines.append(f"    self.{_POST_INIT}({', '.join(one.name for one in fields if one.is_init_only)})")
    return lines if len(lines) > 1 else [*lines, "    pass"]


def _equal(compared: Sequence[str]) -> list[str]:
    return [
        "def __eq__(self, other):",
        "    if self is other:",
        "        return True",
        "    if other.__class__ is self.__class__:",
        f"        return {' and '.join(f'self.{name} == other.{name}' for name in compared) or 'True'}",
        "    return NotImplemented",
    ]
