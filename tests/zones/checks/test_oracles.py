"""What Knot, BIND and NSD find in a zone is found here, and what they refuse to load is refused."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.debian import Unavailable, programs
from tests.support.zones import ORACLES, Verdict, judge
from zones.findings import has_errors

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.zone"))

# Where we differ on purpose: zone and implementation.
LOADS_NEVERTHELESS = {
    # Knot's parser takes no colon in a name; RFC 2181 11 allows any octet.
    ("address-as-name-ipv6", "Knot"),
}
REFUSED_NEVERTHELESS = {
    # RFC 9460 2.4.2: parameters in AliasMode are to be ignored; the library that reads rare types refuses them.
    "svcb-alias-parameters",
}


@pytest.fixture(scope="module")
def verdicts() -> dict[str, dict[str, Verdict]]:
    """Verdict by zone and implementation."""
    try:
        for package in ("knot-dnssecutils", "bind9-utils", "nsd"):
            programs(package)
    except Unavailable as reason:
        pytest.skip(str(reason))
    with ThreadPoolExecutor(2) as pool:
        found = {file.stem: {name: pool.submit(oracle, file) for name, oracle in ORACLES.items()} for file in CORPUS}
        return {stem: {name: future.result() for name, future in each.items()} for stem, each in found.items()}


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_finds_what_others_find(file: Path, verdicts: dict[str, dict[str, Verdict]]) -> None:
    findings = judge(file.read_bytes(), file.name)
    for name, verdict in verdicts[file.stem].items():
        assert findings or not (verdict.refused or verdict.complaints), f"{name}: {verdict}"


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_refuses_what_another_server_refuses(file: Path, verdicts: dict[str, dict[str, Verdict]]) -> None:
    refused_here = has_errors(judge(file.read_bytes(), file.name))
    refused_there = {
        name
        for name, verdict in verdicts[file.stem].items()
        if verdict.refused and (file.stem, name) not in LOADS_NEVERTHELESS
    }
    if refused_there:
        assert refused_here, verdicts[file.stem]
    elif file.stem not in REFUSED_NEVERTHELESS:
        assert not refused_here, verdicts[file.stem]
