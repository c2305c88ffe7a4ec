"""From messages to replies: the engine, counts of its answers, limits of their rate, and what its defects cost."""

import time
from collections.abc import Callable, Sequence

from dns_server.answer.batch import Batch
from dns_server.answer.engine import Engine, Kind
from dns_server.answer.protocol import Transport
from dns_server.limiting.limiting import Limiting
from dns_server.listeners.answering import Answer, BatchAnswer
from dns_server.telemetry.statistics import QueryStatistics
from stack.address import Address


class Answering:
    """What listeners ask."""

    def __init__(
        self, engine: Engine, statistics: QueryStatistics, limiting: Limiting | None, bug: Callable[..., None]
    ) -> None:
        """`limiting` is None where no rates are limited; `bug` gets defects of ours, each of which costs one query."""
        self._engine = engine
        self._statistics = statistics
        self._limiting = limiting
        self._bug = bug

    def again(self, bug: Callable[..., None], report: Callable[..., None]) -> "Answering":
        """The same for another process, which tells its defects to `bug` and what peers do to `report`."""
        limiting = None if self._limiting is None else self._limiting.again(report)
        return Answering(self._engine, self._statistics, limiting, bug)

    def counts(self) -> list[float]:
        """Everything that was counted, for `add`."""
        tallies = [tally.values() for tally in self._statistics.tallies.values()]
        limited = [] if self._limiting is None else self._limiting.limiter.values()
        return [*(value for values in tallies for value in values), *limited]

    def add(self, counts: Sequence[float]) -> None:
        """Add what was counted elsewhere. ValueError if `counts` are none of these."""
        tallies = self._statistics.tallies.values()
        size = len(next(iter(tallies)).values())
        for number, tally in enumerate(tallies):
            tally.add(counts[number * size : (number + 1) * size])
        if self._limiting is not None:
            self._limiting.limiter.add(counts[len(tallies) * size :])

    def single(self, transport: Transport) -> Answer:
        """Answers messages one by one, over UDP within the rates."""
        limiting = self._limiting if transport is Transport.UDP else None
        tally, timer = self._statistics.tallies[transport], time.perf_counter

        def answer(query: bytes, source: Address) -> bytes | Kind | None:
            started = timer()
            reply = self._dispatch(query, transport, source)
            if isinstance(reply, Kind):
                return reply
            tally.note(reply or b"", timer() - started)
            if reply is None or limiting is None:
                return reply
            return limiting.limit_one(query, reply, source, trusted=self._engine.proven)

        return answer

    def batches(self) -> BatchAnswer:
        """Answers several datagrams at a time, within the rates. Each one has its share of the time of all."""
        engine, limiting = self._engine, self._limiting
        tally, timer, clock = self._statistics.tallies[Transport.UDP], time.perf_counter, time.time

        def rest(query: bytes, source: Address) -> bytes | Kind | None:
            reply = self._dispatch(query, Transport.UDP, source)
            if reply is None:
                tally.note(b"", 0.0)
            return reply

        def answer_batch(batch: Batch, count: int) -> Sequence[tuple[int, Kind]]:
            started = timer()
            elsewhere = engine.respond_batch(batch, count, rest, clock())
            tally.note_batch(batch, count, timer() - started)
            if limiting is not None:
                limiting.limit(batch, count)
            return elsewhere

        return answer_batch

    def _dispatch(self, query: bytes, transport: Transport, source: Address) -> bytes | Kind | None:
        try:
            return self._engine.dispatch(query, transport, time.time(), source)
        except Exception as error:  # a defect of ours: one query is lost, the service is not
            self._bug("internal error, a query was dropped", query=query[:512].hex(), exc_info=error)
            return None
