"""Windows, ACKs and when to send: RFC 9293 3.8.6 and 3.7.4."""

from stack.tcp import options
from stack.tcp.commons import Limits
from stack.tcp.connection import Connection, Failure
from stack.tcp.options import Options
from stack.tcp.sequence import wrap
from stack.tcp.state import State
from tests.stack.tcp.probe import ACK, Probe, names, state

SMALL = Limits(receive_buffer=4000, send_buffer=100_000)


def sender(window: int = 65535, mss: int = 1000, limits: Limits | None = None) -> tuple[Probe, Connection]:
    """A connection whose peer takes segments of `mss`."""
    probe = Probe(limits)
    probe.window = window
    connection = probe.accepted(Options(mss=mss))
    return probe, connection


def test_segments_are_as_large_as_the_mss() -> None:
    probe, connection = sender()
    connection.send(bytes(2500))
    assert names(probe.take()) == ["ACK+1000", "ACK+1000", "ACK+500"]


def test_no_more_is_sent_than_the_window_allows() -> None:
    probe, connection = sender(window=1500)
    connection.send(bytes(5000))
    sent = probe.take()
    assert sum(len(segment.payload) for segment in sent) <= 1500
    assert len(sent[0].payload) == 1000


def test_a_window_with_its_highest_bit_set_is_large() -> None:
    probe, connection = sender(window=0xFFFF)
    connection.send(bytes(9000))
    assert len(probe.take()) == 9


def test_the_window_falls_as_the_buffer_fills_and_opens_when_it_is_read() -> None:
    probe, connection = sender(limits=SMALL)
    probe.send(ACK, bytes(1000))
    probe.send(ACK, bytes(1000))
    assert probe.take()[-1].window == 2000
    probe.send(ACK, bytes(1000))
    probe.send(ACK, bytes(1000))
    assert probe.take()[-1].window == 0
    assert len(connection.receive(100)) == 100
    assert probe.take() == []  # no silly window
    assert len(connection.receive(3000)) == 3000
    assert probe.take()[-1].window == 3100


def test_a_probe_of_our_closed_window_is_answered_and_its_ack_taken() -> None:
    probe, connection = sender(limits=SMALL)
    for _ in range(4):
        probe.send(ACK, bytes(1000))
    probe.take()
    connection.send(b"x" * 300)
    sent = probe.take()
    probe.acknowledge(sent)
    probe.send(ACK, b"p", seq=probe.seq)
    (answer,) = probe.take()
    assert (answer.window, answer.acknowledgment) == (0, wrap(probe.seq))
    assert connection.snd_una == connection.snd_nxt
    assert connection.assembler.unread == 4000


def test_a_closed_window_is_probed_with_backoff_for_ever() -> None:
    probe, connection = sender(limits=Limits(user_timeout=100))
    probe.send(ACK, window=0)
    connection.send(b"waiting")
    assert probe.take() == []
    times = []
    for _ in range(12):
        start = probe.now
        while not (probes := probe.take()):
            at = probe.engine.poll_at()
            assert at is not None
            probe.now = at
        assert names(probes) == ["ACK+1"]
        times.append(probe.now - start)
        probe.send(ACK, window=0)  # the octet is not taken
    assert times[1] > times[0]
    assert times[-1] == 60
    assert state(connection) is State.ESTABLISHED
    probe.send(ACK, window=1000)
    assert b"".join(s.payload for s in probe.wait(61)).endswith(b"waiting")


def test_a_closed_window_without_any_answer_is_given_up() -> None:
    probe, connection = sender(limits=Limits(user_timeout=100))
    probe.send(ACK, window=0)
    connection.send(b"waiting")
    probe.wait(1000)
    assert connection.failure is Failure.TIMED_OUT


def test_a_closed_window_is_given_up_once_the_user_has_left() -> None:
    """RFC 6429 3: peers that keep their windows closed would keep the memory of all that was closed."""
    probe, connection = sender(limits=Limits(user_timeout=100))
    probe.send(ACK, window=0)
    connection.send(b"waiting")
    connection.close()
    connection.release(probe.now)
    end = probe.now + 300
    while state(connection) is not State.CLOSED and probe.now < end:
        if probe.wait(1):
            probe.send(ACK, window=0)
    assert connection.failure is Failure.TIMED_OUT
    assert probe.engine.commons.buffered == 0


def test_the_probed_octet_may_be_taken() -> None:
    probe, connection = sender()
    probe.send(ACK, window=0)
    connection.send(b"waiting")
    (octet,) = probe.wait(0.25)
    assert octet.payload == b"w"
    probe.acknowledge([octet])
    probe.send(ACK, window=1000)
    assert probe.take()[0].payload == b"aiting"


