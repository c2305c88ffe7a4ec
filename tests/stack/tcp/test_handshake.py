"""Opening: RFC 9293 3.5, 3.10.7.2 and 3.10.7.3."""

import pytest

from stack.address import Endpoint
from stack.tcp import options
from stack.tcp.commons import Limits
from stack.tcp.connection import Failure, NotOpen
from stack.tcp.engine import InUse
from stack.tcp.options import Options
from stack.tcp.sequence import wrap
from stack.tcp.state import State
from tests.stack.tcp.peers import CLIENT, PORT, SERVER, Faults, Host, Wire
from tests.stack.tcp.probe import ACK, FIN, FULL, RST, SYN, Probe, names, state


def test_passive_open() -> None:
    probe = Probe()
    assert probe.accepted().state is State.ESTABLISHED


def test_active_open() -> None:
    probe = Probe()
    assert probe.connected().state is State.ESTABLISHED


def test_simultaneous_open() -> None:
    """Figure 8: both send a SYN, both answer with SYN,ACK, and one connection comes of it."""
    first, second = Host(CLIENT, 1), Host(SERVER, 2)
    wire = Wire(first, second, faults=Faults())
    left = first.engine.connect(Endpoint(CLIENT, 1000), Endpoint(SERVER, 2000), wire.now)
    right = second.engine.connect(Endpoint(SERVER, 2000), Endpoint(CLIENT, 1000), wire.now)
    wire.run(lambda: left.state is right.state is State.ESTABLISHED)
    left.send(b"both ways")
    wire.run(lambda: right.receive(100) == b"both ways")
    assert first.count("rst-received") == second.count("rst-received") == 0


def test_options_are_answered_only_when_offered() -> None:
    for offered in (options.NONE, Options(mss=1000), FULL, Options(mss=1460, sack_permitted=True)):
        probe = Probe()
        probe.listen()
        probe.send(SYN, carried=offered)
        (answer,) = probe.take()
        assert answer.options.mss == 1460
        assert (answer.options.window_scale is not None) == (offered.window_scale is not None)
        assert answer.options.sack_permitted == offered.sack_permitted
        assert (answer.options.timestamps is not None) == (offered.timestamps is not None)


def test_without_an_mss_option_segments_have_536_octets() -> None:
    probe = Probe()
    connection = probe.accepted()
    connection.send(bytes(2000))
    assert [len(segment.payload) for segment in probe.take()] == [536, 536, 536, 392]


def test_the_window_of_a_syn_is_not_scaled() -> None:
    probe = Probe()
    probe.window = 8
    connection = probe.accepted(FULL)
    assert connection.snd_wnd == 8 << 7
    probe = Probe()
    connection = probe.dialled()
    probe.send(SYN | ACK, window=1000, carried=FULL)
    assert connection.snd_wnd == 1000


def test_a_syn_ack_is_sent_again_when_the_syn_comes_again() -> None:
    probe = Probe()
    probe.listen()
    probe.send(SYN)
    (first,) = probe.take()
    probe.send(SYN, seq=probe.seq - 1)
    (second,) = probe.take()
    assert first[:6] == second[:6]


def test_a_syn_is_retransmitted_with_backoff_and_given_up() -> None:
    probe = Probe(limits=Limits(connect=20))
    connection = probe.dialled()
    start = probe.now
    again = probe.wait(100)
    assert names(again)[:4] == ["SYN"] * 4
    assert connection.failure is Failure.TIMED_OUT
    assert probe.now - start == 100


def test_a_half_open_connection_is_given_up() -> None:
    probe = Probe()
    probe.listen()
    probe.send(SYN)
    assert set(names(probe.wait(60))) == {"SYN,ACK"}
    assert probe.host.count("handshake-timeout") == 1
    assert not probe.engine.commons.connections


def test_an_unacceptable_ack_in_syn_sent_is_reset() -> None:
    for offset in (-1, 1, 1000):
        probe = Probe()
        connection = probe.dialled()
        probe.send(SYN | ACK, ack=probe.ack + offset)
        (answer,) = probe.take()
        assert names([answer]) == ["RST"]
        assert answer.sequence == wrap(probe.ack + offset)
        assert state(connection) is State.SYN_SENT


def test_an_unacceptable_ack_in_syn_received_is_reset() -> None:
    for offset in (-1, 1, 1000):
        probe = Probe()
        probe.listen()
        probe.send(SYN)
        (answer,) = probe.take()
        probe.ack = answer.sequence + 1
        probe.send(ACK, ack=probe.ack + offset)
        (reset,) = probe.take()
        assert names([reset]) == ["RST"]
        assert reset.sequence == wrap(probe.ack + offset)


