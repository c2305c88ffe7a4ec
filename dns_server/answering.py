"""From messages to replies: the engine, with what is counted about its answers, and what becomes of its defects."""

import time
from collections.abc import Callable, Sequence

from dns_server.answer.batch import Batch
from dns_server.answer.engine import Engine, Kind
from dns_server.answer.protocol import Transport
from dns_server.listeners.answering import Answer, BatchAnswer
from dns_server.telemetry.statistics import QueryStatistics
from stack.address import Address


class Answering:
    """What listeners ask."""

    def __init__(self, engine: Engine, statistics: QueryStatistics | None, bug: Callable[..., None]) -> None:
        """`statistics` is None where nothing is counted; `bug` gets defects of ours, each of which costs one query."""
        self._engine = engine
        self._statistics = statistics
        self._bug = bug

    def single(self, transport: Transport) -> Answer:
        """Answers messages one by one."""
        engine, clock = self._engine, time.time

        def answer(query: bytes, _source: Address) -> bytes | Kind | None:
            try:
                return engine.dispatch(query, transport, clock())
            except Exception as error:  # a defect of ours: one query is lost, the service is not
                self._bug("internal error, a query was dropped", query=query[:512].hex(), exc_info=error)
                return None

        statistics, timer = self._statistics, time.perf_counter
        if statistics is None:
            return answer

        def counted(query: bytes, source: Address) -> bytes | Kind | None:
            started = timer()
            reply = answer(query, source)
            if not isinstance(reply, Kind):
                statistics.note(transport, reply, timer() - started)
            return reply

        return counted

    def batches(self) -> BatchAnswer:
        """Answers several datagrams at a time. With statistics, each one has its share of the core's time."""
        engine, statistics, timer = self._engine, self._statistics, time.perf_counter
        answer = self.single(Transport.UDP)
        if statistics is None:
            return lambda batch, count: engine.respond_batch(batch, count, answer)

        def counted(batch: Batch, count: int) -> Sequence[tuple[int, Kind]]:
            started = timer()
            engine.respond_core(batch, count)
            share = (timer() - started) / count
            for index in range(count):
                if batch.reply_lengths[index]:
                    statistics.note(Transport.UDP, batch.reply(index), share)
            return engine.respond_rest(batch, count, answer)

        return counted
