"""Each bad zone of the corpus gives exactly the findings that its first line names."""

import re
from pathlib import Path

import pytest

from tests.support.zones import judge
from zones.checks.reference import markdown
from zones.checks.registry import CHECKS
from zones.findings import Severity

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.zone"))
BY_NAME = {check.name: check for check in CHECKS}


def expected(file: Path) -> set[str]:
    first = file.read_text().partition("\n")[0]
    assert first.startswith("; expect: "), file
    return set(first.removeprefix("; expect: ").split())


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_a_bad_zone_gives_the_findings_that_it_names(file: Path) -> None:
    findings = judge(file.read_bytes(), file.name)
    assert {finding.check for finding in findings} == expected(file), "\n".join(map(str, findings))
    for finding in findings:
        assert finding.place.file == file.name
        assert finding.place.line > 0 or finding.check in {"soa-missing", "ns-missing"}, finding
        assert finding.severity is BY_NAME[finding.check].severity
        assert finding.message
        assert finding.hint or finding.check == "syntax"


def test_every_check_has_a_bad_zone() -> None:
    found = set().union(*map(expected, CORPUS))
    without_zone = BY_NAME.keys() - found
    elsewhere = {check.name for check in CHECKS if check.reference.startswith("docs/")} | {"serial-not-raised"}
    assert without_zone == elsewhere | {"rrsig-bogus"}  # which needs a verifier: test_signed


def test_names_of_checks_are_kebab_case_and_distinct() -> None:
    assert len(BY_NAME) == len(CHECKS)
    for check in CHECKS:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", check.name)
        assert check.rule.endswith(".")
        assert check.reference.startswith(("RFC ", "docs/"))


def test_every_name_of_a_finding_is_in_the_registry() -> None:
    """The parser, the layout and the loader write their names themselves."""
    zones = Path(__file__).parents[3] / "zones"
    sources = "\n".join(
        path.read_text() for path in zones.rglob("*.py") if path.relative_to(zones).parts[0] != "checks"
    )
    written = set(re.findall(r'(?:Finding\([^"]{0,80}|_warn\([^"]{0,40}|_note\([^"]{0,40})"([a-z-]+)"', sources))
    assert {"syntax", "tsig-key", "ttl-differs", "zone-file-name"} <= written
    assert written <= BY_NAME.keys()


def test_the_reference_is_up_to_date() -> None:
    page = Path(__file__).parents[3] / "docs" / "checks.md"
    assert page.read_text() == markdown(), "run: python -m zones.checks.reference > docs/checks.md"


def test_signatures_and_denial_never_refuse_a_zone() -> None:
    for check in CHECKS:
        if check.name.startswith(("rrsig-", "nsec-", "nsec3-", "dnskey-")):
            assert check.severity is Severity.WARNING, check
