"""Start with a folder of 12,000 zones: CPU until ready, and what memory it takes."""

import resource
import tempfile
from pathlib import Path

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


def run() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(ZONES):
            (folder / f"zone-{number}.example").write_text(_ZONE.format(octet=number % 250))
        with serve(f"--zones={folder}", "--poll=1d", patience_s=600) as server:
            ready = server.wait_for("ready")
            used = server.cpu_s()
            memory = server.resident_mb()
            assert ready["zones"] == ZONES, server.events
        print(f"  CPU until ready: {used:.1f} s (goal: under {GOAL_S:.0f} s); {ready['records']} records")
        print(f"  wall clock: {ready['seconds']:.1f} s; resident: {memory:.0f} MB")
        print(f"  of the benchmark itself: {resource.getrusage(resource.RUSAGE_SELF).ru_utime:.1f} s")
