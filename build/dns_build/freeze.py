"""Freeze an application: trace its imports, compile what it reaches, and write the tables that CPython is linked with.

Run by the image's own interpreter as `python -m dns_build.freeze`, with a JSON object on standard input (see `Job`). It
writes `frozen.S` (the code of all modules), `tables.c` (the tables that `Python/frozen.c` and `Modules/config.c` have
in a usual build) and `modules.json` (what went in, and why).
"""

import ast
import fnmatch
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path
from types import CodeType
from typing import Any

from dns_build import deferred, frozen, graph, marshalling, unneeded
from dns_build.classes import enumerations, plain, records, tuples, written

# Search roots with the project's own modules.
OWN_ROOTS = frozenset({"unizone", "dns_platform"})

# What CPython's start imports by name from C: the graph sees imports of Python code only.
STARTUP = ("encodings", "encodings.utf_8", "encodings.latin_1", "codecs", "io", "abc", "os", "warnings", "traceback")

# What `platform/common/python.c` imports first, the tables that it reads, which are written here, and one code object
# with those of all modules that every start imports: what they have in common is read once.
PREPARED, TABLES, STARTED = "unizone_prepared", "unizone_tables", "unizone_started"


@dataclass(frozen=True)
class Job:
    """What is to be frozen."""

    applications: Sequence[str]
    started: Sequence[str]
    """What applications load by computed names at every start."""
    roots: Mapping[str, str]
    also: Mapping[str, Sequence[str]]
    left_out: Sequence[str]
    waiting: Sequence[str]
    """Modules, `a.*` for all below a, that run when something of them is first asked for."""
    asked: Sequence[str]
    """Those of them of which every start asks something."""
    typed: Sequence[str]
    """Modules of others, written likewise, whose imports for annotations alone are left out as in our own."""
    extensions: Mapping[str, str]
    """Compiled modules that are linked beside CPython's own, with their initialisers; their sources are traced."""
    machine: Sequence[str]
    """Those of them that stand for the machine: nothing is asked of it while modules are only imported."""
    packer: str
    """The program that packs (build/lz4/pack.c)."""
    output: str

    def rules(self) -> graph.Rules:
        """The rules for the graph."""
        return graph.Rules(
            roots={name: Path(folder) for name, folder in self.roots.items()},
            also=self.also,
            left_out=frozenset(self.left_out),
            builtin=frozenset(sys.builtin_module_names) | self.extensions.keys(),
        )


def freeze(job: Job) -> None:
    """Write the tables and the report."""
    applications = [PREPARED, written.HELPERS, *job.applications, *frozen.BOOTSTRAP.values(), *STARTUP]
    traced = graph.trace(applications, job.rules())
    # Elsewhere they are known and in the table, or optional; in our own code they would be missing in silence.
    own = {name for name in traced.computed if traced.modules[name].root in OWN_ROOTS} - job.also.keys()
    if own:
        raise LookupError(
            f"modules import names that they compute: {', '.join(sorted(own))}; "
            "import a text that stands in the module, or list what is imported under [also]"
        )
    # What a compiled module needs, it needed while it was compiled.
    broken = sorted(pair for pair in traced.broken if pair[0] not in job.extensions)
    if broken:
        lines = [f"  {module} needs {missing}" for module, missing in broken]
        raise LookupError("modules need others that are missing or left out:\n" + "\n".join(lines))
    names = {old: new for new, old in frozen.BOOTSTRAP.items()}
    waiting = _waiting(job, traced)
    trees = _trees(job, traced)
    started = _started(job, traced, trees.keys() - waiting) + sorted(waiting & trees.keys() & set(job.asked))
    _prepare(job, traced, trees, waiting, started)
    trees[TABLES] = _syntax(traced.modules[TABLES], job.roots[traced.modules[TABLES].root])
    exported = _exported(trees[name] for name in trees if traced.modules[name].root in OWN_ROOTS)
    compiled: dict[str, Callable[[], CodeType]] = {}
    entries: dict[str, dict[str, Any]] = {}
    for name, module in sorted(traced.modules.items()):
        entry: dict[str, Any] = {"name": name, "root": module.root, "because": traced.because[name]}
        if name in trees:
            assert module.path is not None
            source = module.path.read_bytes()
            if module.root in OWN_ROOTS:
                deferred.defer(
                    trees[name],
                    lambda module, name: module in waiting and f"{module}.{name}" not in traced.modules,
                    exported.get(name, frozenset()),
                )
            compiled[name] = partial(_compile, trees[name], module, job.roots[module.root])
            entry["sha256"] = hashlib.sha256(source).hexdigest()
        entries[name] = entry
    together = [compiled.pop(name) for name in started]
    compiled[STARTED] = partial(_together, together)
    parts = []
    codes = {name: marshalling.dumps(make) for name, make in compiled.items()}
    for name, code in frozen.pack(job.packer, codes).items():
        is_package = name in traced.modules and traced.modules[name].is_package
        parts.append((names.get(name, name), is_package, code))
        if name == STARTED:
            shares = _shares(len(code), [len(marshalling.dumps(make)) for make in together])
            for part, share in zip(started, shares, strict=True):
                entries[part]["size"] = share
        else:
            entries[name]["size"] = len(code)
    builtin = frozen.ALWAYS | {
        name for name, module in traced.modules.items() if module.path is None or name in job.extensions
    }
    output = Path(job.output)
    output.joinpath("frozen.bin").write_bytes(b"".join(code for _, _, code in parts))
    output.joinpath("frozen.S").write_text(frozen.assembly(output / "frozen.bin"))
    output.joinpath("tables.c").write_text(frozen.tables(parts, builtin, job.extensions))
    report = {
        "modules": list(entries.values()),
        "started": started,
        "builtin": sorted(builtin),
        "missing": {name: sorted(importers) for name, importers in sorted(traced.missing.items())},
        "computed": sorted(traced.computed),
    }
    output.joinpath("modules.json").write_text(json.dumps(report, indent=1) + "\n")


