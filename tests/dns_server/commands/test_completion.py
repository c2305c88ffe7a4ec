"""Completion, asked of the shells themselves."""

import os
import select
import shutil
import subprocess
from pathlib import Path

import pytest

from dns_server.cli import main
from tests.support.debian import need
from tests.support.server import PATIENCE_S


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


def bash(text: str, *words: str) -> list[str]:
    """What bash offers for the last of `words`."""
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    quoted = " ".join(f"'{word}'" for word in words)
    ask = f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _unizone; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    result = subprocess.run(["bash", "-c", f"{text}\n{ask}"], capture_output=True, text=True, check=True)
    assert result.stderr == ""
    return result.stdout.split()


def test_bash_offers_verbs_parameters_and_choices(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = script("bash", capsys)
    assert bash(text, "unizone", "se") == ["serve"]
    assert bash(text, "unizone", "serve", "--syslog-p") == ["--syslog-proto="]
    assert bash(text, "unizone", "serve", "--syslog-proto", "=", "") == ["udp", "tcp", "tls"]
    assert bash(text, "unizone", "serve", "--syslog-proto", "=", "t") == ["tcp", "tls"]
    assert bash(text, "unizone", "bump", "--l") == []
    (tmp_path / "chain.pem").touch()
    monkeypatch.chdir(tmp_path)
    assert bash(text, "unizone", "serve", "--tls-cert", "=", "ch") == ["chain.pem"]


def test_fish_offers_verbs_parameters_and_choices(capsys: pytest.CaptureFixture[str]) -> None:
    tree = need("fish")
    text = script("fish", capsys)

    def offered(line: str) -> list[str]:
        functions = tree.root / "usr/share/fish/functions"  # it looks for them below /usr/share
        code = f"set fish_function_path {functions}\n{text}\ncomplete -C '{line}'"
        command = [str(tree.path("fish")), "--no-config", "-c", code]
        result = subprocess.run(command, env=dict(tree.environment), capture_output=True, text=True, check=True)
        return [found.partition("\t")[0] for found in result.stdout.splitlines()]

    assert offered("unizone ser") == ["serve"]
    assert "--syslog-proto" in {name.rstrip("=") for name in offered("unizone serve --syslog-pr")}
    assert set(offered("unizone serve --syslog-proto=")) == {f"--syslog-proto={name}" for name in ("udp", "tcp", "tls")}


class Zsh:
    """An interactive zsh on a terminal of ours, that has loaded the script."""

    def __init__(self, folder: Path, script: str) -> None:
        tree = need("zsh", "zsh-common")
        (folder / "_unizone").write_text(script)
        parts = [path for path in (tree.root / "usr/share/zsh/functions").rglob("*") if path.is_dir()]
        modules = next((tree.root / "usr/lib").rglob("zsh/5*"))  # it looks for both below /usr
        (folder / ".zshrc").write_text(f"""\
module_path=({modules})
fpath=({folder} {" ".join(map(str, parts))})
autoload -Uz compinit && compinit -u -d {folder}/dump
show() {{ print -r -- "<$BUFFER>"; BUFFER= }}
zle -N show
bindkey '^I' complete-word
bindkey '^X' show
PS1='ready>'
""")
        self._terminal, theirs = os.openpty()
        environment = {**tree.environment, "ZDOTDIR": str(folder), "TERM": "dumb"}
        self._process = subprocess.Popen(
            [str(tree.path("zsh")), "-d", "-i"],
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            start_new_session=True,
        )
        os.close(theirs)
        self._read_until("ready>")

    def completes(self, line: str) -> str:
        """What the tabulator makes of `line`."""
        os.write(self._terminal, f"{line}\t\x18".encode())
        return self._read_until(">\r\n").rpartition("<")[2].partition(">")[0]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)

    def _read_until(self, mark: str) -> str:
        found = ""
        while mark not in found:
            assert select.select([self._terminal], [], [], PATIENCE_S)[0], found
            found += os.read(self._terminal, 4096).decode()
        return found


def test_zsh_completes_verbs_parameters_choices_and_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "chain.pem").touch()
    zsh = Zsh(tmp_path, script("zsh", capsys))
    try:
        assert zsh.completes("unizone ser") == "unizone serve "
        assert zsh.completes("unizone serve --syslog-pr") == "unizone serve --syslog-proto="
        assert zsh.completes("unizone serve --syslog-proto=u") == "unizone serve --syslog-proto=udp "
        assert zsh.completes("unizone serve --tls-cert=ch") == "unizone serve --tls-cert=chain.pem "
        assert zsh.completes("unizone bump --sys") == "unizone bump --sys"
    finally:
        zsh.close()


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "csh"]) == 64
    assert "there is no shell 'csh': bash, zsh, fish" in capsys.readouterr().err
