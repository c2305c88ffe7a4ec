"""What strangers can't do: RFC 5961, RFC 5927, RFC 4987, RFC 7323."""

import pytest

from stack.tcp import options
from stack.tcp.commons import Limits
from stack.tcp.connection import Failure, Keepalive
from stack.tcp.options import Options
from stack.tcp.segment import Segment
from stack.tcp.sequence import wrap
from stack.tcp.state import State
from stack.transport import Unreachable
from tests.stack.tcp.peers import CLIENT, SERVER, Host
from tests.stack.tcp.probe import ACK, FIN, FULL, RST, SYN, Probe, names, state


def test_only_the_next_sequence_number_resets() -> None:
    """RFC 5961 3.2."""
    probe = Probe()
    connection = probe.connected()
    for offset in (-1, 100_000_000):
        probe.send(RST, seq=probe.seq + offset)
        assert probe.take() == []
    probe.send(RST, seq=probe.seq + 1)
    (challenge,) = probe.take()
    assert names([challenge]) == ["ACK"]
    assert challenge.acknowledgment == wrap(probe.seq)
    assert state(connection) is State.ESTABLISHED
    probe.send(RST)
    assert connection.failure is Failure.RESET


def test_a_syn_in_a_connection_is_challenged() -> None:
    """RFC 5961 4.2."""
    for offset in (0, 1, -1000):
        probe = Probe()
        connection = probe.connected()
        probe.send(SYN, seq=probe.seq + offset)
        assert names(probe.take()) == ["ACK"]
        assert state(connection) is State.ESTABLISHED


@pytest.mark.parametrize("offset", [1, 1_000_000, -200_000])
def test_data_with_an_ack_out_of_range_is_not_taken(offset: int) -> None:
    """RFC 5961 5.2."""
    probe = Probe()
    connection = probe.connected()
    probe.send(ACK, b"injected", seq=probe.seq, ack=probe.ack + offset)
    assert names(probe.take()) == ["ACK"]
    assert connection.assembler.unread == 0


def test_challenges_are_limited_for_each_connection() -> None:
    probe = Probe()
    probe.connected()
    answers = []
    for _ in range(100):
        probe.send(RST, seq=probe.seq + 1)
        answers += probe.take()
    assert len(answers) == 1
    probe.now += 1
    probe.send(RST, seq=probe.seq + 1)
    assert len(probe.take()) == 1


@pytest.mark.parametrize("flags", [ACK, ACK | FIN, ACK | SYN, FIN])
def test_outside_the_window_nothing_is_taken(flags: int) -> None:
    probe = Probe()
    connection = probe.connected()
    probe.send(flags, b"x" * 10, seq=probe.seq + 10_000_000)
    (answer,) = probe.take()
    assert (names([answer]), answer.acknowledgment) == (["ACK"], wrap(probe.seq))
    assert state(connection) is State.ESTABLISHED
    assert connection.assembler.waiting == 0


def test_an_older_timestamp_is_not_taken() -> None:
    """RFC 7323 5.3."""
    probe = Probe()
    connection = probe.accepted(FULL._replace(timestamps=(1000, 0)))
    probe.clock = 2000
    probe.send(ACK, b"new")
    probe.take()
    probe.clock = 1999
    probe.send(ACK, b"old", seq=probe.seq)
    assert names(probe.take()) == ["ACK"]
    assert probe.host.count("paws") == 1
    assert connection.receive(10) == b"new"


def test_timestamps_may_wrap_and_grow_stale() -> None:
    probe = Probe()
    connection = probe.accepted(FULL._replace(timestamps=(0xFFFFFFFF, 0)))
    probe.clock = 5
    probe.send(ACK, b"wrapped")
    assert connection.receive(10) == b"wrapped"
    probe.now += 25 * 86400  # RFC 7323 5.5: TS.Recent is not valid any more
    probe.clock = 0xFFFFFFF0
    probe.send(ACK, b"later")
    assert connection.receive(10) == b"later"


