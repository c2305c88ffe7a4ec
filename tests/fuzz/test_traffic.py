"""Some seeds of the traffic that `tests.fuzz.traffic` makes up."""

import pytest

from tests.fuzz import traffic


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_after_any_traffic_nothing_is_left(first: int) -> None:
    for seed in range(first, first + 20):
        traffic.run(seed)
