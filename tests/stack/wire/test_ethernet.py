import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import Ether

from stack.wire import ethernet
from stack.wire.error import WireError
from stack.wire.ethernet import Frame
from tests.stack.wire.strategies import half, mac, payload

frames = st.builds(Frame, st.binary(min_size=6, max_size=6), mac, half, payload)


def test_deconstruct() -> None:
    frame = ethernet.parse(memoryview(bytes.fromhex("ffffffffffff020000000001080068656c6c6f")))
    assert frame == Frame(b"\xff" * 6, b"\x02\0\0\0\0\x01", 0x0800, b"hello")


@given(frames)
def test_parse_of_emit(frame: Frame) -> None:
    assert ethernet.parse(memoryview(ethernet.emit(frame))) == frame


@given(frames)
def test_scapy_agrees(frame: Frame) -> None:
    theirs = Ether(ethernet.emit(frame))
    assert (theirs.dst, theirs.src) == (frame.destination.hex(":"), frame.source.hex(":"))


@pytest.mark.parametrize("length", range(14))
def test_too_short(length: int) -> None:
    with pytest.raises(WireError, match="too short"):
        ethernet.parse(memoryview(bytes(length)))


def test_a_group_is_no_source() -> None:
    with pytest.raises(WireError, match="source is a group"):
        ethernet.parse(memoryview(bytes(6) + b"\x01" + bytes(7)))


@given(st.binary(max_size=100))
def test_any_octets_survive(data: bytes) -> None:
    try:
        frame = ethernet.parse(memoryview(data))
    except WireError:
        return
    assert ethernet.emit(frame) == data
