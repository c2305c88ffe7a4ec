"""Metrics in Prometheus's text format, version 0.0.4."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from dns_platform.machine import memory_use
from dns_server.answer.protocol import Transport
from dns_server.limiting.rate_limiter import RateLimiter
from dns_server.logs.syslog import Syslog
from dns_server.peers import Peers
from dns_server.telemetry.sources import Sources
from dns_server.telemetry.statistics import RCODE_NAMES, Histogram
from zones.keys import Operation
from zones.name import to_text
from zones.slices import Sliced

if TYPE_CHECKING:
    from stack.loop.loop import StackLoop
    from zones.zone import Zone

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SLICE: Final = 50  # zones between two yields

Sample = tuple[Mapping[str, str], float]


def render(sources: Sources) -> Sliced[bytes]:
    """All metrics as of now."""
    page = _Page()
    _server(page, sources)
    _queries(page, sources)
    _transports(page, sources)
    _peers(page, sources.peers)
    if sources.stack is not None:
        _stack(page, sources.stack)
    if sources.syslog is not None:
        _syslog(page, sources.syslog)
    yield
    _source(page, sources)
    _updates(page, sources)
    yield from _zones(page, sources)
    return page.text().encode()


class _Page:
    """Lines of the format, family by family."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def family(self, name: str, kind: str, doc: str) -> None:
        """Begin a family; its samples follow."""
        self._lines += (f"# HELP unizone_{name} {doc}", f"# TYPE unizone_{name} {kind}")

    def sample(self, name: str, labels: Mapping[str, str], value: float) -> None:
        """One sample of the family in hand."""
        inner = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
        number = str(value) if isinstance(value, int) else repr(float(value))
        self._lines.append(f"unizone_{name}{{{inner}}} {number}" if inner else f"unizone_{name} {number}")

    def one(self, name: str, kind: str, doc: str, value: float) -> None:
        """A family of one sample without labels."""
        self.family(name, kind, doc)
        self.sample(name, {}, value)

    def many(self, name: str, kind: str, doc: str, samples: Iterable[Sample]) -> None:
        """A family with labels."""
        self.family(name, kind, doc)
        for labels, value in samples:
            self.sample(name, labels, value)

    def histogram(self, name: str, labels: Mapping[str, str], histogram: Histogram) -> None:
        """Samples of one histogram of the family in hand."""
        below = 0
        for bound, count in zip((*histogram.bounds, float("inf")), histogram.counts, strict=True):
            below += count
            limit = "+Inf" if bound == float("inf") else repr(bound)
            self.sample(f"{name}_bucket", {**labels, "le": limit}, below)
        self.sample(f"{name}_sum", labels, histogram.total)
        self.sample(f"{name}_count", labels, below)

    def text(self) -> str:
        """The whole page."""
        return "\n".join(self._lines) + "\n"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _server(page: _Page, sources: Sources) -> None:
    about = {"version": sources.version, "name": sources.name}
    page.many("info", "gauge", "Version and name of the server.", [(about, 1)])
    page.one("start_time_seconds", "gauge", "When the service started, in seconds since 1970.", sources.started)
    page.one("ready", "gauge", "Whether the service answers for zones.", int(not sources.missing()))
    workers = sources.workers
    cpu_s = time.process_time() + (0.0 if workers is None else workers.cpu_s)
    page.one("cpu_seconds_total", "counter", "User and system time of the process and its workers.", cpu_s)
    if workers is not None:
        page.one("workers", "gauge", "Processes that answer over UDP.", workers.size)
        page.one("workers_lost_total", "counter", "Workers that ended by themselves.", workers.lost)
        page.one(
            "workers_renewed_total", "counter", "Workers that made room for others with new zones.", workers.renewed
        )
    memory = memory_use()
    if memory is not None:
        meaning = "Resident memory of the process; of a virtual machine, what is in use."
        page.one("resident_memory_bytes", "gauge", meaning, memory.used)
        if memory.total is not None:
            page.one("memory_bytes", "gauge", "RAM of the machine beside the image itself.", memory.total)
    stages = [({"stage": stage}, seconds) for stage, seconds in sources.stages.items()]
    page.many("start_stage_seconds", "gauge", "From the start of the service to the end of each stage.", stages)
    page.family("loop_lag_seconds", "histogram", "By how much the event loop missed the moment of a timer.")
    page.histogram("loop_lag_seconds", {}, sources.lag.histogram)
    page.one("loop_lag_longest_seconds", "gauge", "The most that it was since the start.", sources.lag.longest_s)


