"""Buffers against models: what they hold is what a plain mapping of positions to octets holds."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from stack.tcp.buffers import Assembler, SendBuffer
from stack.tcp.sequence import MODULUS, unwrap, wrap

TEXT = bytes(range(256)) * 4
START = 1000

spans = st.tuples(st.integers(-20, 200), st.integers(0, 60))


@given(st.lists(spans, max_size=40), st.integers(0, 250))
def test_an_assembler_delivers_each_octet_once_in_order(order: list[tuple[int, int]], edge: int) -> None:
    assembler = Assembler(START)
    model: set[int] = set()
    delivered = b""
    for offset, length in order:
        data = bytes(TEXT[(offset + i) % 256] for i in range(length))
        new = {offset + i for i in range(length) if 0 <= offset + i < edge} - model
        assert assembler.add(START + offset, data, START + edge, 1000) == len(new)
        model |= new
        in_order = next(i for i in range(1000) if i not in model)
        assert assembler.next == START + in_order
        assert assembler.unread == in_order - len(delivered)
        assert assembler.waiting == len(model) - in_order
        delivered += assembler.read(7)
        blocks = assembler.ranges()
        assert sorted(p for left, right in blocks for p in range(left - START, right - START)) == sorted(
            p for p in model if p >= in_order
        )
        assert all(later[0] > earlier[1] for earlier, later in zip(sorted(blocks), sorted(blocks)[1:], strict=False))
    delivered += assembler.read(1 << 20)
    assert delivered == TEXT[: len(delivered)]
    assert assembler.unread == 0


def test_the_first_copy_of_an_octet_stays() -> None:
    assembler = Assembler(0)
    assembler.add(4, b"BB", 100, 10)
    assembler.add(1, b"aaaaaaaa", 100, 10)
    assembler.add(0, b"z", 100, 10)
    assert assembler.read(100) == b"zaaaBBaaa"


def test_many_small_segments_take_about_the_memory_of_their_octets() -> None:
    assembler = Assembler(START)
    pieces = [bytes(range(i % 100, i % 100 + 2)) for i in range(100_000)]
    tracemalloc.start()
    try:
        for index, piece in enumerate(pieces):
            assert assembler.add(START + 2 * index, bytes(piece), START + (1 << 20), 256) == 2
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 1.5 * 200_000
    assert assembler.read(1 << 20) == b"".join(pieces)


def test_reading_takes_no_more_than_asked() -> None:
    assembler = Assembler(0)
    for at in range(0, 30, 10):
        assembler.add(at, TEXT[at : at + 10], 100, 10)
    assert [assembler.read(n) for n in (5, 10, 1, 100, 100)] == [TEXT[:5], TEXT[5:15], TEXT[15:16], TEXT[16:30], b""]


@given(st.lists(st.tuples(st.binary(max_size=30), st.integers(0, 40)), max_size=30))
def test_a_send_buffer_keeps_what_is_not_acknowledged(steps: list[tuple[bytes, int]]) -> None:
    buffer = SendBuffer(START)
    everything = b""
    acknowledged = 0
    for data, count in steps:
        buffer.append(data)
        everything += data
        before = acknowledged
        acknowledged = min(acknowledged + count, len(everything))
        assert buffer.acknowledge(START + acknowledged) == acknowledged - before
        assert (buffer.start, buffer.end) == (START + acknowledged, START + len(everything))
        assert buffer.read(buffer.start, buffer.end) == everything[acknowledged:]


@given(st.integers(0, 1 << 70), st.integers(-(1 << 31), (1 << 31) - 1))
def test_a_sequence_number_unwraps_to_the_nearest_position(near: int, offset: int) -> None:
    assert unwrap((near + offset) % MODULUS, near) == near + offset
    assert wrap(near + offset) == (near + offset) % MODULUS
