"""From texts to values: the parameters of one run, each with the source it came from."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

from dns_server.parameters.parameter import Parameter
from dns_server.parameters.table import TABLE
from dns_server.values import MASK, mask_urls

Value = TypeVar("Value")

EXIT_BAD_PARAMETER: Final = 64  # EX_USAGE of sysexits.h
COMMAND_LINE: Final = "command line"
"""The source of what was typed, or stands on the boot line."""
DEFAULT: Final = "default"
"""The source of a value that nobody asked for."""


class BadUsage(Exception):
    """The command line can't be read. The text is for the person who typed it."""


class BadParameter(BadUsage):
    """A parameter is unknown, missing or malformed."""

    def __init__(self, parameter: str, value: str | None, problem: str, example: str | None, place: str = "") -> None:
        """`place` is file and line of it, where it is in a file."""
        given = parameter if value is None else f"{parameter}={value}"
        where = f" ({place})" if place else ""
        lines = [f"bad parameter {_printable(given)}{where}: {_printable(problem)}"]
        if example is not None:
            lines.append(f"  for example: {example}")
        super().__init__("\n".join(lines))


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of a parameter, its text for printing (secrets are masked), and where it came from."""

    value: Any
    text: str | None
    source: str


class Settings:
    """Values of all parameters that one command takes."""

    def __init__(
        self, settings: Mapping[str, Setting], foreign: Sequence[str] = (), places: Sequence[str] = ()
    ) -> None:
        self._settings = settings
        self.places = tuple(places)
        """Files that parameters were read from, the later ones above the earlier ones."""
        self.foreign = tuple(foreign)
        """Words of the boot line that are for others."""

    def __getitem__(self, parameter: Parameter[Value]) -> Value:
        """The value of `parameter`."""
        value: Value = self._settings[parameter.name].value
        return value

    def with_default(self, parameter: Parameter[Any], text: str) -> "Settings":
        """These settings, with `text` for `parameter` unless something else was asked for."""
        if self.setting(parameter).source != DEFAULT:
            return self
        given = {parameter.name: Setting(parameter.parse(text), text, DEFAULT)}
        return Settings({**self._settings, **given}, self.foreign, self.places)

    def setting(self, parameter: Parameter[Any]) -> Setting:
        """The value of `parameter` with its source."""
        return self._settings[parameter.name]


class Text(NamedTuple):
    """What was said of a parameter."""

    name: str
    """Without dashes."""
    text: str
    place: str = ""
    """File and line, where it is in a file."""
    resolved: str | None = None
    """What is parsed in place of `text`, where it names a file of its source's own."""


@dataclass(frozen=True, slots=True)
class Source:
    """Texts of parameters from one place, in their order."""

    name: str
    """As `unizone args` shows it: `command line`."""
    texts: Sequence[Text]


def parameters_of(verb: str) -> list[Parameter[Any]]:
    """Parameters that the command `verb` takes, in the order of the table."""
    return [parameter for parameter in TABLE if verb in parameter.verbs]


def resolve(parameters: Iterable[Parameter[Any]], sources: Sequence[Source], foreign: Sequence[str] = ()) -> Settings:
    """Values of `parameters`: the last of `sources` (rising order) that names one decides. BadParameter.

    `foreign` is what stands on the boot line for others.
    """
    parameters = list(parameters)
    known = {parameter.name for parameter in parameters}
    for source in sources:
        for given in source.texts:
            if given.name not in known:
                raise unknown(f"--{given.name}={given.text}", parameters, given.place)
    places = [source.name for source in sources if source.name != COMMAND_LINE]
    return Settings({parameter.name: _setting(parameter, sources) for parameter in parameters}, foreign, places)


def unknown(argument: str, parameters: Iterable[Parameter[Any]], place: str = "") -> BadParameter:
    """The error for an `argument` that no parameter has."""
    flag, equals, value = argument.partition("=")
    by_flag = {f"--{parameter.name}": parameter for parameter in parameters}
    if flag in by_flag:  # known, and without its value
        return BadParameter(flag, None, "its value is missing", f"{flag}={by_flag[flag].example}")
    near = difflib.get_close_matches(flag, by_flag, n=1)
    if not near:
        return BadParameter(
            flag, value if equals and value else None, "there is no such parameter; --help lists all", None, place
        )
    example = f"{near[0]}={by_flag[near[0]].example}"
    # The value may be a secret behind a misspelt name: it is not repeated.
    return BadParameter(flag, None, f"there is no such parameter; did you mean {near[0]}?", example, place)


def _setting(parameter: Parameter[Any], sources: Sequence[Source]) -> Setting:
    for source in reversed(sources):
        texts = [text for text in source.texts if text.name == parameter.name]
        if len(texts) > 1 and not parameter.repeatable:
            given, problem = shown(parameter, texts[-1].text), f"given {len(texts)} times ({source.name})"
            raise BadParameter(f"--{parameter.name}", given, problem, None)
        if texts:
            text = ",".join(shown(parameter, text.text) for text in texts)
            return Setting(_value(parameter, texts), text, texts[-1].place or source.name)
    texts = [] if parameter.default is None else [Text(parameter.name, parameter.default)]
    return Setting(_value(parameter, texts), parameter.default, DEFAULT)


def _value(parameter: Parameter[Any], texts: list[Text]) -> object:
    parsed = []
    for text in texts:
        try:
            parsed.append(parameter.parse(text.text if text.resolved is None else text.resolved))
        except ValueError as error:
            flag, given = f"--{parameter.name}", shown(parameter, text.text)
            raise BadParameter(flag, given, str(error), f"{flag}={parameter.example}", text.place) from None
    if parameter.repeatable:
        return tuple(item for items in parsed for item in items)
    return parsed[0] if parsed else None


def shown(parameter: Parameter[Any], text: str) -> str:
    """`text` of `parameter` as it may be printed."""
    return MASK if parameter.secret else mask_urls(text)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
