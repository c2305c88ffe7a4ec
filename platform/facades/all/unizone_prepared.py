"""What makes images start quickly: code compiled when they are built, and modules that wait until they are used.

`dataclass` and `namedtuple` write source text and compile it, and `re` compiles patterns: a third of what a start would
cost. The builder imports the modules once and keeps what they compile (`dns_build/prepare.py`); here it is found by the
very text. What is not there is compiled as ever.

Modules of the image are imported by a few lines in place of `importlib`'s, which ask three finders for each and make
locks, specs and weak references for it: nearly 100,000 instructions where 10,000 do, 350 times at a start.
"""

import _frozen_importlib
import _imp
import _sre
import _warnings
import marshal
import sys

from unizone_tables import MODULES, PACKAGES, PATTERNS, STARTED, TEXTS, WAITING

_Module = type(sys)  # what `types` calls so, before there is a use for the rest of it

# Code of the modules that every start imports, each until its module has run.
_codes = dict(zip(STARTED, _imp.get_frozen_object("unizone_started").co_consts, strict=True)) if STARTED else {}


def _compiled(text, mode):
    # Those of dataclasses are asked for once; named tuples with the same fields have the same.
    prepared = TEXTS.get(text) if mode == "eval" else TEXTS.pop(text, None)
    return compile(text, "<string>", mode) if prepared is None else marshal.loads(prepared)


def _exec(text, variables, names):
    exec(_compiled(text, "exec"), variables, names)


def _eval(text, variables):
    return eval(_compiled(text, "eval"), variables)


def _annotations(thing, **_options):
    # `dataclass` asks for a class's own; `inspect.signature` for a function's, with options for texts.
    return dict(thing.__dict__.get("__annotations__", ()) if isinstance(thing, type) else thing.__annotations__)  # noqa: RUF063  what is wanted is to do without `inspect`


def _prepare_dataclasses(module):
    module.exec = _exec
    module.inspect.get_annotations = _annotations  # all that is wanted of it, and it is large: so it goes on waiting


class _Meaningless:
    """Stands for names of `typing` as long as that waits: these are only found in annotations."""

    def __class_getitem__(cls, _type):
        return cls


def _extract_stack(f=None, limit=None):
    """What asyncio's compiled half takes from `traceback` when it is imported, for its debug mode."""
    return _ran("traceback").extract_stack(f or sys._getframe(1), limit)


def _dumps(*arguments, **options):
    """What structlog takes from `json`, in case that somebody wants its lines in JSON."""
    return _ran("json").dumps(*arguments, **options)


# Of modules that wait, what others take at once and have no use for at a start.
_AT_HAND = {
    **{("typing", name): _Meaningless for name in ("Any", "ClassVar", "Final", "Self")},
    **{("concurrent.futures", name): name for name in ("FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED")},
    ("json", "dumps"): _dumps,
    ("subprocess", "PIPE"): -1,
    ("subprocess", "STDOUT"): -2,
    ("subprocess", "DEVNULL"): -3,
    ("traceback", "extract_stack"): _extract_stack,
    ("typing", "TYPE_CHECKING"): False,
    ("warnings", "warn"): _warnings.warn,
}


class _Waiting(_Module):
    """A module that runs when something of it is first asked for."""

    def __getattr__(self, name):
        if (self.__name__, name) in _AT_HAND:
            return _AT_HAND[self.__name__, name]
        if self.__name__ == "socket" and (type(_socket.__dict__.get(name)) is int or name == "gaierror"):
            return getattr(_socket, name)  # `socket` makes enumerations of its constants
        if name in {
            "__file__",
            "__path__",
        }:  # a module has them before it runs, or never; who looks for them just looks
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(_run(self), name)


def _run(module):
    """Let a module wait no longer."""
    module.__class__ = _Module
    try:
        _execute(module)
    except BaseException:
        module.__class__ = _Waiting
        raise
    if module.__name__ == "dataclasses":
        _prepare_dataclasses(module)
    return module


def _execute(module):
    name = module.__name__
    if name in _codes:
        exec(_codes[name], module.__dict__)
        del _codes[name]
    else:
        _frozen_importlib.FrozenImporter.exec_module(module)


def _ran(name):
    module = sys.modules[name]
    return _run(module) if type(module) is _Waiting else module


def _find_and_load(name, import_, others=_frozen_importlib._find_and_load):
    """What `importlib` does, in fewer steps for modules of the image.

    One lock is for all, as it was in older Pythons: compiled modules import others too, so a lock for each of those
    and one for the rest could wait for each other.
    """
    _imp.acquire_lock()
    try:
        if name not in MODULES:
            return others(name, import_)
        parent, _, child = name.rpartition(".")
        if parent and parent not in sys.modules:
            import_(parent)
        if name in sys.modules:
            return others(name, import_)
        module = _load(name)
        if parent:
            setattr(sys.modules[parent], child, module)
        return module
    finally:
        _imp.release_lock()


def _load(name):
    spec = _frozen_importlib.ModuleSpec(
        name, _frozen_importlib.FrozenImporter, origin="frozen", is_package=name in PACKAGES
    )
    module = (_Waiting if name in WAITING else _Module)(name)
    module.__spec__ = spec
    module.__loader__ = spec.loader
    module.__package__ = spec.parent
    if name in PACKAGES:
        module.__path__ = spec.submodule_search_locations
    spec._initializing = True
    sys.modules[name] = module
    try:
        if name not in WAITING:
            _execute(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    finally:
        spec._initializing = False
    return sys.modules[name]


_frozen_importlib._find_and_load = _find_and_load

import _socket  # noqa: E402

# Each gets its own way to compile before the next is imported, which makes a named tuple, or a pattern.
import collections  # noqa: E402

collections.eval = _eval

import re  # noqa: E402


def _pattern(pattern, flags=0, compiled=re._compiler.compile):
    prepared = PATTERNS.pop((pattern, flags), None) if isinstance(pattern, (str, bytes)) else None
    return compiled(pattern, flags) if prepared is None else _sre.compile(pattern, *marshal.loads(prepared))


re._compiler.compile = _pattern

if "dataclasses" not in WAITING:
    import dataclasses

    _prepare_dataclasses(dataclasses)
