"""The state of the service as one JSON document, and for the page that people read."""

from typing import TYPE_CHECKING, Any, Final

from dns_platform.machine import memory_use
from dns_server.logs.syslog import Syslog
from dns_server.telemetry.sources import Sources
from dns_server.telemetry.statistics import RCODE_NAMES
from zones.findings import Finding
from zones.name import to_text
from zones.slices import Sliced
from zones.snapshot import Snapshot

if TYPE_CHECKING:
    from stack.loop.loop import StackLoop

_SLICE: Final = 50  # zones between two yields


def status(sources: Sources) -> Sliced[dict[str, Any]]:
    """The document. Times are seconds since 1970, durations seconds, null where there is none."""
    snapshot = sources.publisher.snapshot
    sync = sources.sync.status
    memory = memory_use()
    zones = yield from _zones(sources, snapshot)
    secondaries = yield from _secondaries(sources, snapshot)
    return {
        "ready": not sources.missing(),
        "missing": sources.missing(),
        "server": {
            "name": sources.name,
            "version": sources.version,
            "started": sources.started,
            "now": sources.clock(),
            "addresses": [str(endpoint) for endpoint in sources.endpoints],
            "resident_bytes": None if memory is None else memory.used,
            "memory_bytes": None if memory is None else memory.total,
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
        "secondaries": secondaries,
        "held_back": [{"what": held.what, "reason": held.message} for held in snapshot.held_back],
        "repository": _findings(snapshot.findings),
        "queries": _queries(sources),
        "stack": None if sources.stack is None else _stack(sources.stack),
        "syslog": None if sources.syslog is None else _syslog(sources.syslog),
    }


def essentials(sources: Sources) -> list[str]:
    """What a person must know first, as short texts: for the DNS, where they are one record."""
    snapshot, status = sources.publisher.snapshot, sources.sync.status
    missing = sources.missing()
    texts = [
        "ready" if not missing else f"not ready: {missing[0]}",
        f"zones {len(snapshot.zones)}",
        f"records {sources.publisher.records}",
        f"broken {len(snapshot.broken)}",
        f"held back {len(snapshot.held_back)}",
        f"commit {snapshot.revision or 'none'}",
        f"loaded {_age(sources.publisher.last_load or None, sources)}",
        f"source seen {_age(status.last_success, sources)}",
    ]
    if status.failures:
        texts.append(f"source failed {status.failures} times")
    return texts


def _age(moment: float | None, sources: Sources) -> str:
    return "never" if moment is None else f"{max(0, round(sources.clock() - moment))} s ago"


def _stack(loop: "StackLoop") -> dict[str, Any]:
    interface = loop.interface
    states = {state.value: count for state, count in loop.tcp.commons.population.items() if count}
    dropped = [{"layer": layer, "reason": reason, "count": count} for layer, reason, count in interface.counters]
    batched = 0 if interface.batches is None else interface.batches.replies
    return {"tcp": states, "express_replies": interface.express.replies + batched, "events": dropped}


def _syslog(syslog: Syslog) -> dict[str, int]:
    counters = syslog.counters
    return {
        "queued": syslog.queued,
        "sent": counters.sent,
        "dropped": counters.lost,
        "connects": counters.connects,
        "failures": counters.failures,
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


def _secondaries(sources: Sources, snapshot: Snapshot) -> Sliced[list[dict[str, Any]]]:
    """What those have that hold copies, where that is known."""
    known = sources.peers.secondaries
    found = []
    for number, origin in enumerate(known.zones()):
        if not number % _SLICE:
            yield
        served = snapshot.zones.get(origin)
        if served is None:
            continue
        for peer in known.of(origin):
            said = None if peer.rcode is None else RCODE_NAMES.get(peer.rcode, str(peer.rcode))
            found.append(
                {
                    "zone": to_text(origin),
                    "address": peer.address,
                    "key": peer.key,
                    "serial": peer.serial,
                    "seen": peer.seen,
                    "is_current": None if peer.serial is None else peer.serial == served.zone.serial,
                    "notified_serial": peer.told,
                    "notified_at": peer.told_at,
                    "notify_reply": said,
                }
            )
    return found


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
        "per_second": round(sources.rate.per_second, 3),
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
