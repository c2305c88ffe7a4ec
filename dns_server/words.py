"""The words of a command line that need no parser, which are those of nearly every start."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from dns_server.parameters.parameter import Parameter


class Words(NamedTuple):
    """What stands on a command line behind the verb."""

    texts: Mapping[str, Sequence[str]]
    """What each parameter was given, in that order, by its name without dashes."""
    operands: Sequence[str] = ()
    rest: Sequence[str] = ()
    """What is neither."""


def plain(parameters: Collection[Parameter[Any]], arguments: Sequence[str]) -> Words | None:
    """`arguments` where each is a `--parameter=value`; else None: `dns_server.parser` reads those, and gives the help.

    argparse alone would be a thirtieth of the start of an emulated machine.
    """
    texts: dict[str, list[str]] = {f"--{parameter.name}": [] for parameter in parameters}
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if not equals or name not in texts:
            return None
        texts[name].append(text)
    return Words({name.removeprefix("--"): found for name, found in texts.items()})
