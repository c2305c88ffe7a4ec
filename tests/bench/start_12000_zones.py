"""Start with 12,000 zones."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.harness.figure import Figure
from tests.support.server import serve

ZONES = 12_000
GOAL_S = 60.0

_ZONE = """\
$TTL 1h
@ SOA ns1.provider.example. hostmaster.provider.example. 2026010101 4h 1h 14d 5m
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
    zones = ZONES // 20 if quick else ZONES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(zones):
            (folder / f"zone-{number}.example").write_text(_ZONE.format(octet=number % 250))
        with serve(f"--zones={folder}", "--poll=1d", patience_s=600) as server:
            ready = server.wait_for("ready")
            used = server.cpu_s()
            memory = server.resident_mb()
            assert ready["zones"] == zones, server.events
    yield Figure(f"CPU until {zones:,} zones are served", used, "s", GOAL_S, note=f"{ready['seconds']:.1f} s of time")
    yield Figure("resident memory", memory, "MB", note=f"{ready['records']:,} records")
