"""What is sent again, and when: RFC 6298, RFC 5681 3.2, RFC 6582, RFC 6675, RFC 3042."""

import pytest

from stack.tcp.commons import Limits
from stack.tcp.connection import Connection, Failure
from stack.tcp.options import Options
from stack.tcp.retransmission import RetransmissionTimeout
from stack.tcp.segment import Segment
from stack.tcp.sequence import wrap
from tests.stack.tcp.probe import ACK, Probe, names


def sender(
    *, sack: bool, octets: int = 10_000, limits: Limits | None = None
) -> tuple[Probe, Connection, list[Segment]]:
    """A connection with ten segments of 1,000 octets in flight, and those."""
    probe = Probe(limits)
    connection = probe.accepted(Options(mss=1000, sack_permitted=sack))
    connection.send(bytes(octets))
    sent = probe.take()
    return probe, connection, sent


def ack(probe: Probe, segment: Segment, *sacked: Segment) -> None:
    """Acknowledge what is before `segment`, and `sacked` selectively."""
    blocks = tuple((s.sequence, wrap(s.sequence + s.length)) for s in sacked)
    probe.send(ACK, ack=segment.sequence, carried=Options(sack=blocks))


def numbers(sent: list[Segment], again: list[Segment]) -> list[int]:
    """Which of `sent` (counted from 0) are `again`; new segments count on."""
    return [wrap(segment.sequence - sent[0].sequence) // 1000 for segment in again if segment.payload]


def test_the_first_rto_is_a_second_and_doubles() -> None:
    timeout = RetransmissionTimeout()
    waits = []
    for backoff in range(8):
        timeout.backoff = backoff
        waits.append(timeout.interval)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_the_rto_follows_the_round_trip_time() -> None:
    """RFC 6298 2.2 and 2.3, by hand."""
    timeout = RetransmissionTimeout()
    timeout.sample(1.0)
    assert timeout.interval == pytest.approx(1 + 4 * 0.5)
    timeout.sample(2.0)
    variation = 0.75 * 0.5 + 0.25 * 1.0
    assert timeout.smoothed == pytest.approx(1.125)
    assert timeout.interval == pytest.approx(1.125 + 4 * variation)


def test_a_round_trip_that_is_always_the_same_leaves_room_for_a_delayed_ack() -> None:
    timeout = RetransmissionTimeout()
    for _ in range(100):
        timeout.sample(0.01)
    assert timeout.interval == pytest.approx(0.21)


def test_an_octet_is_retransmitted_until_acknowledged() -> None:
    probe, connection, sent = sender(sack=True, octets=1000)
    again = probe.wait(10)
    assert len(again) > 2
    assert all(segment[2:8] == sent[0][2:8] for segment in again)
    probe.acknowledge(again)
    probe.send(ACK)
    assert probe.wait(100) == []
    assert connection.stalled_at == float("inf")


def test_a_peer_that_is_silent_is_given_up() -> None:
    probe, connection, _ = sender(sack=True, limits=Limits(user_timeout=100))
    probe.wait(99)
    assert connection.failure is None
    probe.wait(70)
    assert connection.failure is Failure.TIMED_OUT


def test_a_retransmitted_segment_is_no_sample() -> None:
    """Karn's rule, RFC 6298 3."""
    probe, connection, sent = sender(sack=False, octets=1000)
    before = connection.rto.smoothed
    probe.wait(1.1)
    probe.acknowledge(sent)
    probe.send(ACK)
    assert connection.rto.smoothed == before


@pytest.mark.parametrize("sack", [False, True])
def test_three_duplicate_acks_send_the_lost_segment_again(sack: bool) -> None:
    probe, connection, sent = sender(sack=sack)
    again: list[Segment] = []
    for arrived in (1, 2, 3):
        assert numbers(sent, again) == []
        ack(probe, sent[0], *(sent[1 : arrived + 1] if sack else ()))
        again += probe.take()
    assert numbers(sent, again) == [0]
    assert connection.congestion.window == 7000  # RFC 9438 4.6: 0.7 of 10,000
    for arrived in range(4, 10):
        ack(probe, sent[0], *((sent[1], sent[arrived]) if sack else ()))
    probe.take()
    probe.ack = sent[9].sequence + 1000
    probe.send(ACK)
    assert connection.snd_una == connection.snd_nxt
    assert probe.wait(5) == []


def test_sack_sends_exactly_what_is_missing() -> None:
    probe, _, sent = sender(sack=True)
    lost = {0, 3, 4}
    arrived: list[Segment] = []
    again: list[Segment] = []
    for index, segment in enumerate(sent):
        if index not in lost:
            arrived.append(segment)
            ack(probe, sent[0], *arrived[-1:], *arrived[:-1][-2:])
            again += probe.take()
    # RFC 6675 4, NextSeg() (4): when nothing else may go, the last segment goes again, once.
    assert numbers(sent, again) == [0, 3, 4, 9]


def test_without_sack_a_partial_ack_sends_the_next_hole() -> None:
    """RFC 6582 3.2 (3)."""
    probe, _, sent = sender(sack=False)
    for _ in range(8):  # segments 0 and 5 are lost
        ack(probe, sent[0])
    assert numbers(sent, probe.take()) == [0]
    ack(probe, sent[5])
    assert numbers(sent, probe.take()) == [5]
    probe.ack = sent[9].sequence + 1000
    probe.send(ACK)
    assert probe.wait(5) == []


def test_two_duplicate_acks_let_new_segments_go() -> None:
    """RFC 3042: limited transmit."""
    probe, connection, sent = sender(sack=False)
    connection.send(bytes(5000))
    assert probe.take() == []  # the congestion window is full
    ack(probe, sent[0])
    assert numbers(sent, probe.take()) == [10]
    ack(probe, sent[0])
    assert numbers(sent, probe.take()) == [11]


def test_reordering_of_two_segments_sends_nothing_again() -> None:
    probe, connection, sent = sender(sack=True)
    ack(probe, sent[0], sent[1])
    ack(probe, sent[0], sent[1], sent[2])
    ack(probe, sent[3])
    assert numbers(sent, probe.take()) == []
    assert connection.congestion.ssthresh > 1 << 20


def test_a_timeout_starts_again_with_one_segment() -> None:
    probe, connection, sent = sender(sack=True)
    again = probe.wait(0.25)
    assert numbers(sent, again) == [0]
    assert connection.congestion.window == 1000
    ack(probe, sent[1])
    assert numbers(sent, probe.take()) == [1, 2]


def test_after_a_timeout_what_the_peer_had_is_sent_too_unless_it_says_so_again() -> None:
    """RFC 2018 8: it may have dropped it."""
    probe, _, sent = sender(sack=True)
    ack(probe, sent[0], sent[1])
    probe.wait(1.3)
    ack(probe, sent[1])
    assert numbers(sent, probe.take()) == [1, 2]


def test_blocks_about_what_was_never_sent_say_nothing() -> None:
    probe, connection, sent = sender(sack=True)
    beyond = sent[9].sequence + 1000
    for offset in range(0, 9000, 3000):
        for block in ((beyond + offset, beyond + offset + 1), (beyond, beyond - 1)):
            told = Options(sack=((wrap(block[0]), wrap(block[1])),))
            probe.send(ACK, ack=sent[0].sequence, carried=told)
    assert names(probe.take()) == []
    assert connection.recovery.in_flight(connection.snd_una, connection.snd_nxt) == 10_000


def test_a_path_that_carries_less_is_believed_for_segments_in_flight() -> None:
    """RFC 1191, RFC 5927 7.2."""
    from stack.transport import Unreachable
    from tests.stack.tcp.peers import CLIENT, SERVER

    probe, connection, sent = sender(sack=True, octets=3000)
    quoted = sent[0].source_port.to_bytes(2) + sent[0].destination_port.to_bytes(2) + sent[0].sequence.to_bytes(4)
    assert probe.engine.accepts(SERVER, CLIENT, quoted)
    probe.engine.unreachable(SERVER, CLIENT, quoted, Unreachable.TOO_BIG, 640, probe.now)
    assert connection.mss == 600
    assert {len(segment.payload) for segment in probe.take()} == {600}