def _queries(page: _Page, sources: Sources) -> None:
    found = sources.statistics
    types = [({"transport": transport.value, "type": name}, count) for transport, name, count in found.types()]
    page.many("queries_total", "counter", "Answered queries by transport and type.", types)
    rcodes = [({"transport": transport.value, "rcode": name}, count) for transport, name, count in found.rcodes()]
    page.many("answers_total", "counter", "Answers by transport and response code.", rcodes)
    silent = [({"transport": transport.value}, tally.silent) for transport, tally in found.tallies.items()]
    page.many(
        "unanswered_total",
        "counter",
        "Messages that get no answer: responses, less than a header, copies of what is being worked on.",
        silent,
    )
    _rate_limits(page, sources.limiter)
    page.family("answer_size_bytes", "histogram", "Octets of the answers.")
    for transport in Transport:
        page.histogram("answer_size_bytes", {"transport": transport.value}, found.sizes(transport))
    page.family("answer_seconds", "histogram", "From message to answer, without the kernel's part.")
    page.histogram("answer_seconds", {}, found.seconds())


def _rate_limits(page: _Page, limiter: RateLimiter | None) -> None:
    counts = [] if limiter is None else limiter.counts()
    limited = [
        ({"class": name, "action": action}, count)
        for name, dropped, slipped in counts
        for action, count in (("dropped", dropped), ("slipped", slipped))
    ]
    doc = "Answers over the rate limit by class; those that slipped left truncated, errors as they were."
    page.many("rate_limited_total", "counter", doc, limited)
    exempted = 0 if limiter is None else limiter.exempted
    doc = "Answers over UDP that no rate limit holds for: exempt networks and known clients."
    page.one("rate_limit_exempted_total", "counter", doc, exempted)


def _transports(page: _Page, sources: Sources) -> None:
    udp, streams = sources.udp, sources.streams.counters
    page.one("udp_received_total", "counter", "Datagrams received.", udp.received)
    page.one("udp_sent_total", "counter", "Datagrams sent.", udp.sent)
    drops = [
        ({"reason": "not sent"}, udp.unsent),
        ({"reason": "oversized"}, udp.oversized),
        ({"reason": "from port 0"}, udp.from_port_0),
        ({"reason": "to a group"}, udp.to_group),
        ({"reason": "too many at once"}, udp.crowded),
    ]
    page.many("udp_dropped_total", "counter", "Datagrams dropped, by reason.", drops)
    page.one("stream_connections", "gauge", "Connections open over TCP and TLS.", len(sources.streams.clients))
    page.one("stream_accepted_total", "counter", "Connections accepted over TCP and TLS.", streams.accepted)
    closed = [
        ({"reason": "too many of one client"}, streams.refused_per_client),
        ({"reason": "idle, to make room"}, streams.evicted),
        ({"reason": "idle"}, streams.timed_out),
        ({"reason": "TLS handshake"}, streams.tls_failed),
    ]
    page.many("stream_closed_total", "counter", "Connections that the server closed, by reason.", closed)
    page.one("stream_queries_total", "counter", "Messages received over TCP and TLS.", streams.queries)


def _peers(page: _Page, peers: Peers) -> None:
    """Transfers, notifications and what was not permitted."""
    gate, transfers, journal = peers.gate, peers.transfers.counters, peers.journal
    failures = [({"reason": reason}, count) for reason, count in gate.failures.items()]
    page.many("tsig_failures_total", "counter", "Signatures that were not believed, by reason.", failures)
    denied = [({"operation": operation.name.lower()}, gate.denied[operation]) for operation in Operation]
    page.many("not_permitted_total", "counter", "Requests that were not permitted.", denied)
    kinds = [
        ({"kind": "AXFR"}, transfers.axfr),
        ({"kind": "IXFR"}, transfers.ixfr),
        ({"kind": "IXFR as AXFR"}, transfers.fallbacks),
        ({"kind": "IXFR, SOA alone"}, transfers.current),
    ]
    page.many("transfers_total", "counter", "Transfers of zones to others, by kind.", kinds)
    page.one("transfers_running", "gauge", "Transfers under way.", transfers.running)
    page.one("transfers_cut_off_total", "counter", "Transfers cut off by a bound.", transfers.cut_off)
    page.one("transfer_bytes_total", "counter", "Octets of transfers.", transfers.octets)
    page.one("ixfr_journal_bytes", "gauge", "Memory of the differences that IXFR is answered from.", journal.octets)
    page.one("ixfr_journal_versions", "gauge", "Differences in it.", len(journal))
    sent, came = peers.notifier.counters, peers.notified.counters
    page.one("notify_sent_total", "counter", "Notifications sent to secondaries.", sent.sent)
    results = [
        ({"result": "acknowledged"}, sent.acknowledged),
        ({"result": "refused"}, sent.refused),
        ({"result": "unanswered"}, sent.unanswered),
        ({"result": "given up"}, sent.given_up),
    ]
    page.many("notify_results_total", "counter", "What came of them.", results)
    page.one("notify_pending", "gauge", "Secondaries still to be told, counted for each zone.", peers.notifier.pending)
    received = [({"result": "obeyed"}, came.obeyed), ({"result": "refused"}, came.refused)]
    received.append(({"result": "repeated"}, came.repeated))
    page.many("notified_total", "counter", "Notifications received, by what came of them.", received)


