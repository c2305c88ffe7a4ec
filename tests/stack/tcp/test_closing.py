"""Closing: RFC 9293 3.6, 3.10.4, 3.10.5 and the last steps of 3.10.7.4."""

import pytest

from stack.address import Endpoint
from stack.tcp.commons import Limits
from stack.tcp.connection import Connection, Failure
from stack.tcp.sequence import wrap
from stack.tcp.state import State
from tests.stack.tcp.peers import CLIENT, PORT, SERVER, Faults, Host, Wire
from tests.stack.tcp.probe import ACK, FIN, RST, SYN, Probe, names, state


def closed_by_us(probe: Probe) -> Connection:
    connection = probe.connected()
    connection.close()
    sent = probe.take()
    assert names(sent) == ["FIN,ACK"]
    probe.acknowledge(sent)
    return connection


def in_time_wait(probe: Probe) -> Connection:
    connection = closed_by_us(probe)
    probe.send(ACK | FIN)
    assert names(probe.take()) == ["ACK"]
    assert state(connection) is State.TIME_WAIT
    return connection


def test_normal_close() -> None:
    probe = Probe()
    connection = closed_by_us(probe)
    assert state(connection) is State.FIN_WAIT_1
    probe.send(ACK)
    assert state(connection) is State.FIN_WAIT_2
    probe.send(ACK | FIN)
    assert names(probe.take()) == ["ACK"]
    assert state(connection) is State.TIME_WAIT
    probe.wait(60)
    assert state(connection) is State.CLOSED
    assert connection.failure is None


def test_close_by_the_peer() -> None:
    probe = Probe()
    connection = probe.connected()
    probe.send(ACK | FIN)
    assert names(probe.take()) == ["ACK"]
    assert state(connection) is State.CLOSE_WAIT
    assert connection.finished
    connection.send(b"still open")
    sent = probe.take()
    assert names(sent) == ["ACK+10"]
    connection.close()
    sent = probe.take()
    assert state(connection) is State.LAST_ACK
    probe.acknowledge(sent)
    probe.send(ACK)
    assert state(connection) is State.CLOSED
    assert connection.failure is None


def test_simultaneous_close() -> None:
    """Figure 13."""
    left, right = Host(CLIENT, 1), Host(SERVER, 2)
    wire = Wire(left, right, faults=Faults())
    right.engine.listen(Endpoint(SERVER, PORT))
    ours = left.engine.connect(Endpoint(CLIENT, 0), Endpoint(SERVER, PORT), wire.now)
    wire.run(lambda: bool(right.accepted))
    (theirs,) = right.accepted
    ours.close()
    theirs.close()
    wire.run(lambda: ours.state is theirs.state is State.CLOSING)
    wire.run(lambda: ours.state is theirs.state is State.TIME_WAIT)
    wire.run()
    assert ours.state is theirs.state is State.CLOSED


def test_a_lost_fin_is_retransmitted() -> None:
    probe = Probe()
    connection = closed_by_us(probe)
    again = probe.wait(1)
    assert names(again)[:1] == ["FIN,ACK"]
    assert state(connection) is State.FIN_WAIT_1


def test_a_reset_in_fin_wait_2_ends_the_connection() -> None:
    probe = Probe()
    connection = closed_by_us(probe)
    probe.send(ACK)
    assert state(connection) is State.FIN_WAIT_2
    probe.send(RST)
    assert state(connection) is State.CLOSED
    assert connection.failure is Failure.RESET


@pytest.mark.parametrize(
    "wrong", [{"seq": 10_000_000}, {"ack": 100}], ids=["outside the window", "of what was not sent"]
)
def test_in_closing_what_is_not_acceptable_is_answered_with_an_ack(wrong: dict[str, int]) -> None:
    probe = Probe()
    connection = closed_by_us(probe)
    probe.send(ACK | FIN, ack=probe.ack - 1)  # both FINs are on their way
    assert state(connection) is State.CLOSING
    probe.take()
    probe.send(ACK, b"x", seq=probe.seq + wrong.get("seq", 0), ack=probe.ack + wrong.get("ack", -1))
    (answer,) = probe.take()
    assert (names([answer]), answer.acknowledgment) == (["ACK"], wrap(probe.seq))
    assert state(connection) is State.CLOSING
    probe.send(ACK)
    assert state(connection) is State.TIME_WAIT


def test_data_is_received_after_close() -> None:
    """RFC 9293 3.6: CLOSE means "I have no more data to send"; half close."""
    probe = Probe()
    connection = closed_by_us(probe)
    probe.send(ACK)
    probe.send(ACK, b"more")
    assert connection.receive(10) == b"more"
    assert state(connection) is State.FIN_WAIT_2


def test_data_after_the_user_left_is_reset() -> None:
    """RFC 9293 3.6.1: the peer should know that data was lost."""
    probe = Probe()
    connection = closed_by_us(probe)
    connection.release(probe.now)
    probe.send(ACK)
    probe.send(ACK, b"nobody reads this")
    assert names(probe.take()) == ["RST,ACK"]
    assert state(connection) is State.CLOSED


