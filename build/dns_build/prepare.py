"""Import modules as an image does, and write down what they compile: see `platform/facades/all/unizone_prepared.py`.

Run by the image's own interpreter as `python -m dns_build.prepare`, with a JSON object on standard input: `modules`,
their files by name and whether each is a package, `left_out`, and `machine`, modules that only the image has. It prints
the module `unizone_tables`. A module that can't be imported here is passed over; what it compiles is compiled at the
start of the image.
"""

# What is imported before the recorders are in place compiles unseen, so the order is that of the image.
import collections
import functools
import importlib.machinery
import marshal
import re
import sys
from types import CodeType, ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from dns_build import marshalling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.machinery import ModuleSpec

_texts: dict[str, bytes] = {}
_patterns: dict[tuple[str | bytes, int], bytes] = {}


def _compiled(text: str, mode: str) -> CodeType:
    compiled = functools.partial(compile, text, "<string>", mode)
    _texts[text] = marshalling.dumps(compiled)
    return compiled()


def _exec(text: str, variables: dict[str, Any], names: "Mapping[str, Any]") -> None:
    exec(_compiled(text, "exec"), variables, names)


def _eval(text: str, variables: dict[str, Any]) -> object:
    return eval(_compiled(text, "eval"), variables)


def _record_patterns(compiler: ModuleType) -> None:
    """Let `re._compiler` keep what it gives to its compiled half."""
    half, compiled = compiler._sre, compiler.compile
    last: Any = ()

    def compile_half(pattern: str | bytes, flags: int, code: list[int], *groups: object) -> object:
        nonlocal last
        last = (int(flags), [int(word) for word in code], *groups)  # plain numbers: the names of some can't be kept
        return half.compile(pattern, flags, code, *groups)

    def compile_pattern(pattern: str | bytes, flags: int = 0) -> object:
        result = compiled(pattern, flags)
        if isinstance(pattern, str | bytes):
            _patterns[pattern, int(flags)] = marshal.dumps(last)
        return result

    compiler._sre = SimpleNamespace(**{**vars(half), "compile": compile_half})  # type: ignore[attr-defined]
    compiler.compile = compile_pattern  # type: ignore[attr-defined]


class _Finder:
    """Finds the modules of the image, those that stand for others too, and nothing else but what is linked."""

    def __init__(self, modules: "Mapping[str, tuple[str, bool]]") -> None:
        self._modules = modules

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> "ModuleSpec | None":
        """Spec of a module by its file; None for others."""
        if name not in self._modules:
            return None
        path, is_package = self._modules[name]
        loader = importlib.machinery.SourceFileLoader(name, path)
        return importlib.machinery.ModuleSpec(name, loader, origin=path, is_package=is_package)


class _Machine(ModuleType):
    """Stands for a module that only the image has: it can be imported, and that is all."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


def record(modules: "Mapping[str, tuple[str, bool]]", left_out: "Sequence[str]", machine: "Sequence[str]") -> None:
    """Import the modules from their files."""
    sys.path[:] = []
    sys.modules.update({name: _Machine(name) for name in machine})
    sys.meta_path.insert(0, _Finder(modules))
    for name in left_out:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:  # whatever it needs, it is not here
            print(f"prepare: {name} is passed over: {error!r}", file=sys.stderr)


def tables() -> str:
    """Source of the module with what was recorded."""
    lines = ["TEXTS = {", *(f"    {text!r}: {code!r}," for text, code in sorted(_texts.items())), "}"]
    patterns = sorted(_patterns.items(), key=repr)
    return "\n".join([*lines, "PATTERNS = {", *(f"    {key!r}: {code!r}," for key, code in patterns), "}", ""])


if __name__ == "__main__":
    collections.eval = _eval  # type: ignore[attr-defined]
    collections.namedtuple("CacheInfo", functools._CacheInfo._fields)  # as `functools` did too early to be recorded
    _record_patterns(re._compiler)  # type: ignore[attr-defined]
    import dataclasses

    dataclasses.exec = _exec  # type: ignore[attr-defined]
    import json

    job = json.load(sys.stdin)
    output, sys.stdout = sys.stdout, sys.stderr
    record(job["modules"], job["left_out"], job["machine"])
    output.write(tables())