def _stack(page: _Page, loop: "StackLoop") -> None:
    interface = loop.interface
    counted = [({"layer": layer, "reason": reason}, count) for layer, reason, count in interface.counters]
    page.many("stack_events_total", "counter", "Drops and other events of the own stack, by layer and reason.", counted)
    batched = 0 if interface.batches is None else interface.batches.replies
    replies = [({"way": "single"}, interface.express.replies), ({"way": "batch"}, batched)]
    page.many("stack_express_replies_total", "counter", "Replies that went from frame to frame in one step.", replies)
    states = [({"state": state.value}, count) for state, count in loop.tcp.commons.population.items()]
    page.many("stack_tcp_connections", "gauge", "TCP connections of the own stack by state.", states)
    page.one("stack_tcp_buffered_bytes", "gauge", "Octets in the buffers of all of them.", loop.tcp.commons.buffered)


def _syslog(page: _Page, syslog: Syslog) -> None:
    counters = syslog.counters
    page.one("syslog_queued", "gauge", "Log lines that wait for the collector.", syslog.queued)
    page.one("syslog_sent_total", "counter", "Log lines handed over to the collector.", counters.sent)
    page.one("syslog_dropped_total", "counter", "Log lines for which the queue had no room.", counters.lost)
    page.one("syslog_connects_total", "counter", "Connections to the collector.", counters.connects)
    page.one("syslog_failures_total", "counter", "Connections that could not be made, or broke.", counters.failures)


def _updates(page: _Page, sources: Sources) -> None:
    if sources.webhooks is not None:
        outcomes = [({"outcome": outcome}, sources.webhooks[outcome]) for outcome in ("sync", "ignored", "refused")]
        page.many("webhooks_total", "counter", "Webhooks by what came of them.", outcomes)
    if sources.updates is None:
        return
    messages, writing = sources.updates.messages, sources.updates.writing
    replies = [({"rcode": RCODE_NAMES.get(code, str(code))}, count) for code, count in messages.replies.items()]
    page.many("updates_total", "counter", "Dynamic updates by response code.", replies)
    page.one("updates_repeated_total", "counter", "Copies of updates that were obeyed already.", messages.repeated)
    page.one("updates_busy_total", "counter", "Updates refused because too many were in progress.", messages.busy)
    page.one("updates_in_progress", "gauge", "Updates that wait to be written.", messages.in_progress)
    if writing is not None:
        written = writing.writer.counters
        page.one("update_pushes_total", "counter", "Pushes that landed, each with one change or more.", written.pushes)
        page.one("update_changes_total", "counter", "Changes that were written.", written.written)
        page.one(
            "update_overtaken_total", "counter", "Pushes that others had overtaken, made again.", written.overtaken
        )
        page.one("update_failed_total", "counter", "Changes that could not be written.", written.failed)
        page.one("update_pending", "gauge", "Changes that are served and not pushed yet.", writing.pending)


def _source(page: _Page, sources: Sources) -> None:
    status, publisher = sources.sync.status, sources.publisher
    about = {"source": status.source, "commit": publisher.snapshot.revision}
    page.many("source_info", "gauge", "Where the zones come from, and the commit served.", [(about, 1)])
    doc = "Attempts to read the source that failed since the last success."
    page.one("source_failures", "gauge", doc, status.failures)
    page.one("syncs_total", "counter", "Attempts to read the source.", sources.sync.attempts)
    page.one("syncs_failed_total", "counter", "Attempts to read the source that failed.", sources.sync.failed)
    if status.last_success is not None:
        doc = "When the source was last seen to be what is loaded."
        page.one("source_last_success_timestamp_seconds", "gauge", doc, status.last_success)
    page.one("loads_total", "counter", "Versions of the zones put into service.", publisher.loads)
    if publisher.loads:
        page.one("last_load_timestamp_seconds", "gauge", "When the last of them was.", publisher.last_load)


def _zones(page: _Page, sources: Sources) -> Sliced[None]:
    snapshot, publisher = sources.publisher.snapshot, sources.publisher
    page.one("zones", "gauge", "Zones served.", len(snapshot.zones))
    page.one("zones_broken", "gauge", "Zones whose newest version is refused.", len(snapshot.broken))
    page.one("changes_held_back", "gauge", "Changes held back because they remove too much.", len(snapshot.held_back))
    page.one("records", "gauge", "Records served.", publisher.records)
    families: tuple[tuple[str, str, Callable[[Zone], float]], ...] = (
        ("zone_serial", "SOA serial served.", lambda zone: zone.serial),
        ("zone_records", "Records of the zone.", lambda zone: zone.record_count),
        ("zone_loaded_timestamp_seconds", "When this version went into service.", publisher.since),
    )
    for name, doc, value_of in families:
        page.family(name, "gauge", doc)
        for number, served in enumerate(snapshot.zones.values()):
            if not number % _SLICE:
                yield
            page.sample(name, {"zone": to_text(served.zone.origin)}, value_of(served.zone))
    page.family("zone_broken", "gauge", "Whether the newest version of the zone is refused; 0 is left out.")
    for number, origin in enumerate(snapshot.broken):
        if not number % _SLICE:
            yield
        page.sample("zone_broken", {"zone": to_text(origin)}, 1)
