"""Imports modules in all ways; `json`, `socket` and `traceback` are three of those that wait."""

import importlib
import importlib.util
import json
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from json import dumps
from traceback import extract_stack

import imported.first


def _fails(call: Callable[[], object]) -> None:
    try:
        call()
    except (ImportError, ValueError) as error:
        print(f"{error}:", "imported.failing" in sys.modules)


def _slow(seen: list[bool]) -> None:
    import imported.slow

    seen.append(imported.slow.DONE)


def main() -> int:
    """Print what came of each."""
    module, package = imported.first, imported
    print(module.NAME, package.second.named())
    for one in (module, package):
        spec = one.__spec__
        assert spec is not None
        print(spec.name, spec.parent, spec.origin, spec.submodule_search_locations, spec.loader is one.__loader__)
        print(one.__name__, one.__package__, hasattr(one, "__file__"), getattr(one, "__path__", None))
    print(importlib.import_module("imported.first") is module)
    found = importlib.util.find_spec("imported.slow")
    assert found is not None
    print(found.name, "imported.slow" in sys.modules)
    for _ in range(2):
        _fails(lambda: importlib.import_module("imported.failing"))
    _fails(lambda: importlib.import_module("imported.absent"))
    _fails(lambda: importlib.import_module("imported.first.absent"))
    print(type(json).__name__, type(traceback).__name__)
    print(dumps([1]), extract_stack()[-1].name, type(json).__name__, type(traceback).__name__)
    family, error = socket.AF_INET6, socket.gaierror
    print(family, error.__mro__[1].__name__, type(socket).__name__)
    print(socket.AddressFamily(family).name, socket.AF_INET6 is socket.AddressFamily.AF_INET6, socket.gaierror is error)
    seen: list[bool] = []
    threads = [threading.Thread(target=_slow, args=[seen]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(seen)
    slow = sys.modules["imported.slow"]  # what every start imports is not kept, so it can't be imported again
    print(importlib.reload(slow) is slow)
    return 0
