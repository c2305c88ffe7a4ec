"""Plain command lines are read as the parser reads them."""

from hypothesis import given
from hypothesis import strategies as st

from dns_server import parser, words
from dns_server.settings import BadUsage, parameters_of

PARAMETERS = parameters_of("serve")
NAMES = [parameter.name for parameter in PARAMETERS]

some_words = st.one_of(
    st.builds("--{}={}".format, st.sampled_from(NAMES), st.text("ab=-' ,é", max_size=6)),
    st.sampled_from(["--", "-", "quiet", "--unknown=1", "--listen", "--list=x", "--listen-=x", "-h=1", "=", ""]),
)


@given(st.lists(some_words, max_size=6))
def test_what_is_plain_is_read_as_the_parser_reads_it(arguments: list[str]) -> None:
    plain = words.plain(PARAMETERS, arguments)
    try:
        parsed = parser.read("serve", "serve", (), PARAMETERS, arguments)
    except BadUsage:
        assert plain is None
        return
    if plain is None:
        assert parsed.rest or any(not argument.startswith("--") or "=" not in argument for argument in arguments)
    else:
        assert (parsed.texts, list(parsed.operands), list(parsed.rest)) == (plain.texts, [], [])


def test_the_usual_command_line_is_plain() -> None:
    arguments = ["--remote=git://git.example/zones.git#main", "--listen=[::1]:53", "--listen=127.0.0.1:53", "--name="]
    plain = words.plain(PARAMETERS, arguments)
    assert plain is not None
    assert plain.texts["listen"] == ["[::1]:53", "127.0.0.1:53"]
    assert plain.texts["name"] == [""]
