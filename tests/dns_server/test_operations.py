"""The commands of docs/operations.md, run as they stand there, on the host's network and on the own stack."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support import git
from tests.support.debian import need
from tests.support.network import Network
from tests.support.server import Server, eventually, serve

ROOT = Path(__file__).parent.parent.parent
ZONE = "$TTL 1h\n@ SOA ns1 hostmaster {serial} 4h 1h 14d 5m\n@ NS ns1\nns1 A 192.0.2.53\nwww A {address}\n"


def blocks() -> list[str]:
    """What stands in the blocks of shell commands."""
    parts = (ROOT / "docs" / "operations.md").read_text().split("```sh\n")[1:]
    return [part.partition("```")[0] for part in parts]


def endpoint(server: Server, network: Network, *transports: str) -> str:
    return f"{network.server}:{server.ports_for(*transports)[network.server]}"


def run(block: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Standard output of the commands; each must succeed."""
    result = subprocess.run(
        ["sh", "-ec", block], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, (block, result.stdout, result.stderr)
    return result.stdout


def test_the_commands_of_a_day(network: Network, tmp_path: Path) -> None:
    tree = need("bind9-dnsutils", "curl")
    origin = git.Origin(tmp_path)
    origin.push({"example.com": ZONE.format(serial=1, address="192.0.2.80").encode()})
    zone = origin.work / "example.com"
    allowed = "--http-allow=127.0.0.0/8,192.0.2.0/24"
    options = [f"--http={network.listen}", allowed, "--poll=200ms"]
    ask, ready, push, asked, broken, repair, attack = blocks()
    with git.daemon(tmp_path) as local, serve(f"--remote={local}/{origin.bare.name}", *options) as server:
        address = endpoint(server, network, "UDP", "TCP")
        environment = {
            **tree.environment,
            **git.ENVIRONMENT,
            "PATH": f"{Path(sys.executable).parent}:{tree.environment['PATH']}",
            "HTTP": f"http://{endpoint(server, network, 'HTTP')}",
            "DNS": f"{network.server} -p {address.rpartition(':')[2]}",
        }
        assert "ready" in run(ask, tmp_path, environment)
        assert run(ready, tmp_path, environment) == "ready\n"
        zone.write_text(ZONE.format(serial=2, address="192.0.2.81"))
        run(push, origin.work, environment)
        commit = git.git(origin.work, "rev-parse", "HEAD")
        eventually(lambda: commit in run(asked, tmp_path, environment))
        assert run(asked, tmp_path, environment).splitlines() == ["192.0.2.81", f'"{commit}"']
        zone.write_text(ZONE.format(serial=3, address="192.0.2.810"))
        git.git(origin.work, "commit", "--all", "--quiet", "--message", "broken")
        git.git(origin.work, "push", "--quiet")
        server.wait_for("zone refused")
        told = run(broken, tmp_path, environment)
        assert "example.com:5:" in told
        assert told.endswith("trouble\n")
        run(repair, origin.work, environment)
        eventually(lambda: "trouble" not in run(broken, tmp_path, environment))
        assert 'class="nxdomain"' in run(attack, tmp_path, environment)
