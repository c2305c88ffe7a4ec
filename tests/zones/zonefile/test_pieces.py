"""A file that comes in pieces reads as it does in one, wherever it is cut; only a part of it is held at a time."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.zones.zonefile.corpus import RIGHT, WRONG
from tests.zones.zonefile.support import HEAD, ORIGIN
from tests.zones.zonefile.test_oracles import DIALECT
from zones.findings import Finding
from zones.rrset import RRset
from zones.slices import run_to_end
from zones.zonefile import Text, lexer, parse, parser

LINE, ENTRY = 64, 2100  # an entry is at least what the scanner takes
# Lines and entries longer than those limits, and what is open at the end.
PARTS = [
    "a A 192.0.2.1\n", "a A 192.0.2.300\n", "b TXT ( one\n two ; three\n )\n", "c TXT (\n", 'd TXT "', "\n", " ; x\n",
    "e TXT " + "e" * 90 + "\n", "f TXT ( " + "f " * 1100 + ")\n", "g " * 1200 + "\n", "\r\n", "h TXT \\", " A ::1\n",
    "$INCLUDE inc\n", "$ORIGIN x\n", "i AAAA 2001:db8::1\n",
]  # fmt: skip
INCLUDED = b"k A 192.0.2.7\nl TXT " + b"l" * 90 + b"\nm TXT (\n"

Outcome = tuple[list[RRset] | None, tuple[Finding, ...]]


def pieces(text: bytes, size: int) -> Iterator[bytes]:
    return (text[start : start + size] for start in range(0, len(text), size))


def outcome(text: Text, include: Callable[[str], Text] = lambda _: INCLUDED) -> Outcome:
    parsed = run_to_end(parse(text, ORIGIN, "example", include))
    return None if parsed.zone is None else list(parsed.zone.rrsets()), parsed.findings


def assert_same(text: bytes, size: int) -> None:
    assert outcome(pieces(text, size), lambda _: pieces(INCLUDED, size)) == outcome(text)


@pytest.fixture(scope="module", autouse=True)
def _small_limits() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parser, "MAX_LINE", LINE)
        patch.setattr(parser, "_AHEAD", LINE + ENTRY)
        patch.setattr(lexer, "MAX_ENTRY", ENTRY)
        yield


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_the_dialect_and_rdata_of_all_types(size: int) -> None:
    assert_same(DIALECT.encode() if isinstance(DIALECT, str) else DIALECT, size)
    for cases in (RIGHT, WRONG):
        lines = [f"r {mnemonic} {text}\n" for mnemonic, texts in cases.items() for text in texts]
        for start in range(0, len(lines), 10):
            assert_same((HEAD + "".join(lines[start : start + 10])).encode(), size)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PARTS), max_size=30), st.integers(1, 700), st.booleans())
def test_any_text_cut_anywhere(parts: list[str], size: int, ends: bool) -> None:
    assert_same((HEAD + "".join(parts) + ("\n" if ends else "")).encode(), size)


def test_a_byte_order_mark_and_utf_16_are_known_in_pieces_too() -> None:
    for text in (b"\xef\xbb\xbf" + HEAD.encode(), b"\xff\xfe" + HEAD.encode("utf-16-le"), b"", b"\xef"):
        assert_same(text, 1)


def test_no_more_is_asked_for_than_an_entry_may_need() -> None:
    taken = 0

    def counted() -> Iterator[bytes]:
        nonlocal taken
        for piece in pieces(HEAD.encode() + b"a TXT x\n" * 5000, LINE):
            taken += len(piece)
            yield piece

    work = parse(counted(), ORIGIN, "example", lambda _: b"")
    next(work)
    assert LINE + ENTRY < taken < 10_000


def test_too_much_text_is_an_error_before_all_of_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "MAX_TEXT", 1000)

    def endless() -> Iterator[bytes]:
        while True:
            yield b"a 60 TXT x\n"

    _, findings = outcome(endless())
    assert [finding.message for finding in findings] == ["files of more than 1000 octets"]


def test_what_the_pieces_raise_comes_through() -> None:
    def broken() -> Iterator[bytes]:
        yield HEAD.encode()
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        outcome(broken())
