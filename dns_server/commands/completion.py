"""`unizone completion SHELL`: verbs, parameters and their choices for bash, zsh and fish, from the table of parameters.

Own code, for shtab and argcomplete complete what one argparse parser has: ours are made for one verb at a time, and the
latter runs the program at each key.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from dns_server.parameters.parameter import Parameter
from dns_server.settings import BadUsage, Settings, parameters_of

_CHOICES: Final = re.compile(r"[a-z0-9]+(\|[a-z0-9]+)+")


def run(_settings: Settings, operands: list[str]) -> int:
    """Print the script; the exit code."""
    render = _SHELLS.get(operands[0])
    if render is None:
        raise BadUsage(
            f"there is no shell {operands[0]!r}: {', '.join(_SHELLS)}\n  for example: unizone completion bash"
        )
    from dns_server.cli import VERBS  # the table of verbs names this module

    print(render([(verb.name, verb.doc) for verb in VERBS]), end="")
    return 0


def _choices(parameter: Parameter[Any]) -> list[str]:
    return parameter.metavar.split("|") if _CHOICES.fullmatch(parameter.metavar) else []


def _takes_file(parameter: Parameter[Any]) -> bool:
    return parameter.file_prefix == "" or parameter.name == "config"


def _bash(verbs: Sequence[tuple[str, str]]) -> str:
    names = " ".join(name for name, _ in verbs)
    cases, values = [], {}
    for name, _ in verbs:
        parameters = parameters_of(name)
        if parameters:
            words = " ".join(f"--{parameter.name}=" for parameter in parameters)
            cases.append(f"        {name}) words='{words}' ;;")
        for parameter in parameters:
            if found := _choices(parameter):
                values[parameter.name] = f"        --{parameter.name}) words='{' '.join(found)}' ;;"
            elif _takes_file(parameter):
                values[parameter.name] = (
                    f'        --{parameter.name}) COMPREPLY=($(compgen -f -- "$current")); return ;;'
                )
    return f"""\
# bash completion for unizone: source this, or put it into /etc/bash_completion.d
_unizone() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" words=
    COMPREPLY=()
    if [[ $COMP_CWORD == 1 ]]; then
        COMPREPLY=($(compgen -W '{names}' -- "$current"))
        return
    fi
    # "=" is a word of its own where COMP_WORDBREAKS has it
    if [[ $current == "=" ]]; then current=; elif [[ $before == "=" ]]; then before="${{COMP_WORDS[COMP_CWORD-2]}}"; fi
    case "$before" in
{chr(10).join(values[name] for name in sorted(values))}
    esac
    if [[ -n $words ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$current"))
        return
    fi
    case "${{COMP_WORDS[1]}}" in
{chr(10).join(cases)}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    [[ ${{COMPREPLY[0]}} == *= ]] && compopt -o nospace 2>/dev/null
    [[ ${{#COMPREPLY[@]}} == 0 && $current != -* ]] && COMPREPLY=($(compgen -f -- "$current"))
    return 0
}}
complete -F _unizone unizone
"""


def _quoted(text: str) -> str:
    """`text` in single quotes of zsh and fish."""
    return text.replace("\\", "\\\\").replace("'", "'\\''")


def _brief(text: str) -> str:
    """The first sentence of a description."""
    return text.partition(". ")[0].rstrip(".")


def _zsh(verbs: Sequence[tuple[str, str]]) -> str:
    lines = [f"        '{name}:{_quoted(doc)}'" for name, doc in verbs]
    cases = []
    for name, _ in verbs:
        specs = [_zsh_spec(parameter) for parameter in parameters_of(name)]
        if specs:
            cases.append(
                "\n".join(
                    [
                        f"        {name})",
                        "            _arguments \\",
                        *specs,
                        "                '*:file:_files'",
                        "            ;;",
                    ]
                )
            )
    return f"""\
#compdef unizone
# zsh completion for unizone: put this as _unizone into a folder of $fpath
_unizone() {{
    local -a verbs
    verbs=(
{chr(10).join(lines)}
    )
    if (( CURRENT == 2 )); then
        _describe 'verb' verbs
        return
    fi
    local verb=$words[2]
    shift words
    (( CURRENT-- ))
    case $verb in
{chr(10).join(cases)}
        *) _files ;;
    esac
}}
if [[ $funcstack[1] == _unizone ]]; then _unizone "$@"; else compdef _unizone unizone; fi
"""


def _zsh_spec(parameter: Parameter[Any]) -> str:
    doc = _quoted(_brief(parameter.doc)).replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    choices = _choices(parameter)
    values = f"({' '.join(choices)})" if choices else "_files" if _takes_file(parameter) else " "
    many = "*" if parameter.repeatable else ""
    return f"                '{many}--{parameter.name}=[{doc}]:value:{values}' \\"


def _fish(verbs: Sequence[tuple[str, str]]) -> str:
    lines = [
        "# fish completion for unizone: put this into ~/.config/fish/completions/unizone.fish",
        "complete -c unizone -f",
    ]
    lines += [f"complete -c unizone -n __fish_use_subcommand -a {name} -d '{_quoted(doc)}'" for name, doc in verbs]
    for name, _ in verbs:
        for parameter in parameters_of(name):
            line = f"complete -c unizone -n '__fish_seen_subcommand_from {name}' -l {parameter.name}"
            choices = _choices(parameter)
            line += f" -x -a '{' '.join(choices)}'" if choices else " -r -F" if _takes_file(parameter) else " -x"
            lines.append(f"{line} -d '{_quoted(_brief(parameter.doc))}'")
    return "\n".join(lines) + "\n"


_SHELLS: Final[dict[str, Callable[[Sequence[tuple[str, str]]], str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
