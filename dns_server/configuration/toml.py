"""`unizone.toml`: parameters by their names, and where each is said, for messages.

    name = "ns1-fra"
    listen = ["192.0.2.1:53", "[2001:db8::1]:53"]
    tcp-connections = 2000
    http-token = "@http-token"        # the first line of that file beside this one

What names a file is looked for beside `unizone.toml`, in the folder, tar or volume that it is in.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any, Final

from dns_server.configuration.places import FILE, Place
from dns_server.parameters.configuration import CONFIG
from dns_server.parameters.parameter import Parameter
from dns_server.settings import BadParameter, BadUsage, Source, Text, shown, unknown

_POSITION: Final = re.compile(r" \(at line (\d+), column (\d+)\)$")


def read_source(place: Place, parameters: Sequence[Parameter[Any]]) -> Source:
    """What `unizone.toml` of `place` says of `parameters`. BadUsage with file and line."""
    where = place.locate(FILE)
    try:
        text = place.read(FILE).decode()
    except ValueError as error:  # UnicodeDecodeError is one
        raise BadUsage(f"bad configuration: {where}: {error}") from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        found = _POSITION.search(message)
        position = f":{found[1]}:{found[2]}" if found else ""
        raise BadUsage(f"bad configuration: {where}{position}: {_POSITION.sub('', message)}") from None
    by_name = {parameter.name: parameter for parameter in parameters}
    texts: list[Text] = []
    for name, value in document.items():
        line = f"{where}:{_line_of(text, name)}"
        parameter = by_name.get(name)
        if name == CONFIG.name:
            raise BadParameter(f"--{name}", None, "a configuration can't name another one", None, line)
        if parameter is None:
            raise unknown(f"--{name}", parameters, line)
        for given in _given(parameter, value, line):
            try:
                texts.append(Text(name, given, line, _with_path(parameter, given, place)))
            except ValueError as error:
                raise BadParameter(f"--{name}", shown(parameter, given), str(error), None, line) from None
    return Source(where, texts)


def _given(parameter: Parameter[Any], value: object, line: str) -> Iterator[str]:
    """The texts that `value` of the document stands for."""
    if isinstance(value, list) and parameter.repeatable:
        for item in value:
            yield from _given(parameter, item, line)
    elif isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
        yield str(value)
    else:
        expected = "a text, a number or a list of them" if parameter.repeatable else "a text or a number"
        raise BadParameter(f"--{parameter.name}", None, f"expected {expected}", f'{parameter.name} = "..."', line)


def _with_path(parameter: Parameter[Any], text: str, place: Place) -> str:
    """`text` for the parameter's parser: a file that it names is that of `place`. ValueError."""
    prefix = parameter.file_prefix
    if prefix is None or not text.startswith(prefix):
        return text
    name = text.removeprefix(prefix)
    if parameter.secret:  # its first line is the value; so it needs no path
        return place.read(name).decode("ascii").partition("\n")[0].strip()
    return prefix + place.path(name)


def _line_of(text: str, name: str) -> int:
    """Number of the line that begins with the key `name`."""
    key = re.compile(rf"""\s*(["']?){re.escape(name)}\1\s*[=.\]]|\s*\[+\s*["']?{re.escape(name)}\b""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if key.match(line)), 1)
