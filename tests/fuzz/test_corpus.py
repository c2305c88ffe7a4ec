"""What fuzzing began with, and what it found, goes through again."""

from pathlib import Path

import pytest

from tests.fuzz import frames

CORPUS = Path(__file__).parent / "corpus" / "frames"


@pytest.mark.parametrize("file", sorted(CORPUS.iterdir()), ids=lambda file: file.name)
def test_frames(file: Path) -> None:
    frames.one_input(file.read_bytes())
