import re

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones import name as names

LABELS = st.lists(st.binary(min_size=1, max_size=12), max_size=6)


def wire(labels: list[bytes]) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


@given(LABELS)
def test_text_round_trip_and_dnspython_reads_the_same(labels: list[bytes]) -> None:
    name = wire(labels)
    text = names.to_text(name)
    assert names.from_text(text) == name
    assert dns.name.from_text(text).to_wire() == name


@given(LABELS, LABELS)
def test_canonical_key_orders_as_dnspython(left: list[bytes], right: list[bytes]) -> None:
    ours = names.canonical_key(wire(left)) < names.canonical_key(wire(right))
    assert ours == (dns.name.Name([*left, b""]) < dns.name.Name([*right, b""]))


@given(LABELS, LABELS)
def test_is_at_or_below_agrees_with_dnspython(left: list[bytes], right: list[bytes]) -> None:
    below, above = names.fold(wire(left + right)), names.fold(wire(right))
    assert names.is_at_or_below(below, above)
    assert names.is_at_or_below(above, below) == dns.name.Name([*right, b""]).is_subdomain(
        dns.name.Name([*left, *right, b""])
    )


def test_a_suffix_inside_a_label_is_not_below() -> None:
    assert not names.is_at_or_below(b"\x03a\x01b\0", b"\x01b\0")


@pytest.mark.parametrize(
    ("text", "position"),
    [("a..b", 2), (".a", 0), ("", 0), ("a\\", 1), ("a\\25", 1), ("a\\256", 1), ("é", 0), ("a" * 64, 63), ("a b", 1)],
)
def test_bad_text_names_the_position(text: str, position: int) -> None:
    with pytest.raises(names.BadName) as caught:
        names.from_text(text)
    assert caught.value.position == position


def test_relative_names_take_the_origin_or_are_refused() -> None:
    assert names.from_text("a", b"\x01b\0") == b"\x01a\x01b\0"
    assert names.from_text("@", b"\x01b\0") == b"\x01b\0"
    with pytest.raises(names.BadName):
        names.from_text("a", None)


def test_a_name_over_255_octets_is_refused() -> None:
    assert len(names.from_text("a." * 127)) == 255
    with pytest.raises(names.BadName):
        names.from_text("a." * 128)


def test_ancestors_and_parent() -> None:
    assert list(names.ancestors(b"\x01a\x01b\0")) == [b"\x01a\x01b\0", b"\x01b\0", b"\0"]
    with pytest.raises(ValueError, match="root"):
        names.parent(names.ROOT)


@given(st.text("aB1-*_.\\@ \u00e9$", max_size=12), st.integers(0, 66), st.sampled_from([names.ROOT, b"\1x\0", None]))
def test_plain_names_are_read_as_the_careful_way_reads_them(text: str, length: int, origin: bytes | None) -> None:
    def outcome() -> bytes | tuple[str, int]:
        try:
            return names.from_text(f"{'a' * length}{text}", origin)
        except names.BadName as bad:
            return str(bad), bad.position

    quick = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "_PLAIN", re.compile("(?!)"))
        assert outcome() == quick
