"""Whatever segments come, in whatever state: nothing breaks, and what is held stays within its bounds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from stack.tcp.commons import Limits
from stack.tcp.connection import Connection
from stack.tcp.options import Options
from stack.tcp.sequence import wrap
from stack.tcp.state import SENDING, State
from tests.stack.tcp.probe import FULL, Probe

Crafted = tuple[int, int, int, int, bytes, list[tuple[int, int]], int]
"""Control bits, sequence and acknowledgment numbers beside the right ones, window, payload, SACK blocks, timestamp."""

near = st.one_of(st.integers(-3, 3), st.integers(-5000, 5000), st.integers(-(1 << 31), 1 << 31))
segments = st.tuples(
    st.integers(0, 0x3F),
    near,
    near,
    st.sampled_from([0, 1, 100, 65535]),
    st.binary(max_size=20),
    st.lists(st.tuples(near, near), max_size=3),
    st.integers(0, 3),
)
steps = st.lists(
    st.one_of(segments, st.sampled_from(["send", "receive", "close", "release", "abort", "wait", "long"])), max_size=40
)


def act(probe: Probe, connection: Connection, step: str) -> None:
    if step == "send" and connection.state in SENDING:
        connection.send(bytes(3000))
    elif step == "receive":
        connection.receive(1000)
    elif step == "close":
        connection.close()
    elif step == "release":
        connection.close()
        connection.release(probe.now)
    elif step == "abort":
        connection.abort()
    else:
        probe.wait({"wait": 0.3, "long": 90.0}.get(step, 0.0))


@settings(max_examples=150, deadline=None)
@given(steps, st.booleans(), st.booleans())
def test_any_segments_are_survived(order: list[str | Crafted], passive: bool, full: bool) -> None:
    probe = Probe(Limits(receive_buffer=4000, send_buffer=8000, pieces=8))
    connection = probe.accepted(FULL if full else Options()) if passive else probe.connected()
    for step in order:
        if isinstance(step, str):
            act(probe, connection, step)
        else:
            flags, seq, ack, window, payload, blocks, clock = step
            told = tuple((wrap(probe.ack + left), wrap(probe.ack + right)) for left, right in blocks)
            carried = Options(sack=told, timestamps=(clock, 0) if probe.timestamps else None)
            if len(told) > 2:
                carried = carried._replace(sack=told[:2])
            probe.send(flags, payload, seq=probe.seq + seq, ack=probe.ack + ack, window=window, carried=carried)
        for segment in probe.take():
            assert len(segment.payload) <= connection.mss
        assert connection.snd_una <= connection.snd_nxt
        assert connection.assembler.unread + connection.assembler.waiting <= 4000
        held = sum(
            len(each.sender) + each.assembler.unread + each.assembler.waiting
            for each in {connection, *probe.engine.commons.connections.values()}
        )
        assert probe.engine.commons.buffered == held
    connection.abort()
    assert connection.state is State.CLOSED
