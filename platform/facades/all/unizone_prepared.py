"""What makes images start quickly: code compiled when they are built, and modules that wait until they are used.

`dataclass` and `namedtuple` write source text and compile it, and `re` compiles patterns: a third of what a start would
cost. The builder imports the modules once and keeps what they compile (`dns_build/prepare.py`); here it is found by the
very text. What is not there is compiled as ever.
"""

import _frozen_importlib
import _sre
import collections
import marshal
import re
import sys

from unizone_tables import PATTERNS, TEXTS, WAITING


def _compiled(text, mode):
    # Those of dataclasses are asked for once; named tuples with the same fields have the same.
    prepared = TEXTS.get(text) if mode == "eval" else TEXTS.pop(text, None)
    return compile(text, "<string>", mode) if prepared is None else marshal.loads(prepared)


def _exec(text, variables, names):
    exec(_compiled(text, "exec"), variables, names)


def _eval(text, variables):
    return eval(_compiled(text, "eval"), variables)


def _pattern(pattern, flags=0, compiled=re._compiler.compile):
    prepared = PATTERNS.pop((pattern, flags), None) if isinstance(pattern, (str, bytes)) else None
    return compiled(pattern, flags) if prepared is None else _sre.compile(pattern, *marshal.loads(prepared))


# The names that these modules call, which are built in or their own.
collections.eval = _eval
re._compiler.compile = _pattern


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
    import traceback

    return traceback.extract_stack(f or sys._getframe(1), limit)


# Of modules that wait, what others take at once and have no use for at a start.
_AT_HAND = {
    **{("typing", name): _Meaningless for name in ("Any", "ClassVar", "Final", "Self")},
    ("typing", "TYPE_CHECKING"): False,
    ("traceback", "extract_stack"): _extract_stack,
}


class _Waiting(type(sys)):
    """A module that runs when something of it is first asked for."""

    def __getattr__(self, name):
        if (self.__name__, name) in _AT_HAND:
            return _AT_HAND[self.__name__, name]
        if name in {
            "__file__",
            "__path__",
        }:  # a module has them before it runs, or never; who looks for them just looks
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self.__class__ = type(sys)
        try:
            _frozen_importlib.FrozenImporter.exec_module(self)
        except BaseException:
            self.__class__ = _Waiting
            raise
        if self.__name__ == "dataclasses":
            _prepare_dataclasses(self)
        return getattr(self, name)


class _WaitingFinder:
    """Finds modules that may wait, and is their loader."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        """Spec of a module that may wait; None for others."""
        spec = _frozen_importlib.FrozenImporter.find_spec(name) if name in WAITING else None
        if spec is not None:
            spec.loader = cls
        return spec

    create_module = _frozen_importlib.FrozenImporter.create_module

    @staticmethod
    def exec_module(module):
        """Let it wait."""
        module.__class__ = _Waiting


sys.meta_path.insert(0, _WaitingFinder)

if "dataclasses" not in WAITING:
    import dataclasses

    _prepare_dataclasses(dataclasses)
