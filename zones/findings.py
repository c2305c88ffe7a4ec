"""What is wrong with a zone and where: the one form in which parser and checks report it."""

import enum
from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """A position in a zone file of the repository; line and column count from 1, 0 where there is none."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join(str(part) for part in self if part)


class Severity(enum.Enum):
    """What a finding means for the zone."""

    ERROR = "error"
    """The zone is refused: the version before stays in service."""
    WARNING = "warning"
    """The zone is served; `unizone check` fails."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    place: Place
    check: str
    """Name of the rule in kebab case, as docs/checks.md lists it; `syntax` for the parser's own."""
    severity: Severity
    message: str
    """What is wrong, with the text concerned."""
    hint: str = ""
    """What was expected, or what to do."""

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.place}: {self.severity.value}: {self.message}{hint} [{self.check}]"


def has_errors(findings: list[Finding] | tuple[Finding, ...]) -> bool:
    """Whether one of `findings` refuses the zone."""
    return bool(findings) and any(finding.severity is Severity.ERROR for finding in findings)
