"""The table of parameters, what becomes of texts, and the docs made from it."""

import subprocess
import sys
from pathlib import Path

import pytest

from dns_platform import machine
from dns_server.cli import VERBS, main
from dns_server.commands.args import markdown
from dns_server.endpoint import Endpoint
from dns_server.parameters.logs import LOGS, Level
from dns_server.parameters.network import LISTEN
from dns_server.parameters.parameter import Group, Parameter
from dns_server.parameters.table import TABLE
from dns_server.parameters.zones import POLL, REMOTE
from dns_server.settings import BadParameter, Source, Text, parameters_of, resolve

ROOT = Path(__file__).parent.parent.parent
SERVE = parameters_of("serve")


def from_line(*texts: tuple[str, str]) -> Source:
    return Source("command line", [Text(*text) for text in texts])


def test_docs_are_current() -> None:
    assert (ROOT / "docs" / "parameters.md").read_text() == markdown()


def test_names_are_unique() -> None:
    assert len({parameter.name for parameter in TABLE}) == len(TABLE)


@pytest.mark.parametrize("parameter", TABLE, ids=lambda parameter: parameter.name)
def test_defaults_parse(parameter: Parameter[object]) -> None:
    if parameter.default is not None:
        parameter.parse(parameter.default)


def test_later_sources_win_and_are_named() -> None:
    settings = resolve(
        SERVE, [Source("baked in", [Text("poll", "5m"), Text("logs", "debug")]), from_line(("poll", "30s"))]
    )
    assert settings[POLL] == 30.0
    assert settings[LOGS] is Level.DEBUG
    assert settings.setting(POLL).source == "command line"
    assert settings.setting(LOGS).source == "baked in"
    assert settings.setting(REMOTE).source == "default"


def test_repeatable_parameters_are_joined() -> None:
    settings = resolve(SERVE, [from_line(("listen", "127.0.0.1:53,[::1]:53"), ("listen", "192.0.2.1:5300"))])
    assert settings[LISTEN] == (Endpoint("127.0.0.1", 53), Endpoint("::1", 53), Endpoint("192.0.2.1", 5300))


def test_others_are_given_once() -> None:
    with pytest.raises(BadParameter, match="given 2 times"):
        resolve(SERVE, [from_line(("poll", "30s"), ("poll", "31s"))])


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("poll", "60", "expected a number with its unit"),
        ("poll", "0s", "more than 0"),
        ("poll", "", "expected a number with its unit"),
        ("poll", "9" * 400 + "s", "at most 366d"),
        ("listen", "127.0.0.1", "the port is missing"),
        ("listen", "127.0.0.1:65536", "is no port"),
        ("listen", "127.0.0.1:\u0665\u0663", "is no port"),
        ("listen", "::1:53", "in brackets"),
        ("listen", "[::1:53", "expected [IPv6 address]:port"),
        ("listen", "localhost:53", "is no IPv4 or IPv6 address"),
        ("listen", "127.0.0.1:53,", "is no IPv4 or IPv6 address"),
        ("serial", "up", "expected one of raise, keep"),
        ("tcp-connections", "0", "from 1 to 100000"),
        ("tcp-connections", "many", "from 1 to 100000"),
        ("zones", "/nowhere", "no such folder"),
        ("zones", "/etc/passwd", "it is no folder"),
        ("name", "line\nbreak", "printable"),
        ("logs", "loud", "expected one of debug, info, warning, error"),
    ],
)
def test_bad_value_is_named_with_an_example(
    name: str, value: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["args", f"--{name}={value}"]) == 64
    printed = capsys.readouterr()
    assert not printed.out
    first, second = printed.err.splitlines()
    assert first.startswith(f"unizone: bad parameter --{name}={value[:4] if value.isprintable() else ''}")
    assert problem in first
    assert second.startswith(f"  for example: --{name}=")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["args", "--listne=127.0.0.1:53"], "did you mean --listen?"),
        (["args", "--frobnicate=1"], "there is no such parameter"),
        (["args", "--poll"], "its value is missing"),
        (["args", "stray"], "there is no such parameter"),
        (["args", "-x"], "there is no such parameter"),
        (["frobnicate"], "there is no verb 'frobnicate'"),
        ([], "usage: unizone VERB"),
    ],
)
def test_bad_line_stops_with_64(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 64
    assert message in capsys.readouterr().err


def test_help_has_a_space_between_each_verb_and_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split(maxsplit=1)[0] for line in lines if line.startswith("  ")} == {verb.name for verb in VERBS}


def test_words_for_others_on_a_boot_line_do_not_stop_a_boot(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Boot loaders and clouds add words of their own; a parameter that nobody has is a mistake all the same."""
    line = ["args", "quiet", "ro", "console=ttyS0", "--poll=30s", "root=/dev/vda1"]
    assert main(line) == 64
    monkeypatch.setattr(machine, "HAS_SOCKETS", False)
    assert main(line) == 0
    assert main([*line, "--pol=30s"]) == 64
    assert main([*line, "-x"]) == 64
    assert "did you mean --poll?" in capsys.readouterr().err


def test_value_behind_a_misspelt_name_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    main(["args", "--remot=https://me:hunter2@git.example/zones.git"])
    assert "hunter2" not in capsys.readouterr().err


def test_passwords_in_urls_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["args", "--remote=https://me:hunter2@git.example/zones.git#main"]) == 0
    printed = capsys.readouterr().out
    assert "https://me:***@git.example/zones.git#main" in printed
    assert "hunter2" not in printed


@pytest.mark.parametrize("group", Group)
def test_help_lists_every_parameter(group: Group, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["args", "--help"])
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    for parameter in parameters_of("args"):
        if parameter.group is group:
            assert f"--{parameter.name}" in printed


def test_command_starts_without_what_only_other_verbs_need() -> None:
    code = (
        "import sys; from dns_server.cli import main; main(['args']);"
        "print(*({'asyncio', 'structlog', 'dulwich', 'dns', 'rich'} & set(sys.modules)), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr.strip() == ""
