"""Reads any command line of a verb, and prints its help."""

import argparse
from collections.abc import Collection, Sequence
from typing import Any, NoReturn

from dns_server.parameters.parameter import Group, Parameter
from dns_server.settings import BadUsage, unknown
from dns_server.words import Words


class _Parser(argparse.ArgumentParser):
    """argparse reads and prints help; what is wrong goes the same way as everything that is."""

    def error(self, message: str) -> NoReturn:
        raise BadUsage(f"{message}\n  for help: {self.prog} --help")


def read(
    verb: str,
    doc: str,
    operands: Sequence[tuple[str, str]],
    parameters: Collection[Parameter[Any]],
    arguments: Sequence[str],
) -> Words:
    """What stands in `arguments`; each of `operands` is a name, in brackets when it may be left out, and what it is.

    BadUsage; SystemExit after the help.
    """
    parser = _Parser(
        prog=f"unizone {verb}",
        usage=" ".join([f"unizone {verb}", *(name for name, _ in operands), "[--parameter=value ...]"]),
        description=doc[0].upper() + doc[1:] + ".",
        allow_abbrev=False,
        exit_on_error=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, what in operands:
        parser.add_argument(name, help=what, metavar=name.strip("[]"), nargs="?" if name.startswith("[") else None)
    for group in Group:
        members = [parameter for parameter in parameters if parameter.group is group]
        if not members:
            continue
        section = parser.add_argument_group(group.value)
        for parameter in members:
            default = f" Default: {parameter.default}." if parameter.default else ""
            section.add_argument(
                f"--{parameter.name}",
                action="append",
                default=[],
                metavar=parameter.metavar,
                help=(parameter.doc + default).replace("%", "%%"),
            )
    try:
        found, rest = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        if error.argument_name is None:  # Python 3.13 raises for a missing operand what others give to `error`
            parser.error(error.message)
        # A parameter at the end without its value.
        raise unknown(error.argument_name, parameters) from None
    texts = {parameter.name: getattr(found, parameter.name.replace("-", "_")) for parameter in parameters}
    given = [getattr(found, name) for name, _ in operands]
    return Words(texts, [operand for operand in given if operand is not None], rest)