def test_leaving_unread_data_resets() -> None:
    probe = Probe()
    connection = probe.connected()
    probe.send(ACK, b"unread")
    connection.close()
    connection.release(probe.now)
    assert "RST,ACK" in names(probe.take())


def test_fin_wait_2_without_a_reader_ends() -> None:
    probe = Probe(Limits(finish=30))
    connection = closed_by_us(probe)
    connection.release(probe.now)
    probe.send(ACK)
    probe.wait(29)
    assert state(connection) is State.FIN_WAIT_2
    probe.wait(2)
    assert state(connection) is State.CLOSED
    probe.send(ACK | FIN)
    assert names(probe.take()) == ["RST"]


def test_fin_wait_2_with_a_reader_stays() -> None:
    probe = Probe(Limits(finish=30))
    connection = closed_by_us(probe)
    probe.send(ACK)
    probe.wait(300)
    assert state(connection) is State.FIN_WAIT_2


def test_in_close_wait_segments_outside_the_window_are_acknowledged() -> None:
    probe = Probe()
    connection = probe.connected()
    probe.send(ACK | FIN)
    probe.take()
    probe.send(ACK, b"late", seq=probe.seq + 1_000_000)
    (answer,) = probe.take()
    assert names([answer]) == ["ACK"]
    assert answer.acknowledgment == wrap(probe.seq)
    assert state(connection) is State.CLOSE_WAIT


def test_time_wait_acknowledges_the_fin_again_and_starts_anew() -> None:
    probe = Probe()
    connection = in_time_wait(probe)
    probe.wait(50)
    probe.send(ACK | FIN, seq=probe.seq - 1)
    assert names(probe.take()) == ["ACK"]
    probe.wait(50)
    assert state(connection) is State.TIME_WAIT
    probe.wait(11)
    assert state(connection) is State.CLOSED


def test_time_wait_ends_with_a_reset() -> None:
    probe = Probe()
    connection = in_time_wait(probe)
    probe.send(RST)
    assert state(connection) is State.CLOSED
    assert connection.failure is None


def test_a_newer_syn_opens_a_connection_in_time_wait() -> None:
    """RFC 9293 3.10.7.4, RFC 6191."""
    probe = Probe()
    probe.listen()
    connection = probe.accepted()
    connection.close()
    probe.acknowledge(probe.take())
    probe.send(ACK | FIN)
    probe.take()
    assert state(connection) is State.TIME_WAIT
    probe.send(SYN, seq=probe.seq - 5000)  # an old duplicate
    assert names(probe.take()) == ["ACK"]
    probe.seq += 1000
    probe.send(SYN)
    assert names(probe.take()) == ["SYN,ACK"]
    assert state(connection) is State.CLOSED


def test_time_wait_is_bounded_and_the_oldest_goes() -> None:
    host = Host(SERVER, 7, Limits(time_wait=3))
    connections = [in_time_wait(Probe(port=port, host=host)) for port in range(1000, 1005)]
    Probe(host=host).wait(1)
    assert [c.state for c in connections] == [State.CLOSED] * 2 + [State.TIME_WAIT] * 3
    assert host.count("time-wait-full") == 2


def test_abort_resets() -> None:
    probe = Probe()
    connection = probe.connected()
    connection.send(b"never sent")
    connection.abort()
    (reset,) = probe.take()
    assert names([reset]) == ["RST,ACK"]
    assert reset.sequence == wrap(probe.ack)
    assert connection.failure is Failure.ABORTED
    assert probe.engine.commons.buffered == 0


def test_when_the_host_goes_down_all_peers_are_told() -> None:
    """More than the answers to strangers that may wait."""
    left, right = Host(CLIENT, 1), Host(SERVER, 2)
    wire = Wire(left, right, faults=Faults())
    right.engine.listen(Endpoint(SERVER, PORT))
    ours = [left.engine.connect(Endpoint(CLIENT, 0), Endpoint(SERVER, PORT), wire.now) for _ in range(200)]
    wire.run(lambda: len(right.accepted) == len(ours))
    right.engine.abort_all()
    wire.run(lambda: all(connection.failure is Failure.RESET for connection in ours))


def test_a_fin_waits_for_the_octets_before_it() -> None:
    probe = Probe()
    connection = probe.connected()
    probe.send(ACK | FIN, b"world", seq=probe.seq + 6)
    assert state(connection) is State.ESTABLISHED
    probe.send(ACK, b"hello ")
    assert state(connection) is State.CLOSE_WAIT
    assert connection.receive(100) == b"hello world"


def test_close_while_half_open_waits_for_established() -> None:
    probe = Probe()
    probe.listen()
    probe.send(SYN)
    (answer,) = probe.take()
    probe.ack = answer.sequence + 1
    (connection,) = probe.engine.commons.connections.values()
    connection.close()
    assert probe.take() == []
    probe.send(ACK)
    assert names(probe.take()) == ["FIN,ACK"]


def test_the_last_data_and_the_fin_share_a_segment() -> None:
    probe = Probe()
    connection = probe.connected()
    connection.send(bytes(536))
    connection.close()
    assert names(probe.take()) == ["FIN,ACK+536"]
