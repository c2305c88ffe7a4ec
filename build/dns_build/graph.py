"""The import graph: which modules an application reaches, read from syntax trees without running any of them.

Runs under the image's own interpreter, so that its version of the syntax and of the standard library is what is read.
Imports inside functions count as those at the top do. Branches that can't be taken on the targets (type checking, other
systems, older versions) are skipped.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace


@dataclass(frozen=True)
class Module:
    """A module that was found: a file, or compiled into the interpreter (`path` is None)."""

    name: str
    path: Path | None
    is_package: bool
    root: str
    """Name of the search root that has it; `builtin` for compiled modules."""

    @property
    def package(self) -> str:
        """What relative imports in the module start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


@dataclass(frozen=True)
class Reference:
    """One import statement or call: an absolute module name, and names that may be modules below it."""

    target: str
    names: tuple[str, ...]
    is_needed: bool
    """At the module's top level and outside `try`: the module can't be imported without it."""
    is_at_once: bool
    """Outside functions: done when the module is imported."""


@dataclass
class Graph:
    """Modules reached so far and why."""

    modules: dict[str, Module] = field(default_factory=dict)
    because: dict[str, str] = field(default_factory=dict)
    """For each module the one that first reached it."""
    missing: dict[str, set[str]] = field(default_factory=dict)
    """Names that no root has, with the modules that want them: optional imports, or something to add."""
    broken: set[tuple[str, str]] = field(default_factory=set)
    """Modules that can't be imported, each with a missing one that it needs."""
    computed: set[str] = field(default_factory=set)
    """Modules that import names which they compute: the graph can't tell which."""
    at_once: dict[str, set[str]] = field(default_factory=dict)
    """For each module those that it imports when it is imported itself."""

    def started(self, applications: Iterable[str], waiting: Set[str]) -> set[str]:
        """Modules that are imported with `applications`, without `waiting` ones and what they import when they run."""
        found: set[str] = set()
        names = list(applications)
        while names:
            name = names.pop()
            if name not in self.modules or name in found or name in waiting:
                continue
            found.add(name)
            names += self.at_once[name]
        return found


@dataclass(frozen=True)
class Rules:
    """What decides beyond the syntax."""

    roots: Mapping[str, Path]
    """Search roots by name, in the order in which they are searched."""
    also: Mapping[str, Sequence[str]]
    """Modules that a module loads by computed names; `a.b.*` stands for all modules below a.b."""
    left_out: frozenset[str]
    """Modules that no target can serve; who imports them gets ImportError."""
    builtin: frozenset[str]
    """Modules compiled into the interpreter."""


def trace(applications: Iterable[str], rules: Rules) -> Graph:
    """All modules that `applications` reach. LookupError when one of them is not there."""
    graph = Graph()
    waiting: list[tuple[str, str]] = [(name, "the image") for name in applications]
    for name, _ in waiting:
        if find(name, rules) is None:
            raise LookupError(f"module {name} is in none of the search roots")
    while waiting:
        name, importer = waiting.pop()
        # A module brings its parent packages, which run first.
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            prefix = ".".join(parts[:count])
            if prefix in graph.modules:
                continue
            module = None if prefix in rules.left_out else find(prefix, rules)
            if module is None:
                graph.missing.setdefault(prefix, set()).add(importer)
                break
            graph.modules[prefix] = module
            graph.because[prefix] = importer
            graph.at_once[prefix] = set()
            waiting += ((target, prefix) for target in _targets(module, graph, rules))
    return graph


def find(name: str, rules: Rules) -> Module | None:
    """Where a module is, or None."""
    for root, folder in rules.roots.items():
        base = folder.joinpath(*name.split("."))
        if (base / "__init__.py").is_file():
            return Module(name, base / "__init__.py", is_package=True, root=root)
        if base.with_name(base.name + ".py").is_file():
            return Module(name, base.with_name(base.name + ".py"), is_package=False, root=root)
    if name in rules.builtin:
        return Module(name, None, is_package=False, root="builtin")
    return None


