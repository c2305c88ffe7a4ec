"""Zones for tests: read from text as the server reads them, and judged by other implementations."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.debian import programs
from zones import name as names
from zones.checks import check
from zones.checks.verify import verifier
from zones.findings import Finding
from zones.slices import run_to_end
from zones.zonefile import parse

ORIGIN = "example.com"
NOW = 1_790_000_000.0  # 2026-09-21; the signatures of the corpus are valid from 2026-01-01 to 2090-01-01


def judge(
    text: bytes, file: str = "zone", origin: str = ORIGIN, *, verify: bool = False, now: float = NOW
) -> list[Finding]:
    """All that parser and checks find in a zone file."""

    def include(path: str) -> bytes:
        raise FileNotFoundError(path)

    parsed = run_to_end(parse(text, names.from_text(f"{origin}."), file, include))
    findings = list(parsed.findings)
    if parsed.zone is not None:
        findings += run_to_end(check(parsed.zone, now, verifier() if verify else None))
    return findings


@dataclass(frozen=True)
class Verdict:
    """What another implementation says of a zone file."""

    refused: bool
    """Whether its server would not load the zone."""
    complaints: tuple[str, ...]
    """What its checking tool says, without what it says of good zones too."""


_GOOD = re.compile(r"loaded serial|^OK$|zone \S+ is ok|^No semantic error found|^\s*$")
# knotd refuses by default what kzonecheck calls serious, and what its parser can't read. kzonecheck also stops where
# keys cannot be used to verify; knotd loads such a zone (semantic-checks are off by default).
_KNOT_REFUSES = re.compile(r"^Serious semantic error|^error: .*(error in zone|failed to parse)", re.MULTILINE)


def kzonecheck(file: Path, origin: str = ORIGIN) -> Verdict:
    """Knot's judgement."""
    output, code = _run("knot-dnssecutils", "kzonecheck", "-v", "-o", origin, str(file))
    complaints = _complaints(output)
    # Exit code 1 for any finding; a crash of the tool says nothing about the zone.
    return Verdict(bool(_KNOT_REFUSES.search(output)), complaints if code >= 0 else ())


def named_checkzone(file: Path, origin: str = ORIGIN) -> Verdict:
    """BIND's, names of hosts apart: see docs/checks.md. No look-ups for names outside the zone (-i local)."""
    output, code = _run("bind9-utils", "named-checkzone", "-k", "warn", "-i", "local", origin, str(file))
    return Verdict(code != 0, _complaints(output))


def nsd_checkzone(file: Path, origin: str = ORIGIN) -> Verdict:
    """NSD's."""
    output, code = _run("nsd", "nsd-checkzone", origin, str(file))
    return Verdict(code != 0, _complaints(output))


ORACLES = {"Knot": kzonecheck, "BIND": named_checkzone, "NSD": nsd_checkzone}


def _run(package: str, program: str, *arguments: str) -> tuple[str, int]:
    tree = programs(package)
    result = subprocess.run(
        [tree.path(program), *arguments], env=tree.environment, capture_output=True, text=True, check=False, timeout=60
    )
    return result.stdout + result.stderr, result.returncode


def _complaints(output: str) -> tuple[str, ...]:
    return tuple(line for line in output.splitlines() if not _GOOD.search(line))
