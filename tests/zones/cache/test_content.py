"""What a cache holds, as octets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.cache.content import BadContent, Content, pack, unpack
from zones.slices import run_to_end

CONTENTS = st.builds(
    Content,
    revision=st.sampled_from(["", "0" * 40]),
    files=st.dictionaries(st.text(st.characters(codec="utf-8")), st.binary(max_size=100_000)),
    serials=st.dictionaries(st.binary(max_size=20), st.integers(0, 2**32 - 1)),
)


@given(CONTENTS)
def test_comes_back_as_it_was(content: Content) -> None:
    assert unpack(run_to_end(pack(content))) == content


def test_names_that_are_not_unicode_come_back() -> None:
    content = Content("", {b"\xff.example".decode("utf-8", "surrogateescape"): b"text"})
    assert unpack(run_to_end(pack(content))) == content


@given(st.binary(max_size=200))
def test_other_octets_are_refused(octets: bytes) -> None:
    with pytest.raises(BadContent):
        unpack(octets)


def test_a_content_that_was_cut_off_is_refused() -> None:
    octets = run_to_end(pack(Content("1", {"example.org": b"text" * 100})))
    for size in range(len(octets)):
        with pytest.raises(BadContent):
            unpack(octets[:size])
