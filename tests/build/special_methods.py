"""Make classes as standard input tells, one hierarchy a line, and print what their instances do: see test_slots.py.

Run by two interpreters, so it uses nothing but what both have.
"""

import json
import operator
import sys
from collections.abc import Callable
from typing import Any

_BUILTINS: dict[str, type] = {"object": object, "int": int, "list": list, "dict": dict, "Exception": Exception}


def _add_in_place(thing: Any) -> object:  # noqa: ANN401
    thing += 1
    return thing


_OPERATIONS: dict[str, Callable[[Any], object]] = {
    "repr": repr,
    "str": str,
    "hash": hash,
    "len": len,
    "bool": bool,
    "iter": iter,
    "next": next,
    "index": operator.index,
    "call": lambda thing: thing(1),
    "item": lambda thing: thing[0],
    "set item": lambda thing: operator.setitem(thing, 0, 1),
    "delete item": lambda thing: operator.delitem(thing, 0),
    "contains": lambda thing: 0 in thing,
    "add": lambda thing: thing + 1,
    "add to": lambda thing: 1 + thing,
    "add in place": _add_in_place,
    "negative": lambda thing: -thing,
    "equal": lambda thing: thing == 1,
    "less": lambda thing: thing < 1,
    "attribute": lambda thing: thing.absent,
    "set attribute": lambda thing: setattr(thing, "other", 1),
    "delete attribute": lambda thing: delattr(thing, "other"),
    "await": lambda thing: thing.__await__(),
    "descriptor": lambda thing: type("Holder", (), {"held": thing})().held,
}


class _Shorter(type):
    """Leaves `object` out of the order in which methods are looked up."""

    def mro(cls) -> list[type]:
        return [found for found in super().mro() if found is not object]


class _Text(str):
    """Equal to a name, and not the same object."""

    __slots__ = ()


def _method(label: str, name: str) -> Callable[..., Any]:
    results: dict[str, object] = {"__hash__": 7, "__len__": 3, "__bool__": False, "__index__": 5, "__init__": None}
    result = results.get(name, f"{label}{name}")

    def method(*arguments: object) -> object:
        if name == "__getitem__" and arguments[-1] in {3, 4}:
            raise IndexError  # who iterates over these items comes to an end
        return result

    return method


_SPELLED: dict[str, Callable[[str], str]] = {
    "plain": sys.intern,
    "joined": lambda name: "".join([name[:1], name[1:]]),
    "text": _Text,
}


def _made(description: list[dict[str, Any]]) -> type:
    made: list[type] = []
    for number, told in enumerate(description):
        bases: tuple[type, ...] = tuple(
            _BUILTINS[base] if isinstance(base, str) else made[base % number] for base in told["bases"]
        )
        methods = {name: _method(f"{number}.", name) for name in told["methods"]}
        # Of three spellings one is interned, as it is in a class statement.
        spelled = _SPELLED[told["keys"]]
        names = {spelled(name): method for name, method in methods.items()}
        names.update(dict.fromkeys(told["none"]))
        meta: Any = _Shorter if told["shorter"] else type
        made.append(meta(f"C{number}", bases, names))
        for name in told["later"]:
            setattr(made[-1], name, _method(f"{number} later.", name))
    return made[-1]


def _tried(operation: Callable[[Any], object], thing: object) -> str:
    try:
        result = operation(thing)
    except Exception as error:
        return type(error).__name__
    # What has an address in it differs from run to run.
    return type(result).__name__ if " at 0x" in repr(result) or isinstance(result, int) else repr(result)


for line in sys.stdin:
    try:
        found: Any = _made(json.loads(line))
        thing = found()
    except TypeError as error:
        print(json.dumps({"error": type(error).__name__}), flush=True)
    else:
        print(json.dumps({name: _tried(run, thing) for name, run in _OPERATIONS.items()}), flush=True)
