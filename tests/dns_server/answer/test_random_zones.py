"""Zones that hypothesis makes are answered as NSD, Knot and BIND answer them."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dns_server.answer.engine import Engine
from tests.dns_server.answer.compare import Bench, report
from tests.dns_server.answer.questions import queries
from tests.dns_server.answer.strategies import zone_texts
from tests.support.debian import Unavailable
from tests.support.served import catalogue_of, zone_from_text
from tests.support.servers import NAMES, running

ZONES_AT_A_TIME = 30  # starting servers takes longer than asking


@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a shrink would start servers by the hundred
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(st.lists(zone_texts, min_size=ZONES_AT_A_TIME, max_size=ZONES_AT_A_TIME))
def test_random_zones_are_answered_alike(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    files: dict[str, Path] = {}
    for index, text in enumerate(texts):
        path = tmp_path / f"z{index}.test.zone"
        path.write_text(text)
        files[f"z{index}.test."] = path
    zones = [zone_from_text(path.read_text(), origin) for origin, path in files.items()]
    with ExitStack() as stack:
        try:
            servers = [stack.enter_context(running(name, tmp_path_factory.mktemp(name), files)) for name in NAMES]
        except Unavailable as unavailable:
            pytest.skip(str(unavailable))
        bench = Bench(Engine(catalogue=catalogue_of(*zones)), zones, servers)
        for zone, text in zip(zones, texts, strict=True):
            found = bench.differences(zone, list(queries(zone))[::7])
            assert not found, f"{report(found)}\n{text}"
