"""Completion, asked of the shells themselves."""

import shutil
import subprocess
from pathlib import Path

import pytest

from dns_server.cli import main
from tests.support.debian import Unavailable, programs


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
    try:
        tree = programs("fish")
    except Unavailable as reason:
        pytest.skip(str(reason))
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


def test_zsh_understands_its_script(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    try:
        tree = programs("zsh", "zsh-common")
    except Unavailable as reason:
        pytest.skip(str(reason))
    file = tmp_path / "_unizone"
    file.write_text(script("zsh", capsys))
    command = [str(tree.path("zsh")), "-n", str(file)]
    result = subprocess.run(command, env=dict(tree.environment), capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "csh"]) == 64
    assert "there is no shell 'csh': bash, zsh, fish" in capsys.readouterr().err
