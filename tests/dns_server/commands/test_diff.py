"""`unizone diff`: what a push would change, and that the server then does just that."""

import json
from pathlib import Path

import pytest

from dns_server.cli import main
from tests.support.git import Origin
from tests.zones.test_diff import ORIGIN
from zones.git.local import open_revision
from zones.loader import Options, load
from zones.slices import run_to_end
from zones.snapshot import Snapshot

HEAD = b"$TTL 1h\n@ SOA ns1 hostmaster 1 2h 15m 14d 5m\n@ NS ns1\nns1 A 192.0.2.1\n"
HOSTS = b"".join(b"host%d A 192.0.2.%d\n" % (number, number) for number in range(10, 30))
OLD = HEAD + HOSTS


@pytest.fixture
def origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Origin:
    """A repository with one commit, and the current folder in its work tree."""
    made = Origin(tmp_path)
    made.commit({"example.com": OLD, "example.net": OLD, "_keys": b""})
    monkeypatch.chdir(made.work)
    return made


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["diff", *arguments])
    output, notes = capsys.readouterr()
    return code, output, notes


def test_nothing_differs_from_the_last_commit(origin: Origin, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys) == (0, "no zone changes\n", "")
    (origin.work / "example.com").write_bytes(OLD + b"; a comment\n")
    assert run(capsys) == (0, "no zone changes\n", "")


def test_records_values_ttls_and_serials_are_listed(origin: Origin, capsys: pytest.CaptureFixture[str]) -> None:
    new = OLD.replace(b"host10 A 192.0.2.10\n", b"").replace(b"host11 A 192.0.2.11", b"host11 A 192.0.2.111")
    new = new.replace(b"host12 A", b"host12 60 A") + b"www CNAME host12\n"
    (origin.work / "example.com").write_bytes(new)
    code, output, _ = run(capsys)
    assert code == 0
    head, *lines = output.splitlines()
    assert head.startswith("example.com. 1 added, 1 removed, 1 changed, 1 TTL moved; serial 1 stays, 2 would be served")
    assert lines == [
        "  + www.example.com. 3600 CNAME host12.example.com.",
        "  - host10.example.com. 3600 A 192.0.2.10",
        "  ~ host11.example.com. 3600 A 192.0.2.11 -> 192.0.2.111",
        "  ~ host12.example.com. A TTL 3600 -> 60",
        "1 zone would change, 1 added, 1 removed, 1 changed, 1 TTL moved",
    ]


def test_zones_come_and_go(origin: Origin, capsys: pytest.CaptureFixture[str]) -> None:
    (origin.work / "example.net").rename(origin.work / "example.org")
    code, output, _ = run(capsys)
    assert code == 0
    assert "example.net. zone removed, 23 records, serial 1\n" in output
    assert "example.org. new zone, 23 records, serial 1\n" in output


def test_what_the_server_would_hold_back_or_refuse_fails(origin: Origin, capsys: pytest.CaptureFixture[str]) -> None:
    (origin.work / "example.com").write_bytes(HEAD)
    (origin.work / "example.net").write_bytes(OLD + b"ns1 CNAME www\n")
    code, output, _ = run(capsys)
    assert code == 1
    assert "! held back: 20 of 23 records would go, the limit is 30%; if it is meant, push a commit" in output
    assert "! example.net:25:1: error: ns1.example.net. has a CNAME and A" in output
    assert output.endswith("1 zone would change, 20 removed, 1 zone would be refused, 1 held back\n")


def test_the_commit_message_allows_what_it_allows_on_the_server(
    origin: Origin, capsys: pytest.CaptureFixture[str]
) -> None:
    origin.commit({"example.com": HEAD, "example.net": OLD, "_keys": b""}, "Clean up\n\nUnizone-Allow: removal\n")
    assert run(capsys, "HEAD~1", "HEAD")[0] == 0
    origin.commit({"_keys": b""}, "Oops")
    code, output, _ = run(capsys, "HEAD~1", "HEAD")
    assert code == 1
    assert output.count("! held back: 2 of 2 zones would go") == 2


def test_the_loader_then_serves_what_was_announced(origin: Origin, capsys: pytest.CaptureFixture[str]) -> None:
    new = origin.commit({"example.com": OLD + b"www A 192.0.2.80\n", "example.net": OLD, "_keys": b""})
    code, output, _ = run(capsys, "HEAD~1", "HEAD", "--format=json")
    assert code == 0
    (zone,) = json.loads(output)["zones"]
    before = run_to_end(load(open_revision(origin.work, f"{new}~1"), Snapshot(), Options(), 0))
    after = run_to_end(load(open_revision(origin.work, new), before, Options(), 0))
    served = after.zones[ORIGIN].zone
    assert zone["serial"] == {"before": 1, "after": 1, "served": served.serial}
    assert zone["records"] == {"before": before.zones[ORIGIN].zone.record_count, "after": served.record_count}
    assert zone["added"] == [{"owner": "www.example.com.", "type": "A", "ttl": 3600, "value": "192.0.2.80"}]


def test_a_branch_of_the_remote_is_a_version(origin: Origin, capsys: pytest.CaptureFixture[str]) -> None:
    origin.push({"example.com": OLD, "example.net": OLD, "_keys": b""})
    assert run(capsys, "origin/main") == (0, "no zone changes\n", "")
    origin.commit({"example.com": OLD + b"www A 192.0.2.80\n", "example.net": OLD, "_keys": b""})
    code, output, _ = run(capsys, "origin/main", "HEAD")
    assert code == 0
    assert output.endswith("1 zone would change, 1 added\n")


def test_markdown_is_for_a_pull_request(origin: Origin, capsys: pytest.CaptureFixture[str]) -> None:
    (origin.work / "example.com").write_bytes(OLD.replace(b"192.0.2.11\n", b"192.0.2.111\n"))
    code, output, _ = run(capsys, "--format=markdown")
    assert code == 0
    assert output.startswith("**1 zone would change, 1 changed**\n\n### example.com. 1 changed; serial 1 stays")
    assert "```diff\n- host11.example.com. 3600 A 192.0.2.11\n+ host11.example.com. 3600 A 192.0.2.111\n```" in output


def test_a_version_that_is_not_there_is_a_usage_error(
    origin: Origin, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(capsys, "nowhere")[0] == 2
    assert run(capsys, "HEAD", "HEAD", "HEAD")[0] == 2
    monkeypatch.chdir(tmp_path)
    code, _, notes = run(capsys)
    assert code == 2
    assert "HEAD is neither a file or folder nor a git revision" in notes