def test_a_segment_without_the_agreed_timestamps_is_dropped() -> None:
    probe = Probe()
    connection = probe.accepted(FULL)
    probe.send(ACK, b"bare", carried=options.NONE)
    assert probe.host.count("timestamp-missing") == 1
    assert connection.assembler.unread == 0
    probe.send(RST, seq=probe.seq - 4, carried=options.NONE)  # a reset needs none
    assert connection.failure is Failure.RESET


def quote(sent: Segment, offset: int = 0) -> bytes:
    ports = sent.source_port.to_bytes(2) + sent.destination_port.to_bytes(2)
    return ports + wrap(sent.sequence + offset).to_bytes(4)


def test_icmp_errors_must_quote_what_is_in_flight() -> None:
    """RFC 5927 4.1."""
    probe = Probe()
    connection = probe.connected()
    connection.send(b"0123456789")
    (sent,) = probe.take()
    for offset, is_in_flight in ((-1, False), (0, True), (9, True), (10, False), (1 << 31, False)):
        assert probe.engine.accepts(SERVER, CLIENT, quote(sent, offset)) is is_in_flight
    assert not probe.engine.accepts(SERVER, CLIENT, quote(sent)[:7])
    assert not probe.engine.accepts(CLIENT, SERVER, quote(sent))


@pytest.mark.parametrize("why", [w for w in Unreachable if w is not Unreachable.TOO_BIG])
def test_icmp_errors_do_not_end_a_connection(why: Unreachable) -> None:
    """RFC 5927 5.2."""
    probe = Probe()
    connection = probe.connected()
    connection.send(b"x")
    (sent,) = probe.take()
    probe.engine.unreachable(SERVER, CLIENT, quote(sent), why, None, probe.now)
    assert state(connection) is State.ESTABLISHED


@pytest.mark.parametrize(
    ("why", "failure"),
    [
        (Unreachable.PORT, Failure.REFUSED),
        (Unreachable.PROTOCOL, Failure.REFUSED),
        (Unreachable.PROHIBITED, Failure.UNREACHABLE),
        (Unreachable.NETWORK, None),
        (Unreachable.HOST, None),
    ],
)
def test_hard_icmp_errors_end_a_handshake_of_ours(why: Unreachable, failure: Failure | None) -> None:
    probe = Probe()
    connection = probe.dialled()
    quoted = connection.local.port.to_bytes(2) + probe.port.to_bytes(2) + wrap(connection.initial_send).to_bytes(4)
    probe.engine.unreachable(SERVER, CLIENT, quoted, why, None, probe.now)
    assert connection.failure is failure


def test_a_smaller_path_is_not_believed_once_larger_segments_arrived() -> None:
    """RFC 5927 7.2."""
    probe = Probe()
    connection = probe.accepted(Options(mss=1400))
    connection.send(bytes(1400))
    probe.acknowledge(probe.take())
    probe.send(ACK)
    connection.send(bytes(1400))
    (sent,) = probe.take()
    probe.engine.unreachable(SERVER, CLIENT, quote(sent), Unreachable.TOO_BIG, 600, probe.now)
    assert connection.mss == 1400
    probe.wait(3)  # now it is missed as well
    assert connection.mss == 560


def test_a_path_of_absurdly_few_octets_is_not_believed() -> None:
    probe = Probe()
    connection = probe.accepted(Options(mss=1400))
    connection.send(bytes(1400))
    (sent,) = probe.take()
    probe.engine.unreachable(SERVER, CLIENT, quote(sent), Unreachable.TOO_BIG, 68, probe.now)
    assert connection.mss == 1400


def flood(probe: Probe, count: int) -> None:
    """SYNs from as many ports that will never be heard of again."""
    for index in range(count):
        probe.inject(Segment(1000 + index, probe.peer_port, index, 0, SYN, 1000, FULL))
        probe.take()


