"""Frames of a batch, wherever they lie."""

from hypothesis import given
from hypothesis import strategies as st

from dns_platform.frames import joined


@given(st.lists(st.binary(max_size=80)))
def test_joined_frames_are_what_they_were_in_their_order(frames: list[bytes]) -> None:
    assert [bytes(frame) for frame in joined([memoryview(frame) for frame in frames])] == frames
