"""The command `unizone`: finds the verb, resolves its parameters and runs it.

A verb is a module of `dns_server.commands` with `run(settings, operands) -> int`; it is imported only when it is asked
for, so that `unizone --help` and small tools start quickly.
"""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType
from typing import Final

from dns_platform import machine
from dns_server.parameters.configuration import CONFIG
from dns_server.settings import (
    COMMAND_LINE,
    EXIT_BAD_PARAMETER,
    BadUsage,
    Settings,
    Source,
    Text,
    parameters_of,
    resolve,
    unknown,
)
from dns_server.words import plain

EXIT_BROKEN_PIPE: Final = 141  # as a shell says of a program that SIGPIPE ended


@dataclass(frozen=True, slots=True)
class Verb:
    """A command."""

    name: str
    doc: str
    operands: tuple[tuple[str, str], ...] = ()
    """Name and description of what stands there without dashes; one in brackets, `[NEW]`, may be left out."""
    usage_exit: int = EXIT_BAD_PARAMETER
    """Exit code for a bad command line."""
    tool: str = ""
    """Module whose `main(arguments)` parses the rest itself: tools of the project, which no image has."""


VERBS: Final = (
    Verb("serve", "answer DNS queries for the zones of a git repository, and follow each push"),
    Verb("example", "serve a small example repository on this machine, to try a first push"),
    Verb(
        "ask",
        "what the server would answer, and the stages that led to it",
        operands=(("NAME", "name to ask for"), ("TYPE", "record type, such as A or TYPE65")),
    ),
    Verb(
        "check",
        "what is wrong with zones: the parser and the checks of `serve`, for a file, a folder or a git revision",
        operands=(
            ("PATH|GIT-REV", "zone file, folder of zones, or revision such as HEAD, main or HEAD~1:example.com"),
        ),
        usage_exit=2,
    ),
    Verb(
        "diff",
        "what a push would change: records, TTLs and serials of each zone, and what would be refused or held back",
        operands=(
            ("[OLD]", "revision or folder to compare with; HEAD if left out"),
            ("[NEW]", "revision or folder with the change; the work tree around, as it is now, if left out"),
        ),
        usage_exit=2,
    ),
    Verb(
        "bump",
        "raise the serial of a zone in its file, everything else left as it is",
        operands=(("ZONE", "name of the zone, or path of its file"),),
        usage_exit=2,
    ),
    Verb(
        "key",
        "a new TSIG key: for the repository, and for those who are to use it",
        operands=(
            ("new", "the word `new`"),
            ("NAME", "name of the key, such as laptop._update.example.com; it says what the key may do"),
        ),
    ),
    Verb(
        "notify",
        "tell a server that a zone has changed, and print what it says",
        operands=(
            ("HOST", "name or address of the server, with :PORT where that is not 53"),
            ("ZONE", "name of the zone"),
        ),
    ),
    Verb("args", "every parameter of `serve` with its value and where that came from"),
    Verb(
        "config",
        "what `serve` would do: the parameters, each with its value and the file and line that says it",
        operands=(("ACTION", "show"),),
    ),
    Verb(
        "status",
        "how a server is doing: by its HTTP, else by the DNS; 1 when it is not ready or something is broken",
        operands=(("SERVER", "HOST (HTTP on port 8053, else DNS on port 53), http://HOST:PORT or dns://HOST:PORT"),),
        usage_exit=2,
    ),
    Verb(
        "completion",
        "a script that completes commands and parameters, for a shell to load",
        operands=(("SHELL", "bash, zsh or fish"),),
    ),
    Verb(
        "hook",
        "hooks of a bare repository that refuse what the server would not take, and tell it of pushes",
        operands=(
            ("ACTION", "install, uninstall; pre-receive and post-receive are what git calls"),
            ("[REPOSITORY]", "bare repository; the current folder if left out"),
        ),
    ),
    Verb("build", "an image that boots, in a checkout of the project", tool="dns_build.command"),
    Verb("run", "start an image on this machine", tool="dns_build.launch"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    verb = next((verb for verb in VERBS if arguments and verb.name == arguments[0]), None)
    if verb is None:
        return _without_verb(arguments)
    try:
        if verb.tool:
            tool: Callable[[Sequence[str]], int] = _module(verb, verb.tool).main
            return tool(arguments[1:])
        settings, operands = _parse(verb, arguments[1:])
        run: Callable[[Settings, list[str]], int] = _module(verb, f"dns_server.commands.{verb.name}").run
        return run(settings, operands)
    except BadUsage as error:
        print(f"unizone: {error}", file=sys.stderr)
        return verb.usage_exit
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; what is still buffered must not be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE


def _module(verb: Verb, name: str) -> ModuleType:
    """The module `name` with what runs `verb`. BadUsage in an image, which has few of them."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise BadUsage(f"this image has no {verb.name!r}; the program has it that is installed on a host") from None


def _parse(verb: Verb, arguments: list[str]) -> tuple[Settings, list[str]]:
    parameters = parameters_of(verb.name)
    words = None if verb.operands else plain(parameters, arguments)
    if words is None:
        from dns_server import parser

        words = parser.read(verb.name, verb.doc, verb.operands, parameters, arguments)
    foreign = [] if machine.HAS_SOCKETS else [word for word in words.rest if not word.startswith("-")]
    ours = [word for word in words.rest if word not in foreign]
    if ours:
        raise unknown(ours[0], parameters)
    texts = [Text(parameter.name, text) for parameter in parameters for text in words.texts[parameter.name]]
    sources = [Source(COMMAND_LINE, texts)]
    if CONFIG in parameters:
        from dns_server.configuration import found as configuration

        place = next((text.text for text in reversed(texts) if text.name == CONFIG.name), None)
        sources[:0] = configuration.sources(place, parameters)
    return resolve(parameters, sources, foreign), list(words.operands)


def version() -> str:
    """Version of the installed distribution."""
    return metadata.version("unizone")


def _without_verb(arguments: list[str]) -> int:
    if arguments == ["--version"]:
        print(f"unizone {version()}")
        return 0
    usage = "\n".join(
        [
            "usage: unizone VERB [--parameter=value ...]",
            "",
            *(f"  {verb.name:<12}{verb.doc}" for verb in VERBS),
            "",
            "unizone VERB --help lists the parameters of a verb; unizone --version prints the version.",
        ]
    )
    if arguments and arguments[0] in {"--help", "-h", "help"}:
        print(usage)
        return 0
    if arguments:
        print(f"unizone: there is no verb {arguments[0]!r}", file=sys.stderr)
    print(usage, file=sys.stderr)
    return EXIT_BAD_PARAMETER
