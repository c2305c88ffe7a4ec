"""A connection that has ended sends nothing, waits for nothing and is not kept, whatever came with its end."""

import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.address import Endpoint
from stack.tcp.commons import Limits
from stack.tcp.connection import Connection
from stack.tcp.segment import ACK, FIN, RST, SYN
from stack.tcp.state import State
from tests.stack.tcp.peers import PORT, SERVER, Host
from tests.stack.tcp.probe import Probe, names

near = st.one_of(st.integers(-1, 1), st.integers(-3000, 3000))
arrivals = st.tuples(
    st.sampled_from([SYN, ACK, FIN | ACK, RST, RST | ACK, SYN | ACK]), near, near, st.sampled_from([0, 9])
)
steps = st.lists(st.one_of(arrivals, st.sampled_from(["transmit", "send", "close", "second"])), max_size=30)


def test_a_handshake_that_is_reset_before_it_was_answered_is_gone() -> None:
    probe = Probe()
    probe.listen()
    probe.send(SYN)
    probe.send(RST)
    assert probe.wait(1000) == []
    assert probe.engine.poll_at() is None


def test_nothing_follows_the_reset_of_a_peer() -> None:
    probe = Probe()
    connection = probe.accepted()
    connection.send(b"answer")
    probe.send(ACK, b"question")
    probe.send(RST)
    assert connection.state is State.CLOSED
    assert probe.wait(1000) == []
    assert probe.engine.poll_at() is None


def test_nothing_follows_a_reset_of_ours() -> None:
    probe = Probe()
    connection = probe.accepted()
    probe.send(ACK, b"question")
    connection.abort()
    assert names(probe.wait(1000)) == ["RST,ACK"]
    assert probe.engine.poll_at() is None


def test_what_was_received_and_never_read_is_given_back() -> None:
    """Both sides have closed before the user leaves: nothing else ends the connection once more."""
    probe = Probe()
    connection = probe.accepted()
    probe.send(ACK, b"never read")
    connection.close()
    for segment in probe.take():
        probe.ack = segment.sequence + segment.length
    probe.send(FIN | ACK)
    probe.wait(100)
    assert (connection.state, connection.failure) == (State.CLOSED, None)
    assert probe.engine.commons.buffered == len(b"never read")
    connection.release(probe.now)
    assert probe.engine.commons.buffered == 0


@settings(max_examples=200, deadline=None)
@given(steps)
def test_when_users_have_left_all_connections_end_in_time(order: list[str | tuple[int, int, int, int]]) -> None:
    """Segments of a handshake and of all that may follow, several in one turn, and in any order."""
    probe = Probe()
    probe.listen()
    probe.send(SYN)
    for step in order:
        if isinstance(step, tuple):
            flags, seq, ack, octets = step
            probe.send(flags, bytes(octets), seq=probe.seq + seq, ack=probe.ack + ack)
        elif step == "second":
            probe.wait(1)
        elif step == "transmit":
            for segment in probe.take():
                probe.ack = segment.sequence + segment.length
        else:
            for connection in probe.host.accepted:
                if step == "close":
                    connection.close()
                elif connection.state is State.ESTABLISHED:
                    connection.send(bytes(2000))
    for connection in probe.host.accepted:
        connection.close()
        connection.release(probe.now)
    probe.wait(1000)
    assert probe.engine.commons.connections == {}
    assert probe.engine.commons.buffered == 0
    assert probe.engine.poll_at() is None


@pytest.mark.parametrize("ends_in_time_wait", [False, True])
def test_connections_that_come_and_go_are_not_kept_in_memory(ends_in_time_wait: bool) -> None:
    host = Host(SERVER, 7, Limits(time_wait=100))
    listener = host.engine.listen(Endpoint(SERVER, PORT))
    for port in range(1, 2001):
        probe = Probe(host=host, port=port)
        probe.listener = listener
        connection = probe.accepted()
        connection.send(b"answer")
        if ends_in_time_wait:
            connection.close()
            for segment in probe.take():
                probe.ack = segment.sequence + segment.length
            probe.send(FIN | ACK)
        else:
            probe.take()
            probe.send(RST)
        probe.take()
    host.accepted.clear()
    waiting = host.engine.commons.population[State.TIME_WAIT]
    assert waiting == (100 if ends_in_time_wait else 0)
    del probe, connection
    gc.collect()
    kept = sum(isinstance(each, Connection) for each in gc.get_objects())
    assert kept <= 4 * waiting + 300
