"""Sources as plain Python, also where extension modules stand beside them."""

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType


class _SourceFinder(importlib.abc.MetaPathFinder):
    """Finds the modules of one package by their sources."""

    def __init__(self, package: str) -> None:
        self._prefix = f"{package}."

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not name.startswith(self._prefix) or not path:
            return None
        return spec_from_file_location(name, Path(path[0], f"{name.rpartition('.')[2]}.py"))


@contextmanager
def uncompiled(package: str) -> Iterator[None]:
    """Within, the modules of `package` are imported from their sources; afterwards they are again what they were."""
    finder = _SourceFinder(package)
    prefix = f"{package}."
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith(prefix)}
    parent = importlib.import_module(package)
    attributes = dict(vars(parent))
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith(prefix)]:
            del sys.modules[name]
        sys.modules.update(before)
        vars(parent).update(attributes)