def _started(job: Job, traced: graph.Graph, compiled: Set[str]) -> list[str]:
    """Modules that every start imports, and that `unizone_prepared` imports; those that wait apart."""
    others = traced.modules.keys() - compiled - job.extensions.keys()
    before = {
        PREPARED,
        TABLES,
        *frozen.BOOTSTRAP.values(),
        *traced.started(["encodings", "encodings.utf_8", "io"], others),
    }
    every = traced.started([PREPARED, *job.applications, *job.started], others)
    return sorted((every & compiled) - before)


def _together(compiled: Iterable[Callable[[], CodeType]]) -> CodeType:
    """Code objects as constants of one: CPython takes nothing else for a frozen module."""
    return compile("", STARTED, "exec").replace(co_consts=tuple(make() for make in compiled))


def _shares(size: int, weights: Sequence[int]) -> list[int]:
    """A size divided by weights, in whole octets."""
    bounds = [size * below // sum(weights) for below in accumulate(weights, initial=0)]
    return [after - before for before, after in pairwise(bounds)]


def _trees(job: Job, traced: graph.Graph) -> dict[str, ast.Module]:
    """What is compiled of each module: without what nobody reads, and with classes written out."""
    sources = {name: module for name, module in traced.modules.items() if module.path is not None}
    own = {name for name in sources if traced.modules[name].root in OWN_ROOTS}
    typed = own | {name for pattern in job.typed for name in fnmatch.filter(sources, pattern)}
    trees = {name: _syntax(module, job.roots[module.root]) for name, module in sources.items()}
    before = {name: unneeded.used(trees[name]) for name in typed - job.extensions.keys()}
    for name, module in sources.items():
        _strip_unread(trees[name], module, is_typed=name in typed)
    compiled = [(name, trees.pop(name)) for name in sorted(job.extensions.keys() & trees.keys())]
    typed &= trees.keys()
    for name, tree in trees.items():
        if name in typed:
            plain.expand(tree)
            records.expand(tree)
        tuples.expand(tree)
        enumerations.expand(tree)
        written.add_helpers(tree)
        if name in typed:
            unneeded.unannotate(tree)
    others = [*compiled, *((name, tree) for name, tree in trees.items() if name not in typed)]
    packages = {name for name, module in traced.modules.items() if module.is_package}
    unneeded.drop({name: trees[name] for name in sorted(typed)}, before, packages, others)
    return trees


def _prepare(
    job: Job, traced: graph.Graph, trees: Mapping[str, ast.Module], waiting: Set[str], started: Sequence[str]
) -> None:
    """Write `unizone_tables` in place of the empty one that the graph found."""
    table = traced.modules[TABLES].path
    assert table is not None
    files = {name: (str(module.path), module.is_package) for name, module in traced.modules.items() if module.path}
    folder = Path(job.output) / "prepared"
    folder.mkdir()
    for name, tree in trees.items():
        file = folder / f"{name}.py"
        file.write_text(ast.unparse(tree))
        files[name] = str(file), traced.modules[name].is_package
    # What Cython compiles for the image is imported as Python here, which knows of it by this module.
    files["cython"] = (str(Path(job.roots["packages"]) / "Cython" / "Shadow.py"), False)
    result = subprocess.run(
        [sys.executable, "-S", "-P", "-X", "no_debug_ranges", "-m", "dns_build.prepare"],
        env={**os.environ, "PYTHONHASHSEED": "0"},  # two builds import, and write down, in one order
        input=json.dumps(
            {"modules": files, "left_out": sorted(set(job.left_out) - files.keys()), "machine": list(job.machine)}
        ),
        text=True,
        capture_output=True,
        check=False,
    )
    if result.returncode:
        raise LookupError(f"modules can't be prepared:\n{result.stderr}")
    names = {
        "MODULES": trees.keys() - frozen.BOOTSTRAP.values(),
        "PACKAGES": {name for name in trees if traced.modules[name].is_package},
        "WAITING": waiting,
    }
    sets = "".join(f"{name} = frozenset({sorted(found)!r})\n" for name, found in names.items())
    table.write_text(f"{result.stdout}{sets}STARTED = {tuple(started)!r}\n")
    table.with_suffix(".log").write_text(result.stderr)


def _waiting(job: Job, traced: graph.Graph) -> set[str]:
    return {name for pattern in job.waiting for name in fnmatch.filter(traced.modules, pattern)} - job.extensions.keys()


def _exported(trees: Iterable[ast.Module]) -> dict[str, set[str]]:
    """For each module the names that others import from it."""
    exported: dict[str, set[str]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                exported.setdefault(node.module, set()).update(alias.name for alias in node.names)
    return exported


def _strip_unread(tree: ast.Module, module: graph.Module, *, is_typed: bool) -> None:
    """Take away docstrings and annotations nobody reads."""
    assert module.path is not None
    source = module.path.read_bytes()
    _strip(tree, reads_doc=b"__doc__" in source)
    if not any(word in source for word in _READS_ANNOTATIONS):
        _strip_annotations(tree, in_classes=is_typed)


def _syntax(module: graph.Module, root: str) -> ast.Module:
    assert module.path is not None
    return ast.parse(module.path.read_bytes(), _shown(module, root))


def _compile(tree: ast.Module, module: graph.Module, root: str) -> CodeType:
    bootstrap = module.name in frozen.BOOTSTRAP.values()
    # Tracebacks skip the import system's own frames by this form of the name.
    name = f"<frozen {module.name}>" if bootstrap else _shown(module, root)
    code: CodeType = compile(tree, name, "exec", dont_inherit=True)
    return code


def _shown(module: graph.Module, root: str) -> str:
    """A module's path below its root: what tracebacks name."""
    assert module.path is not None
    return str(module.path.relative_to(root))


def _strip(tree: ast.Module, *, reads_doc: bool) -> None:
    """Remove docstrings, except what is read: by the module itself, and by `dataclass`.

    A dataclass without a docstring makes one from its signature, which costs more time and space than a text: each gets
    its name.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Module) and reads_doc:
            continue
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            while node.body and _is_text(node.body[0]):
                del node.body[0]
            if isinstance(node, ast.ClassDef) and any("dataclass" in ast.dump(item) for item in node.decorator_list):
                text = ast.Expr(ast.Constant(node.name))
                node.body.insert(0, ast.fix_missing_locations(ast.copy_location(text, node)))
            if not node.body:
                node.body = [ast.Pass(lineno=1, col_offset=0)]


# Modules with one of these words may read annotations of functions, their own or those of others that they decorate.
_READS_ANNOTATIONS = (b"__annotations__", b"get_type_hints", b"singledispatch", b"get_annotations")

# What `dataclass` and `TypedDict` look for in annotations of a class; of all others they take the name.
_MEANS_SOMETHING = {"ClassVar", "InitVar", "KW_ONLY", "Required", "NotRequired", "ReadOnly"}


def _strip_annotations(tree: ast.Module, *, in_classes: bool) -> None:
    """Remove annotations of functions: evaluating them takes a tenth of the code, and time at each start.

    Those in classes stay, because `dataclass` and `NamedTuple` are made of them. With `in_classes` they become None,
    and modules that they would name can go on waiting.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign) and in_classes and not _means_something(node.annotation):
            node.annotation = ast.copy_location(ast.Constant(None), node.annotation)


def _means_something(annotation: ast.expr) -> bool:
    return any(isinstance(part, ast.Name) and part.id in _MEANS_SOMETHING for part in ast.walk(annotation))


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


if __name__ == "__main__":
    try:
        freeze(Job(**json.load(sys.stdin)))
    except LookupError as error:
        sys.exit(str(error))
