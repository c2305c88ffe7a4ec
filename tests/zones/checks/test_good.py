"""Zones without faults: nothing is found here, and nothing by Knot, BIND and NSD."""

from pathlib import Path

import pytest

from tests.support.debian import Unavailable
from tests.support.zones import ORACLES, judge

GOOD = sorted((Path(__file__).parent / "good").glob("*.zone"))


def origin_of(file: Path) -> str:
    return "" if file.stem == "root" else file.stem


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_nothing_is_found_in_a_good_zone(file: Path) -> None:
    assert judge(file.read_bytes(), file.name, origin_of(file)) == []


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
@pytest.mark.parametrize("name", ORACLES)
def test_others_find_nothing_either(file: Path, name: str) -> None:
    try:
        verdict = ORACLES[name](file, f"{origin_of(file)}.")
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert not verdict.refused, verdict
    assert verdict.complaints == ()
