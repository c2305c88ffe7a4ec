"""docs/primary.md does what it says: its policies are taken, its commands run. Secondaries have tests of their own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import serve
from tests.support.trees import zone_text
from zones import name as names
from zones.policy import read_policy

PAGE = (Path(__file__).parent.parent.parent / "docs" / "primary.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_its_policies_are_taken() -> None:
    for text in blocks("toml"):
        policy, findings = read_policy(text.encode(), "_policy.toml")
        assert policy is not None, findings
        for target in policy.targets:
            assert target.key in {names.from_text(line.split()[0]) for line in "".join(blocks("keys")).splitlines()}


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("line", [line for block in blocks("sh") for line in block.splitlines() if "unizone" in line])
def test_its_commands_run(line: str, tmp_path: Path) -> None:
    (tmp_path / "example.com").write_bytes(zone_text(2026112101))
    (tmp_path / "_keys").write_text("".join(blocks("keys")))
    with serve(f"--zones={tmp_path}") as server:
        arguments = line.replace("192.0.2.53", server.endpoint).split()[1:]
        done = subprocess.run([sys.executable, "-m", "dns_server", *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        if "notify" in arguments:
            assert "NOERROR; a folder; serial 2026112101; nothing is wrong" in done.stdout


@pytest.mark.usefixtures("network")
def test_a_new_key_can_be_put_into_the_repository_as_it_is_printed(tmp_path: Path) -> None:
    for algorithm in ("hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"):
        command = ["key", "new", "backup._notify", f"--algorithm={algorithm}"]
        done = subprocess.run([sys.executable, "-m", "dns_server", *command], capture_output=True, text=True)
        (tmp_path / "_keys").write_text(done.stdout)
        (tmp_path / "example.com").write_bytes(zone_text(1))
        with serve(f"--zones={tmp_path}") as server:
            told = [sys.executable, "-m", "dns_server", "notify", server.endpoint, "example.com"]
            told.append(f"--key=@{tmp_path}/_keys")
            assert subprocess.run(told, capture_output=True).returncode == 0
        assert not server.has("keys not taken")
