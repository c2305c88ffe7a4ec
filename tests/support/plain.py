"""Sources of compiled modules, run by plain Python."""

import functools
import importlib
import importlib.util
from pathlib import Path
from types import ModuleType


@functools.cache
def plain_module(name: str) -> ModuleType:
    """The module `name` as plain Python, also where an extension module stands beside its source."""
    installed = importlib.import_module(name).__file__
    assert installed is not None
    path = Path(installed).parent / f"{name.rpartition('.')[2]}.py"
    spec = importlib.util.spec_from_file_location(f"plain_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert not module.COMPILED
    return module
