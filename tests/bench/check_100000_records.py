"""Checks of zones of 100,000 records."""

import base64
import hashlib
import time
from collections.abc import Iterator

from tests.bench.harness.figure import Figure
from zones import name as names
from zones.checks import check
from zones.checks.rdata import key_tag
from zones.slices import run_to_end
from zones.zone import Zone
from zones.zonefile import parse

RECORDS = 100_000
SMALL_ZONES = 1_000
GOAL_US = 10.0

_ORIGIN = names.from_text("example.com.")
_APEX = ["SOA ns hostmaster 1 4h 1h 14d 5m", "NS ns"]
_KEY = bytes(range(64))
_TAG = key_tag(b"\1\1\3\x0d" + _KEY)
_NOW = 1_790_000_000.0


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures."""
    records = RECORDS // 20 if quick else RECORDS
    kinds = {"unsigned": _unsigned(records), "NSEC": _signed("NSEC", records), "NSEC3": _signed("NSEC3", records)}
    for kind, lines in kinds.items():
        zone = _zone(lines)
        cpu, holds = _check(zone)
        slices = f"slices of {holds[len(holds) // 2] * 1e6:.0f} us, 99 % {holds[len(holds) * 99 // 100] * 1e6:.0f} us"
        goal = GOAL_US if kind == "unsigned" else None
        yield Figure(f"CPU to check a record, {kind}", cpu / zone.record_count * 1e6, "us", goal, note=slices)
    small = _zone(_unsigned(12))
    begin = time.process_time()
    for _ in range(SMALL_ZONES):
        run_to_end(check(small, _NOW))
    used = (time.process_time() - begin) / SMALL_ZONES
    yield Figure(f"CPU to check a zone of {small.record_count} records", used * 1e6, "us")


def _zone(lines: Iterator[str]) -> Zone:
    def include(path: str) -> bytes:
        raise FileNotFoundError(path)

    parsed = run_to_end(parse("\n".join(["$TTL 300", *lines, ""]).encode(), _ORIGIN, "zone", include))
    assert parsed.zone is not None, parsed.findings[:3]
    return parsed.zone


def _check(zone: Zone) -> tuple[float, list[float]]:
    """CPU in seconds, and the time that each slice took, sorted."""
    holds: list[float] = []
    begin = time.process_time()
    work = check(zone, _NOW)
    while True:
        start = time.perf_counter()
        try:
            next(work)
        except StopIteration as stop:
            findings = stop.value
            break
        finally:
            holds.append(time.perf_counter() - start)
    assert not findings, findings[:3]
    return time.process_time() - begin, sorted(holds)


def _unsigned(records: int) -> Iterator[str]:
    yield from (f"@ {record}" for record in _APEX)
    yield "ns A 192.0.2.1"
    for number in range((records - 3) // 5):
        yield f"host-{number} A 192.0.2.1"
        yield f"host-{number} AAAA 2001:db8::1"
        yield f'text{number} TXT "number {number}"'
        yield f"mail{number} MX 10 host-{number}"
        yield f"alias{number} CNAME host-{number}"


def _signed(denial: str, records: int) -> Iterator[str]:
    """A signed zone with signatures that nobody verifies; a quarter of its records are data."""
    nodes = {"@": [*_APEX, f"DNSKEY 257 3 13 {base64.b64encode(_KEY).decode()}"], "ns": ["A 192.0.2.1"]}
    nodes |= {f"host{number:06}": ["A 192.0.2.1"] for number in range(records // 4)}
    if denial == "NSEC3":
        nodes["@"].append("NSEC3PARAM 1 0 0 -")
    for owner, present in nodes.items():
        for record in present:
            yield f"{owner} {record}"
            yield _rrsig(owner, record.split()[0])
    types = {owner: " ".join(record.split()[0] for record in present) for owner, present in nodes.items()}
    if denial == "NSEC":
        links = {owner: f"{types[owner]} RRSIG NSEC" for owner in ["@", *sorted(nodes.keys() - {"@"})]}
        start = ""
    else:
        links = dict(sorted((_hash(owner), f"{types[owner]} RRSIG") for owner in nodes))
        start = "1 0 0 - "
    owners = list(links)
    for owner, after in zip(owners, [*owners[1:], owners[0]], strict=True):
        yield f"{owner} {denial} {start}{after} {links[owner]}"
        yield _rrsig(owner, denial)


def _hash(owner: str) -> str:
    wire = _ORIGIN if owner == "@" else names.from_text(owner, _ORIGIN)
    return base64.b32hexencode(hashlib.sha1(wire, usedforsecurity=False).digest()).decode().lower()


def _rrsig(owner: str, rdtype: str) -> str:
    labels = 2 if owner == "@" else 3
    return f"{owner} RRSIG {rdtype} 13 {labels} 300 20900101000000 20260101000000 {_TAG} @ {'A' * 86}=="
