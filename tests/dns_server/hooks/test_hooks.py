"""Hooks in a real bare repository, run by real pushes."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from dns_server.cli import main
from tests.dns_server.update.test_update import KEYS, SECRET, rcode, updated
from tests.support.dig import short
from tests.support.git import ENVIRONMENT, Origin, git
from tests.support.server import serve
from tests.support.trees import zone_text

GOOD = zone_text(1, "www A 192.0.2.1")


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    made = Origin(tmp_path)
    made.push({"example.com": GOOD, "README": b"x"})
    return made


def push(origin: Origin, files: Mapping[str, bytes], message: str = "change", ref: str = "main") -> tuple[bool, str]:
    """Whether a push of a commit with `files` landed, and what git printed."""
    origin.commit(files, message)
    command = ["git", "push", "--force", "origin", f"HEAD:refs/heads/{ref}"]
    done = subprocess.run(command, cwd=origin.work, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    return done.returncode == 0, done.stderr


def install(origin: Origin, *parameters: str) -> None:
    assert main(["hook", "install", str(origin.bare), *parameters]) == 0


def test_a_push_that_would_be_refused_does_not_land_and_says_where(origin: Origin) -> None:
    install(origin)
    before = git(origin.bare, "rev-parse", "main")
    for files, complaint in (
        ({"example.com": b"broken"}, "example.com:1:"),
        ({"example.com": zone_text(2, "www A 192.0.2.1", "www CNAME x")}, "example.com:"),
        ({"example.com": zone_text(0, "www A 192.0.2.2")}, "goes back from 1 to 0"),
        ({"example.com": GOOD, "_keys": b"k. DNSKEY 0 3 99 c2VjcmV0\n"}, "algorithm 99"),
        ({"README": b"x"}, "1 of 1 zones would go"),
    ):
        landed, said = push(origin, files)
        assert not landed
        assert complaint in said, said
        assert "the push is refused; nothing changed" in said
        assert git(origin.bare, "rev-parse", "main") == before
    landed, said = push(origin, {"README": b"x"}, "gone\n\nUnizone-Allow: removal\n")
    assert landed, said


def test_a_good_push_lands_with_notes_and_other_branches_are_left_alone(origin: Origin) -> None:
    install(origin)
    assert push(origin, {"example.com": zone_text(2, "www A 192.0.2.2")})[0]
    landed, said = push(origin, {"example.com": zone_text(2, "www A 192.0.2.3")})
    assert landed
    assert "it will be served with 3" in said
    assert push(origin, {"example.com": b"broken"}, ref="draft")[0]


def test_where_serials_are_kept_they_must_rise(origin: Origin) -> None:
    install(origin, "--serial=keep")
    landed, said = push(origin, {"example.com": zone_text(1, "www A 192.0.2.2")})
    assert not landed
    assert "its serial did not rise" in said
    assert push(origin, {"example.com": zone_text(2, "www A 192.0.2.2")})[0]


def test_what_was_broken_before_does_not_keep_other_zones_from_changing(origin: Origin) -> None:
    broken = {"example.net": b"broken"}
    origin.push({"example.com": GOOD, **broken})
    install(origin)
    assert push(origin, {"example.com": zone_text(2, "www A 192.0.2.2"), **broken})[0]
    assert not push(origin, {"example.com": GOOD, "example.net": b"broken otherwise"})[0]


def test_hooks_of_others_stay_and_ours_come_and_go(origin: Origin, capsys: pytest.CaptureFixture[str]) -> None:
    hook = origin.bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 0\n")
    assert main(["hook", "install", str(origin.bare)]) == 1
    assert "hook pre-receive ." in capsys.readouterr().err
    assert main(["hook", "uninstall", str(origin.bare)]) == 0
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"
    hook.unlink()
    for _ in range(2):
        install(origin)
    assert hook.exists()
    assert main(["hook", "uninstall", str(origin.bare)]) == 0
    assert not hook.exists()
    assert main(["hook", "install", str(origin.work)]) == 1
    assert main(["hook", "install", str(origin.folder / "nowhere")]) == 1
    assert main(["hook", "dance"]) == 64


@pytest.mark.usefixtures("network")
def test_the_server_is_told_of_pushes_and_not_of_its_own(origin: Origin, tmp_path: Path) -> None:
    key = tmp_path / "hook.key"
    key.write_text(f"hook._notify.example.com. DNSKEY 0 3 163 {SECRET}\n")
    keys = KEYS + key.read_bytes()
    origin.push({"example.com": GOOD, "_keys": keys})
    with serve(f"--remote={origin.bare}", "--poll=1h") as server:
        install(origin, f"--notify={server.endpoint}", f"--notify-key={key}")
        landed, said = push(origin, {"example.com": zone_text(2, "www A 192.0.2.2"), "_keys": keys})
        assert landed
        assert f"unizone: {server.address} says NOERROR" in said
        assert short(server.address, server.port, "www.example.com", "A") == ["192.0.2.2"]
        message = updated()
        message.add("new", 60, "A", "192.0.2.3")
        assert rcode(server, message) == "NOERROR"
    landed, said = push(origin, {"example.com": zone_text(9, "www A 192.0.2.9"), "_keys": keys})
    assert landed
    assert f"{server.address} was not told" in said


def test_own_commits_of_the_server_are_told_to_nobody(origin: Origin, tmp_path: Path) -> None:
    key = tmp_path / "hook.key"
    key.write_text(f"hook._notify.example.com. DNSKEY 0 3 163 {SECRET}\n")
    install(origin, "--notify=127.0.0.1:1", f"--notify-key={key}")
    origin.commit({"example.com": zone_text(2, "www A 192.0.2.2")})
    environment = {**ENVIRONMENT, "GIT_COMMITTER_NAME": "unizone", "GIT_COMMITTER_EMAIL": "unizone@localhost"}
    amend = ["git", "commit", "--quiet", "--amend", "--no-edit"]
    subprocess.run(amend, cwd=origin.work, env=environment, check=True)
    command = ["git", "push", "origin", "HEAD:main"]
    done = subprocess.run(command, cwd=origin.work, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert "told" not in done.stderr
