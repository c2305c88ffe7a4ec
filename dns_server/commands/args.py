"""`unizone args`: every parameter with its value and its source; and the text of docs/parameters.md."""

import json
from typing import Any

from dns_server.parameters.output import FORMAT, OutputFormat
from dns_server.parameters.parameter import Group, Parameter
from dns_server.parameters.table import TABLE
from dns_server.settings import Settings, parameters_of


def run(settings: Settings, _operands: list[str]) -> int:
    """Print the parameters that `serve` takes; the exit code."""
    match settings[FORMAT]:
        case OutputFormat.TEXT:
            print(_text(settings))
        case OutputFormat.JSON:
            print(_json(settings))
        case OutputFormat.MARKDOWN:
            print(markdown(), end="")
    return 0


def _rows(settings: Settings) -> list[tuple[str, str | None, str]]:
    parameters = parameters_of("serve")
    found = [(parameter.name, settings.setting(parameter)) for parameter in parameters]
    return [(name, setting.text, setting.source) for name, setting in found]


def _text(settings: Settings) -> str:
    rows = [(f"--{name}", "(none)" if text is None else repr(text), source) for name, text, source in _rows(settings)]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "\n".join(f"{name:<{first}}  {text:<{second}}  {source}" for name, text, source in rows)


def _json(settings: Settings) -> str:
    rows = [{"name": name, "value": text, "source": source} for name, text, source in _rows(settings)]
    return json.dumps(rows, indent=2)


def markdown() -> str:
    """The whole of docs/parameters.md."""
    lines = [
        "# Parameters",
        "",
        "Made from the table in `dns_server/parameters/` by `unizone args --format=markdown > docs/parameters.md`.",
        "",
        "A parameter is written `--name=value` (or `--name value`). A bad or unknown one stops the program with exit",
        "code 64 and a message with the parameter, the value, what is wrong with it and an example.",
        "`unizone args` shows each value and where it came from; secrets, also those in URLs, are masked wherever",
        "they are printed.",
        "",
        "Times take a unit: `500ms`, `60s`, `5m`, `2h`, `1d`.",
    ]
    for group in Group:
        members = [parameter for parameter in TABLE if parameter.group is group]
        lines += ["", f"## {group.value}", ""]
        for parameter in members:
            lines += _section(parameter)
    return "\n".join(lines).rstrip() + "\n"


def _section(parameter: Parameter[Any]) -> list[str]:
    facts = [
        f"default: `{parameter.default}`" if parameter.default is not None else "no default",
        f"example: `--{parameter.name}={parameter.example}`",
        f"taken by: {', '.join(f'`{verb}`' for verb in sorted(parameter.verbs))}",
    ]
    if parameter.repeatable:
        facts.append("repeatable")
    if parameter.secret:
        facts.append("secret: never printed")
    return [
        f"### `--{parameter.name}={parameter.metavar}`",
        "",
        parameter.doc,
        "",
        *(f"- {fact}" for fact in facts),
        "",
    ]
