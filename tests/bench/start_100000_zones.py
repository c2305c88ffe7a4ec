"""Start with 100,000 zones from a git repository, and a push that changes one of them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.harness.figure import Figure
from tests.bench.harness.machine import resident_mb
from tests.support.git import git
from tests.support.server import serve

ZONES = 100_000
GOAL_S = 15.0

_ZONE = """\
$TTL 1h
@ SOA ns1.provider.example. hostmaster.provider.example. {serial} 4h 1h 14d 5m
@ NS ns1.provider.example.
@ NS ns2.provider.example.
@ MX 10 mail.provider.example.
@ A 192.0.2.{octet}
@ AAAA 2001:db8::{octet:x}
@ TXT "v=spf1 mx -all"
www CNAME @
mail A 192.0.2.25
_dmarc TXT "v=DMARC1; p=reject"
"""


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures."""
    zones = ZONES // 100 if quick else ZONES
    with tempfile.TemporaryDirectory() as name:
        bare = Path(name) / "zones.git"
        git(Path(name), "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        commit_files(bare, {f"zone-{number}.example": _zone(1, number) for number in range(zones)})
        git(bare, "gc", "--quiet")
        with serve(f"--remote={bare}", "--poll=1d", patience_s=600) as server:
            ready = server.wait_for("ready")
            used, memory = server.cpu_s(), resident_mb(server.process.pid)
            assert ready["zones"] == zones, server.events
            commit_files(bare, {"zone-7.example": _zone(2, 7)})
            seen = len(server.events)
            server.hang_up()
            server.wait_for("loaded", seen)
            again = server.cpu_s() - used
    note = f"{ready['records']:,} records, {ready['seconds']:.1f} s of time"
    yield Figure(f"CPU to load {zones:,} zones", used, "s", GOAL_S, note=note)
    yield Figure("memory when loaded", memory, "MB")
    yield Figure("CPU of a push that changes one of them", again, "s")


def _zone(serial: int, number: int) -> bytes:
    return _ZONE.format(serial=serial, octet=number % 250).encode()


def commit_files(bare: Path, files: dict[str, bytes]) -> None:
    """Put a commit with other `files` on top of the branch; without a work tree, which would take much longer."""
    parts = [b"commit refs/heads/main\ncommitter Bench <bench@example.com> 1700000000 +0000\ndata 6\nchange\n"]
    if git(bare, "branch", "--list", "main"):
        parts.append(b"from refs/heads/main^0\n")
    for path, content in files.items():
        parts.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content))
    git(bare, "fast-import", "--quiet", stdin=b"".join(parts))