def test_a_reset_in_syn_sent_refuses_only_with_an_acceptable_ack() -> None:
    probe = Probe()
    connection = probe.dialled()
    probe.send(RST, seq=0)
    probe.send(RST | ACK, ack=probe.ack + 1, seq=0)
    assert state(connection) is State.SYN_SENT
    probe.send(RST | ACK, seq=0)
    assert connection.failure is Failure.REFUSED


def test_a_reset_in_syn_received_returns_to_listen() -> None:
    probe = Probe()
    probe.listen()
    probe.send(SYN)
    probe.take()
    probe.send(RST)
    assert not probe.engine.commons.connections
    assert probe.accepted().state is State.ESTABLISHED


def test_data_queued_in_syn_sent_goes_out_when_established() -> None:
    probe = Probe()
    connection = probe.dialled()
    connection.send(b"early")
    assert probe.take() == []
    probe.send(SYN | ACK)
    assert b"early" in [segment.payload for segment in probe.take()]


def test_data_and_fin_on_the_handshakes_last_ack_are_taken() -> None:
    probe = Probe()
    probe.listen()
    probe.send(SYN)
    (answer,) = probe.take()
    probe.ack = answer.sequence + 1
    probe.send(ACK | FIN, b"all at once")
    (connection,) = probe.host.accepted
    assert state(connection) is State.CLOSE_WAIT
    assert connection.receive(100) == b"all at once"


def test_data_on_a_syn_ack_is_taken() -> None:
    probe = Probe()
    connection = probe.dialled()
    probe.send(SYN | ACK, b"hello")
    assert connection.receive(100) == b"hello"
    assert probe.take()[-1].acknowledgment == wrap(probe.seq)


def test_close_in_syn_sent_forgets_the_connection() -> None:
    probe = Probe()
    connection = probe.dialled()
    connection.close()
    assert state(connection) is State.CLOSED
    assert not probe.engine.commons.connections


def test_send_after_close_is_refused() -> None:
    probe = Probe()
    connection = probe.connected()
    connection.close()
    with pytest.raises(NotOpen, match="FIN-WAIT-1"):
        connection.send(b"x")


def test_a_segment_to_a_closed_port_is_reset() -> None:
    """RFC 9293 3.10.7.1: with the sequence number that the sender expects."""
    probe = Probe()
    probe.send(SYN)
    (answer,) = probe.take()
    assert names([answer]) == ["RST,ACK"]
    assert (answer.sequence, answer.acknowledgment) == (0, wrap(probe.seq))
    probe.send(ACK, ack=77)
    (answer,) = probe.take()
    assert names([answer]) == ["RST"]
    assert answer.sequence == 77
    probe.send(RST)
    assert probe.take() == []


def test_an_ack_to_a_listener_is_reset() -> None:
    probe = Probe()
    probe.listen()
    probe.send(ACK, ack=77)
    (answer,) = probe.take()
    assert names([answer]) == ["RST"]


def test_initial_sequence_numbers_differ_between_peers_and_grow_with_time() -> None:
    """RFC 6528 3."""
    probe = Probe()
    first = probe.dialled()
    first.abort()
    probe.now += 1
    second = probe.engine.connect(first.local, first.remote, probe.now)
    assert wrap(second.initial_send - first.initial_send) == 250_000
    other = probe.engine.connect(Endpoint(SERVER, 1), first.remote, probe.now)
    assert abs(other.initial_send - second.initial_send) > 1000


def test_a_port_in_use_is_not_given_twice() -> None:
    probe = Probe()
    probe.listen()
    with pytest.raises(InUse):
        probe.engine.listen(Endpoint(SERVER, PORT))
    connection = probe.dialled()
    with pytest.raises(InUse):
        probe.engine.connect(connection.local, connection.remote, probe.now)


def test_closing_a_listener_resets_what_is_half_open() -> None:
    probe = Probe()
    probe.listen()
    probe.send(SYN)
    probe.take()
    assert probe.listener is not None
    probe.listener.close()
    assert names(probe.take()) == ["RST,ACK"]
    probe.send(SYN, seq=1)
    assert names(probe.take()) == ["RST,ACK"]


def test_more_connections_to_one_place_than_ports_near_each_other() -> None:
    """RFC 6056 3.3.3: each port that was tried moves on the next search."""
    probe = Probe(limits=Limits(connections=2000))
    opened = [probe.engine.connect(Endpoint(SERVER, 0), Endpoint(CLIENT, 53), probe.now) for _ in range(1000)]
    assert len({connection.local.port for connection in opened}) == 1000
