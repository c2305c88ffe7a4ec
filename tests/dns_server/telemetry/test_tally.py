"""Counts of answers: compiled and plain, by batches and one by one, they agree with a plain model."""

import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dns_server.answer.batch import Batch
from dns_server.answer.protocol import Transport
from dns_server.telemetry.statistics import QueryStatistics
from dns_server.telemetry.tally import NO_QUESTION, OTHER_TYPE, SECONDS_BOUNDS, SIZE_BOUNDS
from tests.support.plain import plain_module

MODULE = "dns_server.telemetry.tally"


def reply_of(qtype: int | None, rcode: int, length: int) -> bytes:
    """A reply with a question of that type, or with none, filled up to `length` octets."""
    question = b"" if qtype is None else b"\x03www\x07example\x00" + qtype.to_bytes(2, "big") + b"\0\1"
    head = bytes((0, 1, 0x84, rcode, 0, int(qtype is not None), 0, 0, 0, 0, 0, 0)) + question
    return head.ljust(length, b"\xff")


replies = st.builds(
    reply_of,
    st.none() | st.sampled_from([1, 28, 65, 257, 509, 510, 511, 512, 65535]),
    st.integers(0, 15),
    st.sampled_from([12, 64, 65, 512, 513, 1232]),
)


@given(found=st.lists(st.just(b"") | replies, min_size=1, max_size=20), seconds=st.sampled_from([0.0, 1e-6, 3e-5, 7.0]))
@settings(max_examples=100, deadline=None)
def test_all_ways_agree_with_a_plain_model(found: list[bytes], seconds: float) -> None:
    sent = [reply for reply in found if reply]
    types = Counter(
        NO_QUESTION if not reply[5] else min(int.from_bytes(reply[25:27], "big"), OTHER_TYPE) for reply in sent
    )
    types[OTHER_TYPE] += sum(1 for reply in sent if reply[5] and reply[25:27] == NO_QUESTION.to_bytes(2, "big"))
    types[NO_QUESTION] -= sum(1 for reply in sent if reply[5] and reply[25:27] == NO_QUESTION.to_bytes(2, "big"))
    batch = Batch(len(found), 512)
    for index, reply in enumerate(found):
        batch.put_reply(index, reply)
    for module in (sys.modules[MODULE], plain_module(MODULE)):
        single, batched = module.Tally(), module.Tally()
        for reply in found:
            single.note(reply, seconds)
        batched.note_batch(batch, len(found), seconds * len(found))
        for tally in (single, batched):
            assert tally.answered == len(sent)
            assert tally.silent == (len(found) - len(sent) if tally is single else 0)
            assert tally.octets == sum(map(len, sent))
            assert {number: count for number, count in enumerate(tally.types) if count} == +types
            rcodes = Counter(reply[3] for reply in sent)
            assert {number: count for number, count in enumerate(tally.rcodes) if count} == rcodes
            below = [sum(tally.size_counts[: index + 1]) for index in range(len(SIZE_BOUNDS))]
            assert below == [sum(len(reply) <= bound for reply in sent) for bound in SIZE_BOUNDS]
            assert tally.seconds == pytest.approx(seconds * len(sent))
            quick = [sum(tally.second_counts[: index + 1]) for index in range(len(SECONDS_BOUNDS))]
            assert quick == [len(sent) * (seconds <= bound) for bound in SECONDS_BOUNDS]


def test_figures_have_names() -> None:
    statistics = QueryStatistics()
    for qtype, rcode in ((1, 0), (1, 3), (400, 0), (60000, 0), (None, 1)):
        statistics.tallies[Transport.UDP].note(reply_of(qtype, rcode, 64), 1e-5)
    statistics.tallies[Transport.TCP].note(reply_of(257, 12, 2000), 1e-5)
    udp, tcp = Transport.UDP, Transport.TCP
    assert set(statistics.types()) == {(udp, "A", 2), (udp, "other", 2), (udp, "none", 1), (tcp, "CAA", 1)}
    assert set(statistics.rcodes()) == {(udp, "NOERROR", 3), (udp, "NXDOMAIN", 1), (udp, "FORMERR", 1), (tcp, "12", 1)}
    assert statistics.answered == 6
    assert statistics.seconds().count == 6
    assert statistics.sizes(tcp).total == 2000
