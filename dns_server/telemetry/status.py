"""The state of the service as one JSON document, and for the page that people read."""

from typing import Any, Final

from dns_server.telemetry.sources import Sources, resident_bytes
from zones.findings import Finding
from zones.name import to_text
from zones.slices import Sliced
from zones.snapshot import Snapshot

_SLICE: Final = 50  # zones between two yields


def status(sources: Sources) -> Sliced[dict[str, Any]]:
    """The document. Times are seconds since 1970, durations seconds, null where there is none."""
    snapshot = sources.publisher.snapshot
    sync = sources.sync.status
    zones = yield from _zones(sources, snapshot)
    return {
        "ready": not sources.missing(),
        "missing": sources.missing(),
        "server": {
            "name": sources.name,
            "version": sources.version,
            "started": sources.started,
            "now": sources.clock(),
            "addresses": [str(endpoint) for endpoint in sources.endpoints],
            "resident_bytes": resident_bytes(),
            "loop_lag_longest_s": sources.lag.longest_s,
            "start_stages_s": dict(sources.stages),
        },
        "source": {
            "source": sync.source,
            "commit": snapshot.revision,
            "last_load": sources.publisher.last_load or None,
            "last_success": sync.last_success,
            "last_error": sync.last_error,
            "failures": sync.failures,
            "next_attempt": sync.next_attempt,
        },
        "records": sources.publisher.records,
        "zones": zones,
        "broken": [
            {
                "zone": to_text(origin),
                "file": broken.file,
                "since_commit": broken.since,
                "last_good_is_served": origin in snapshot.zones,
                "findings": _findings(broken.findings),
            }
            for origin, broken in snapshot.broken.items()
        ],
        "held_back": [{"what": held.what, "reason": held.message} for held in snapshot.held_back],
        "repository": _findings(snapshot.findings),
        "queries": _queries(sources),
    }


def _zones(sources: Sources, snapshot: Snapshot) -> Sliced[list[dict[str, Any]]]:
    zones = []
    for number, (origin, served) in enumerate(snapshot.zones.items()):
        if not number % _SLICE:
            yield
        zones.append(
            {
                "zone": to_text(origin),
                "serial": served.zone.serial,
                "records": served.zone.record_count,
                "commit": served.revision,
                "since": sources.publisher.since(served.zone),
                "broken": origin in snapshot.broken,
                "warnings": len(served.findings),
            }
        )
    return zones


def _findings(findings: tuple[Finding, ...]) -> list[str]:
    return [str(finding) for finding in findings]


def _queries(sources: Sources) -> dict[str, Any]:
    found, udp, streams = sources.statistics, sources.udp, sources.streams
    by_rcode: dict[str, int] = {}
    for _, name, count in found.rcodes():
        by_rcode[name] = by_rcode.get(name, 0) + count
    by_transport: dict[str, int] = {}
    by_type: dict[str, int] = {}
    for transport, name, count in found.types():
        by_transport[transport.value] = by_transport.get(transport.value, 0) + count
        by_type[name] = by_type.get(name, 0) + count
    return {
        "answered": found.answered,
        "by_transport": by_transport,
        "by_type": by_type,
        "by_rcode": by_rcode,
        "unanswered": sum(tally.silent for tally in found.tallies.values()),
        "rate_limited": 0 if sources.limiter is None else sources.limiter.limited,
        "udp_not_sent": udp.unsent,
        "udp_oversized": udp.oversized,
        "connections": len(streams.clients),
        "connections_refused": streams.counters.refused_per_client + streams.counters.evicted,
    }
