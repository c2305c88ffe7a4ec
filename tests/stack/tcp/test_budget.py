"""The octets that all connections may hold together: a bound for us, and no weapon of one against the others."""

from stack.tcp.commons import Limits
from stack.tcp.connection import Connection
from stack.tcp.segment import ACK, RST
from tests.stack.tcp.peers import SERVER, Host
from tests.stack.tcp.probe import Probe


def filled(reserve: int) -> tuple[Probe, Probe, Connection]:
    """A peer whose connection has filled the buffers of all, and another peer with a connection of its own."""
    host = Host(SERVER, 7, Limits(buffered=10_000, reserve=reserve))
    greedy, modest = Probe(host=host, port=1), Probe(host=host, port=2)
    greedy.listen()
    modest.listener = greedy.listener
    hoard, connection = greedy.accepted(), modest.accepted()
    assert hoard.send(bytes(20_000)) == 10_000
    return greedy, modest, connection


def test_no_more_is_buffered_than_the_engines_budget() -> None:
    probe = Probe(Limits(buffered=1000, reserve=0))
    connection = probe.accepted()
    assert connection.send(bytes(5000)) == 1000
    assert connection.send(b"more") == 0
    probe.send(ACK, b"no room")
    assert probe.host.count("buffers-full") == 1
    assert connection.assembler.unread == 0
    probe.acknowledge(probe.take())
    probe.send(ACK, b"no room", seq=probe.seq - 7)
    assert connection.receive(10) == b"no room"


def test_peers_can_fill_a_small_part_of_a_small_machine() -> None:
    assert Limits().within(24 << 20).buffered == 3 << 20
    assert Limits().within(1 << 30) == Limits()


def test_who_fills_the_buffers_leaves_the_others_enough_for_a_query_and_its_answer() -> None:
    _, modest, connection = filled(reserve=2000)
    modest.send(ACK, b"query")
    assert connection.receive(100) == b"query"
    assert connection.send(bytes(5000)) == 2000


def test_who_was_refused_for_the_sake_of_all_is_told_when_there_is_room() -> None:
    greedy, modest, connection = filled(reserve=0)
    assert connection.send(b"answer") == 0
    greedy.take()
    assert not modest.engine.has_news
    greedy.send(RST)
    assert modest.engine.poll_at() == float("-inf")
    for _ in modest.engine.transmit(modest.now):
        pass
    assert connection in modest.engine.changed()
    assert connection.send(b"answer") == 6
    assert modest.engine.poll_at() != float("-inf") or modest.take()
