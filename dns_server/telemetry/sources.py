"""Where the figures come from: references to the parts of a running service, read when somebody asks."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dns_server.endpoint import Endpoint
from dns_server.limiting.rate_limiter import RateLimiter
from dns_server.listeners.streams import Streams
from dns_server.listeners.udp_counters import UdpCounters
from dns_server.logs.syslog import Syslog
from dns_server.peers import Peers
from dns_server.publisher import Publisher
from dns_server.telemetry.lag import LoopLag
from dns_server.telemetry.rate import RecentRate
from dns_server.telemetry.statistics import QueryStatistics
from dns_server.update.counters import UpdateCounters
from dns_server.update.writing import Writing
from zones.sync import Sync

if TYPE_CHECKING:  # images have no processes, and few machines the own stack
    from dns_server.workers.pool import Pool
    from stack.loop.loop import StackLoop


@dataclass(frozen=True, slots=True)
class UpdateFigures:
    """Of dynamic updates."""

    messages: UpdateCounters
    writing: Writing | None
    """None where nothing can be written to."""


@dataclass(slots=True)
class Sources:
    """Parts of one service. Nothing here is changed by who reads."""

    name: str
    """Of the server, empty when it tells none."""
    version: str
    started: float
    """Seconds since 1970."""
    clock: Callable[[], float]
    """Seconds since 1970."""
    publisher: Publisher
    sync: Sync
    streams: Streams
    udp: UdpCounters
    endpoints: Sequence[Endpoint]
    statistics: QueryStatistics
    lag: LoopLag
    peers: Peers
    rate: RecentRate
    """Of answers."""
    limiter: RateLimiter | None
    """None where no rates are limited."""
    syslog: Syslog | None = None
    """None without a collector."""
    stack: "StackLoop | None" = None
    """The own stack's loop; None on the host's network."""
    workers: "Pool | None" = None
    """None where this process answers everything itself."""
    updates: UpdateFigures | None = None
    webhooks: Counter[str] | None = None
    """By what came of them; None where none are taken."""
    stages: dict[str, float] = field(default_factory=dict)
    """Seconds from the start to the end of each stage of it."""

    def missing(self) -> list[str]:
        """What keeps the service from answering; empty when nothing does."""
        missing = []
        if not self.endpoints:
            missing.append("it listens nowhere")
        if not self.publisher.loads:
            reason = self.sync.status.last_error
            missing.append(f"no version of the zones has been loaded{f': {reason}' if reason else ''}")
        return missing