def test_data_goes_out_when_a_closed_window_opens() -> None:
    probe, connection = sender()
    probe.send(ACK, window=0)
    connection.send(b"waiting")
    probe.take()
    probe.send(ACK, window=1000)
    assert probe.take()[0].payload == b"waiting"


def test_a_window_that_shrinks_below_what_is_in_flight_is_survived() -> None:
    probe, connection = sender()
    connection.send(bytes(3000))
    sent = probe.take()
    probe.send(ACK, window=0)
    assert set(names(probe.wait(5))) == {"ACK+1"}
    probe.acknowledge(sent)
    probe.send(ACK, window=5000)
    connection.send(b"on")
    assert names(probe.take()) == ["ACK+2"]


def test_an_old_segment_does_not_change_the_window() -> None:
    """SND.WL1 and SND.WL2."""
    probe, connection = sender()
    probe.send(ACK, b"new", window=5000)
    probe.send(ACK, seq=probe.seq - 3, window=9)
    assert connection.snd_wnd == 5000


def test_a_small_window_is_not_filled_at_once() -> None:
    """RFC 9293 3.8.6.2.1: the sender's part; a timer overrides."""
    probe, connection = sender()
    probe.send(ACK, window=100)
    connection.send(bytes(1000))
    assert probe.take() == []
    assert names(probe.wait(2)[:1]) == ["ACK+100"]


def test_nagle_holds_small_segments_back_while_something_is_in_flight() -> None:
    probe, connection = sender()
    connection.no_delay = False
    connection.send(b"first")
    sent = probe.take()
    assert names(sent) == ["ACK+5"]
    connection.send(b"second")
    assert probe.take() == []
    connection.send(bytes(1000))
    assert names(probe.take()) == ["ACK+1000"]
    probe.acknowledge(sent)
    probe.send(ACK)
    assert probe.take() == []
    connection.close()
    assert names(probe.take()) == ["FIN,ACK+6"]


def test_without_nagle_small_segments_go_at_once() -> None:
    probe, connection = sender()
    for _ in range(3):
        connection.send(b"now")
        assert names(probe.take()) == ["ACK+3"]


def test_an_ack_is_delayed_and_not_for_more_than_two_segments() -> None:
    probe, _ = sender()
    probe.send(ACK, bytes(1000))
    assert probe.take() == []
    assert names(probe.wait(0.05)) == ["ACK"]
    probe.send(ACK, bytes(1000))
    assert probe.take() == []
    probe.send(ACK, bytes(1000))
    assert names(probe.take()) == ["ACK"]
    assert probe.wait(1) == []


def test_an_ack_rides_on_data() -> None:
    probe, connection = sender()
    probe.send(ACK, b"question")
    connection.send(b"answer")
    (answer,) = probe.take()
    assert (answer.payload, answer.acknowledgment) == (b"answer", wrap(probe.seq))
    assert "ACK" not in names(probe.wait(0.1))


def test_what_is_out_of_order_is_acknowledged_at_once() -> None:
    """RFC 5681 4.2, and RFC 2018 4: the block that grew last comes first."""
    probe = Probe()
    connection = probe.accepted(Options(mss=1000, sack_permitted=True))
    start = probe.seq
    for offset in (10, 30, 20):
        probe.send(ACK, bytes(5), seq=start + offset)
        (answer,) = probe.take()
        assert answer.acknowledgment == wrap(start)
        assert answer.options.sack[0] == (wrap(start + offset), wrap(start + offset + 5))
    probe.send(ACK, bytes(15), seq=start + 15)
    (answer,) = probe.take()
    assert answer.options.sack == ((wrap(start + 10), wrap(start + 35)),)
    probe.send(ACK, bytes(10), seq=start)
    (answer,) = probe.take()
    assert answer.acknowledgment == wrap(start + 35)
    assert answer.options.sack == ()
    assert len(connection.receive(100)) == 35


def test_sack_blocks_beside_timestamps_are_three() -> None:
    probe = Probe()
    probe.accepted(Options(mss=1000, sack_permitted=True, timestamps=(1, 0)))
    for offset in (10, 20, 30, 40, 50):
        probe.send(ACK, b"x", seq=probe.seq + offset)
    assert len(probe.take()[-1].options.sack) == 3


def test_a_segment_with_data_and_sack_blocks_fits_the_mss() -> None:
    probe = Probe()
    connection = probe.accepted(Options(mss=1000, sack_permitted=True))
    probe.send(ACK, b"x", seq=probe.seq + 10)
    connection.send(bytes(3000))
    for segment in probe.take():
        assert len(segment.payload) + len(options.emit(segment.options)) <= 1000


def test_pieces_behind_gaps_are_bounded() -> None:
    probe, connection = sender(limits=Limits(pieces=10))
    for index in range(100):
        probe.send(ACK, b"x", seq=probe.seq + 1 + 2 * index)
    assert connection.assembler.waiting == 10
    assert probe.host.count("pieces-full") == 90