@pytest.mark.parametrize("syn", [options.NONE, Options(mss=1400), FULL])
def test_under_a_syn_flood_connections_open_by_cookies(syn: Options) -> None:
    """RFC 4987 3.6."""
    probe = Probe(Limits(half_open=10))
    probe.listen()
    flood(probe, 1000)
    assert len(probe.engine.commons.connections) == 10
    assert probe.host.count("cookie-sent") == 990
    connection = probe.accepted(syn)
    assert probe.host.count("cookie-accepted") == 1
    assert connection.sack == (syn == FULL)
    assert connection.snd_scale == (7 if syn == FULL else 0)
    probe.send(ACK, b"question")
    assert connection.receive(100) == b"question"
    connection.send(bytes(3000))
    sizes = [len(segment.payload) for segment in probe.take()]
    assert max(sizes) == {None: 64, 1400: 1360, 1460: 1448}[syn.mss]


def test_a_cookie_that_was_not_made_is_not_taken() -> None:
    probe = Probe(Limits(half_open=1))
    probe.listen()
    flood(probe, 3)
    for guess in range(1000):
        probe.send(ACK, b"x", seq=5, ack=guess * 4_000_003)
        probe.take()
    assert probe.host.count("cookie-accepted") == 0
    assert probe.host.accepted == []


def test_a_cookie_is_not_valid_for_another_peer_or_long() -> None:
    probe = Probe(Limits(half_open=0))
    probe.listen()
    probe.send(SYN)
    (answer,) = probe.take()
    probe.ack = answer.sequence + 1
    probe.port += 1
    probe.send(ACK)
    assert names(probe.take()) == ["RST"]
    probe.port -= 1
    probe.now += 129
    probe.send(ACK)
    assert names(probe.take()) == ["RST"]
    assert probe.host.accepted == []


def test_without_a_flood_no_cookie_is_taken() -> None:
    probe = Probe(Limits(half_open=0))
    probe.listen()
    probe.send(SYN)
    (answer,) = probe.take()
    probe.ack = answer.sequence + 1
    other = Probe(host=Host(SERVER, 7))  # the same secret, but no cookie was sent by it
    other.listen()
    other.ack, other.seq = probe.ack, probe.seq
    other.send(ACK)
    assert names(other.take()) == ["RST"]


def test_connections_are_bounded() -> None:
    host = Host(SERVER, 7, Limits(connections=5))
    first = Probe(host=host, port=1)
    first.listen()
    first.accepted()
    for port in range(2, 6):
        probe = Probe(host=host, port=port)
        probe.listener = first.listener
        probe.accepted()
    probe = Probe(host=host, port=6)
    probe.send(SYN)
    assert probe.take() == []
    assert host.count("connections-full") == 1


def test_resets_to_strangers_are_limited() -> None:
    probe = Probe(Limits(resets=10))
    answers = 0
    for index in range(1000):
        probe.send(ACK, seq=index, ack=index)
        answers += len(probe.take())
    assert answers == 10
    assert probe.host.count("reset-limited") == 990


def test_replies_that_wait_are_bounded() -> None:
    probe = Probe(Limits(replies=5, resets=1000))
    for index in range(100):
        probe.send(ACK, seq=index, ack=index)
    assert len(probe.take()) == 5
    assert probe.host.count("replies-full") == 95


def test_a_silent_peer_is_found_out_by_keepalive() -> None:
    """RFC 9293 3.8.4."""
    probe = Probe()
    connection = probe.connected()
    connection.keep_alive(Keepalive(idle=10, interval=1, probes=3), probe.now)
    (sent,) = probe.wait(10)
    assert (sent.sequence, sent.payload) == (wrap(probe.ack - 1), b"")
    probe.send(ACK)
    assert probe.wait(9) == []
    probe.wait(20)
    assert connection.failure is Failure.TIMED_OUT


def test_overlapping_octets_that_differ_do_not_replace_those_received() -> None:
    probe = Probe()
    connection = probe.connected()
    start = probe.seq
    probe.send(ACK, b"BBB", seq=start + 3)
    probe.send(ACK, b"xxxxxxxxx", seq=start)
    assert connection.receive(100) == b"xxxBBBxxx"
