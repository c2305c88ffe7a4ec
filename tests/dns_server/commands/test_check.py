"""`unizone check`: a file, a folder, a git revision; text, JSON and Markdown; exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dns_server.cli import main
from tests.support.git import Origin

GOOD = b"""\
$TTL 1h
@ SOA ns1 hostmaster 1 2h 15m 14d 5m
@ NS ns1
ns1 A 192.0.2.1
"""
WARNED = GOOD + b"www CNAME wbe\n"
REFUSED = GOOD + b"ns1 CNAME www.example.net.\n"
KEY = b"key._update.example.com. DNSKEY 0 3 163 oGkXgk1y0aZ0b9dGCQyAvA2QWf4t9PoyzXBf0F4JbYg=\n"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["check", *arguments])
    output, notes = capsys.readouterr()
    return code, output, notes


def test_a_good_file_is_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "example.com.zone"
    file.write_bytes(GOOD)
    assert run(capsys, str(file)) == (0, "", "1 good zone with 3 records: clean\n")


def test_a_finding_names_a_place_that_can_be_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "example.com"
    file.write_bytes(WARNED)
    code, output, notes = run(capsys, str(file))
    assert code == 1
    assert output == (
        f"{file}:5:1: warning: www.example.com. is an alias of wbe.example.com., which does not exist; "
        "add the name or remove the alias; is a final dot missing? [cname-dangling]\n"
    )
    assert notes == "1 good zone with 4 records: 0 errors, 1 warning\n"


def test_a_refused_zone_does_not_count_as_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "example.com").write_bytes(REFUSED)
    (tmp_path / "example.net").write_bytes(GOOD)
    code, output, notes = run(capsys, str(tmp_path))
    assert code == 1
    assert output.startswith(f"{tmp_path}/example.com:5:1: error: ")
    assert "[cname-beside-data]" in output
    assert notes.startswith("1 good zone with 3 records: ")


def test_a_folder_has_the_layout_of_a_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text("no zone")
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "mail").write_bytes(b"@ MX 10 ns1\n")
    (tmp_path / "example.com").write_bytes(GOOD + b"$INCLUDE common/mail\n")
    (tmp_path / "_keys").write_bytes(KEY)
    assert run(capsys, str(tmp_path)) == (0, "", "1 good zone with 4 records: clean\n")
    (tmp_path / "example.com.zone").write_bytes(GOOD)
    code, output, _ = run(capsys, str(tmp_path))
    assert code == 1
    assert "[ambiguous-zone-file]" in output


def test_one_file_includes_others_of_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mail.inc").write_bytes(b"@ MX 10 nowhere\n")
    (tmp_path / "example.com").write_bytes(GOOD + b"$INCLUDE mail.inc\n$INCLUDE none.inc\n")
    code, output, _ = run(capsys, str(tmp_path / "example.com"))
    assert code == 1
    assert "there is no file 'none.inc'" in output


def test_key_files_are_checked_and_their_secrets_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "_keys"
    file.write_bytes(KEY)
    assert run(capsys, str(file))[0] == 0
    file.write_bytes(KEY.replace(b" 163 ", b" 13 "))
    code, output, _ = run(capsys, str(file))
    assert code == 1
    assert "[tsig-key]" in output
    assert "oGkX" not in output


def test_a_revision_of_the_repository_around_is_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = Origin(tmp_path)
    bad = origin.commit({"example.com": WARNED, "example.net": GOOD})
    origin.commit({"example.com": GOOD, "example.net": GOOD})
    monkeypatch.chdir(origin.work)
    for revision in ("HEAD", "main"):
        assert run(capsys, revision) == (0, "", "2 good zones with 6 records: clean\n")
    for revision in ("HEAD~1", bad, bad[:10], "HEAD~1:example.com"):
        code, output, _ = run(capsys, revision)
        assert code == 1, revision
        assert output.startswith(f"{revision.partition(':')[0]}:example.com:5:1: warning: ")
    assert run(capsys, "HEAD~1:example.net")[0] == 0


def test_json_has_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "example.com").write_bytes(WARNED)
    code, output, notes = run(capsys, str(tmp_path), "--format=json")
    assert (code, notes) == (1, "")
    document = json.loads(output)
    (finding,) = document.pop("findings")
    assert document == {
        "target": str(tmp_path),
        "revision": None,
        "zones": 1,
        "records": 4,
        "errors": 0,
        "warnings": 1,
        "signatures_verified": False,
    }
    place = {"file": "example.com", "line": 5, "column": 1}
    assert finding.items() >= {**place, "severity": "warning", "check": "cname-dangling"}.items()


def test_markdown_is_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "example.com").write_bytes(WARNED)
    code, output, _ = run(capsys, str(tmp_path), "--format=markdown")
    assert code == 1
    assert "| `example.com:5:1` | warning | www.example.com. is an alias of" in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: PATH|GIT-REV"),
        (["nowhere"], "nowhere is neither a file or folder nor a git revision"),
        (["HEAD:example.com"], "neither a file or folder nor a git revision"),
        (["notes.txt"], "notes.txt is no zone by its name"),
        (["a...zone"], "a...zone: the name of the file is no domain name"),
        ([".", "--format=xml"], "--format=xml"),
        ([".", "--zones=."], "--zones"),
    ],
)
def test_bad_usage_ends_with_2_and_says_why(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.txt").write_text("no zone")
    (tmp_path / "a...zone").write_text("no zone")
    monkeypatch.chdir(tmp_path)
    code, output, notes = run(capsys, *arguments)
    assert (code, output) == (2, "")
    assert said in notes


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_reader_that_has_seen_enough_is_no_fault(form: str, tmp_path: Path) -> None:
    lines = b"".join(b"alias%d CNAME nowhere\n" % number for number in range(90))
    for number in range(50):
        (tmp_path / f"zone{number}.example").write_bytes(GOOD + lines)
    command = [sys.executable, "-m", "dns_server", "check", str(tmp_path), f"--format={form}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        notes = process.stderr.read()
    assert b"Traceback" not in notes
    assert b"Exception" not in notes
