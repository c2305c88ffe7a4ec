"""`unizone bump`: by name or path, also in an included file; a broken zone is left alone."""

from pathlib import Path

import pytest

from dns_server.cli import main

ZONE = b"$TTL 1h\n@ SOA ns1 hostmaster (\n\t7 ; serial\n\t2h 15m 14d 5m )\n@ NS ns1\nns1 A 192.0.2.1\n"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["bump", *arguments])
    output, notes = capsys.readouterr()
    return code, output, notes


def test_a_zone_is_found_by_name_or_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "example.com.zone"
    file.write_bytes(ZONE)
    file.chmod(0o640)
    assert run(capsys, "Example.com", f"--zones={tmp_path}") == (0, f"{file}: serial 7 -> 8\n", "")
    assert run(capsys, str(file)) == (0, f"{file}: serial 8 -> 9\n", "")
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "example.com.") == (0, "example.com.zone: serial 9 -> 10\n", "")
    assert file.read_bytes() == ZONE.replace(b"\t7 ", b"\t10 ")
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["example.com.zone"]


def test_the_soa_may_stand_in_an_included_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "head").write_bytes(ZONE)
    (tmp_path / "example.com").write_bytes(b"$INCLUDE common/head\n")
    code, output, _ = run(capsys, "example.com", f"--zones={tmp_path}")
    assert (code, output) == (0, f"{tmp_path}/common/head: serial 7 -> 8\n")


@pytest.mark.parametrize(
    "text", [ZONE + b"broken\n", b"$TTL 1\n@ NS ns1\n", b"$TTL 1\n@ TYPE6 \\# 22 0000 " + b"0" * 40]
)
def test_a_zone_without_a_readable_serial_is_left_alone(
    text: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "example.com").write_bytes(text)
    code, output, notes = run(capsys, "example.com", f"--zones={tmp_path}")
    assert (code, output) == (1, "")
    assert notes
    assert (tmp_path / "example.com").read_bytes() == text


@pytest.mark.parametrize("target", ["example.org", "bad..name", "notes.txt"])
def test_a_zone_that_is_not_there_is_a_usage_error(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.txt").write_text("no zone")
    monkeypatch.chdir(tmp_path)
    code, output, notes = run(capsys, target)
    assert (code, output) == (2, "")
    assert "for example: unizone bump" in notes
