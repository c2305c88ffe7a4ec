"""docs/primary.md does what it says: its policies are taken, its commands run. Secondaries have tests of their own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.debian import need
from tests.support.network import current
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
            # For a machine, a folder is a repository.
            version = "commit [0-9a-f]{12}" if current().is_machine else "a folder"
            assert re.search(f"NOERROR; {version}; serial 2026112101; nothing is wrong", done.stdout)


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


def printed_for(program: str, page: str) -> str:
    """The part of what `unizone key new` prints that is for `program`, without the signs of comments."""
    part = next(part for part in page.split("\n\n") if part.startswith(f"; {program}"))
    return "".join(f"{line.removeprefix('; ')}\n" for line in part.splitlines()[1:])


@pytest.mark.parametrize(
    ("program", "package", "checker"),
    [
        ("BIND", "bind9-utils", "named-checkconf {}"),
        ("Knot", "knot", "knotc --config={} conf-check"),
        ("NSD", "nsd", "nsd-checkconf {}"),
    ],
)
def test_a_new_key_is_taken_by(program: str, package: str, checker: str, tmp_path: Path) -> None:
    tree = need(package)
    command = [
        sys.executable,
        "-m",
        "dns_server",
        "key",
        "new",
        "laptop._update.example.com",
        "--algorithm=hmac-sha512",
    ]
    page = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    configuration = tmp_path / "configuration"
    configuration.write_text(printed_for(program, page))
    name, *arguments = checker.format(configuration).split()
    done = subprocess.run([str(tree.path(name)), *arguments], capture_output=True, text=True, env=tree.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    secret = page.split(" DNSKEY 0 3 165 ")[1].split()[0]
    broken = configuration.read_text().replace(secret, "no Base64!")
    configuration.write_text(broken)
    done = subprocess.run([str(tree.path(name)), *arguments], capture_output=True, text=True, env=tree.environment)
    assert done.returncode != 0  # so it looked at the key
