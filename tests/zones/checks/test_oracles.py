"""What Knot, BIND and NSD find in a zone is found here, and what they refuse to load is refused."""

from pathlib import Path

import pytest

from tests.support.debian import need
from tests.support.zones import ORACLES, judge
from zones.findings import has_errors

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.zone"))

# Where we differ on purpose: zone and implementation.
LOADS_NEVERTHELESS = {
    # Knot's parser takes no colon in a name; RFC 2181 11 allows any octet.
    ("address-as-name-ipv6", "Knot"),
}


@pytest.fixture(scope="module", autouse=True)
def _oracles() -> None:
    for package in ("knot-dnssecutils", "bind9-utils", "nsd"):
        need(package)


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_finds_what_others_find_and_refuses_what_another_server_refuses(file: Path) -> None:
    findings = judge(file.read_bytes(), file.name)
    verdicts = {name: oracle(file) for name, oracle in ORACLES.items()}
    for name, verdict in verdicts.items():
        assert findings or not (verdict.refused or verdict.complaints), f"{name}: {verdict}"
    refused_there = {
        name for name, verdict in verdicts.items() if verdict.refused and (file.stem, name) not in LOADS_NEVERTHELESS
    }
    if refused_there:
        assert has_errors(findings), verdicts
    else:
        assert not has_errors(findings), verdicts
