"""docs/stack.md says what the sources say."""

from pathlib import Path

from stack import reference

PAGE = Path(__file__).parents[2] / "docs" / "stack.md"


def test_the_page_is_that_of_the_sources() -> None:
    assert PAGE.read_text(encoding="utf-8") == "\n".join(reference.page()) + "\n", (
        "run: python -m stack.reference > docs/stack.md"
    )


def test_sections_are_found() -> None:
    text = "# RFC 9293 3.10.7.4, 3.8: so\n# RFC 4291 appendix A, and RFC 791, twice 60 s"
    assert list(reference.references(text)) == [(9293, "3.10.7.4"), (9293, "3.8"), (4291, "appendix A"), (791, "")]


def test_deviations_end_with_their_block() -> None:
    text = '# Deviation: a,\n# b.\nx = 1\n"""Deviation: c\nd."""\ny = 2\n"""\nDeviation: e\n\nf\n"""\n'
    assert list(reference.deviations(text)) == ["a, b.", "c d.", "e"]