def _targets(module: Module, graph: Graph, rules: Rules) -> Iterator[str]:
    """Names of modules that a module imports."""
    for pattern in rules.also.get(module.name, ()):
        yield from _expand(pattern, rules)
    if module.path is None:
        return
    collector = _Collector(module)
    collector.visit(ast.parse(module.path.read_bytes(), str(module.path)))
    for reference in collector.references:
        if reference.is_at_once:
            graph.at_once[module.name] |= _modules(reference)
        yield reference.target
        if reference.is_needed and not _is_there(reference.target, rules):
            graph.broken.add((module.name, reference.target))
        for name in reference.names:
            below = f"{reference.target}.{name}"
            if find(below, rules) is not None:
                yield below
    if collector.computes:
        graph.computed.add(module.name)


def _modules(reference: Reference) -> set[str]:
    """Names that may be modules and are imported, parent packages too."""
    below = {f"{reference.target}.{name}" for name in reference.names}
    return _prefixes(reference.target) | below


def _is_there(name: str, rules: Rules) -> bool:
    return name in MADE_BY_OTHERS or (not _prefixes(name) & rules.left_out and find(name, rules) is not None)


def _prefixes(name: str) -> set[str]:
    parts = name.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts) + 1)}


def _expand(pattern: str, rules: Rules) -> Iterator[str]:
    name, star, _ = pattern.partition(".*")
    yield name
    package = find(name, rules)
    if star and package is not None and package.path is not None:
        for file in sorted(package.path.parent.glob("*.py")):
            if file.name != "__init__.py":
                yield f"{name}.{file.stem}"


MADE_BY_OTHERS = frozenset({"collections.abc", "os.path", "_frozen_importlib", "_frozen_importlib_external"})
"""Names without a file: other modules, and CPython itself, put them into `sys.modules`."""

_CONSTANTS = {
    "sys": SimpleNamespace(platform="linux", version_info=sys.version_info, implementation=sys.implementation),
    "os": SimpleNamespace(name="posix"),
    "typing": SimpleNamespace(TYPE_CHECKING=False),
    "TYPE_CHECKING": False,
    "__name__": "not run as a program",
    "__builtins__": {},
}


def _known(test: ast.expr) -> bool | None:
    """Value of a condition that is the same on all targets, else None."""
    if any(isinstance(node, ast.Name) and node.id not in _CONSTANTS for node in ast.walk(test)):
        return None
    try:
        return bool(eval(compile(ast.Expression(test), "<condition>", "eval"), dict(_CONSTANTS)))
    except (AttributeError, NameError, TypeError):
        return None


class _Collector(ast.NodeVisitor):
    """Collects the references of one module."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.references: list[Reference] = []
        self.computes = False
        self._optional = 0
        self._functions = 0
        self._texts: dict[str, str] = {}
        """Names that stand for texts, which imports by name may use."""

    def visit_If(self, node: ast.If) -> None:
        value = _known(node.test)
        for taken, body in ((True, node.body), (False, node.orelse)):
            if value is None or value is taken:
                self._optional += value is None
                for statement in body:
                    self.visit(statement)
                self._optional -= value is None

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, ())

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        target = node.module or ""
        if node.level:
            parts = self.module.package.split(".")
            parts = parts[: len(parts) - (node.level - 1)]
            target = ".".join([*parts, target] if target else parts)
        self._add(target, tuple(alias.name for alias in node.names))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if isinstance(node.target, ast.Name) and isinstance(node.value, ast.Constant):
            self._texts[node.target.id] = str(node.value.value)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name in {"import_module", "__import__"} and node.args:
            text = self._text(node.args[0])
            if text is None:
                self.computes = True
            else:
                self._add(text, ())
        self.generic_visit(node)

    def _text(self, node: ast.expr) -> str | None:
        """A text that stands in the module: as such, by a name, or put together from these; else None."""
        match node:
            case ast.Constant(str(value)):
                return value
            case ast.Name(name):
                return self._texts.get(name)
            case ast.FormattedValue(value, -1, None):
                return self._text(value)
            case ast.JoinedStr(values):
                parts = [self._text(value) for value in values]
                return None if None in parts else "".join(part for part in parts if part is not None)
        return None

    def _inside(self, node: ast.AST) -> None:
        self._optional += 1
        self.generic_visit(node)
        self._optional -= 1

    def _inside_function(self, node: ast.AST) -> None:
        self._functions += 1
        self._inside(node)
        self._functions -= 1

    visit_Try = _inside  # noqa: N815
    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _inside_function  # noqa: N815

    def _add(self, target: str, names: tuple[str, ...]) -> None:
        self.references.append(Reference(target, names, is_needed=not self._optional, is_at_once=not self._functions))
