"""`unizone check PATH|GIT-REV`: the findings of the server's own parser and checks; 0 clean, 1 findings, 2 usage."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from dns_server.parameters.output import FORMAT, OutputFormat
from dns_server.settings import BadUsage, Settings
from dns_server.trees import NoTree, open_tree
from zones.audit import NoZone, Report, audit_file, audit_tree
from zones.checks.verify import verifier
from zones.findings import Finding, Place, Severity
from zones.folder import FolderTree
from zones.slices import run_to_end

EXIT_CLEAN: Final = 0
EXIT_FINDINGS: Final = 1

_EXAMPLES: Final = """\
  for example: unizone check example.com.zone
               unizone check /etc/zones
               unizone check HEAD~1
               unizone check main:example.com.zone"""
_UNVERIFIED: Final = "signatures were not verified: that needs the package cryptography (pip install unizone[dnssec])"
_STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "yellow"}


@dataclass(frozen=True, slots=True)
class _Result:
    """A report and what it is of."""

    report: Report
    revision: str
    """Commit id; empty where files were read as they are."""
    prefix: str
    """What makes a path of a finding one that a person can open or show: the folder, or the revision."""
    is_unverified: bool
    """Whether there are signatures that nothing could verify."""


def run(settings: Settings, operands: list[str]) -> int:
    """Check and print; the exit code."""
    (target,) = operands
    try:
        result = _check(target)
    except (NoTree, NoZone, OSError) as error:
        raise BadUsage(f"{error}\n{_EXAMPLES}") from None
    match settings[FORMAT]:
        case OutputFormat.TEXT:
            _print_text(result)
        case OutputFormat.JSON:
            print(_json(target, result))
        case OutputFormat.MARKDOWN:
            print(_markdown(target, result))
    return EXIT_FINDINGS if result.report.findings else EXIT_CLEAN


def _check(target: str) -> _Result:
    now = time.time()
    verify = verifier()
    path = Path(target)
    revision = prefix = ""
    if path.is_dir():
        report = run_to_end(audit_tree(open_tree(target), now, verify))
        prefix = "" if target in {".", "./"} else f"{target.rstrip('/')}/"
    elif path.exists():
        report = run_to_end(audit_file(path.name, FolderTree(path.parent, {}).read, now, verify))
        prefix = target.removesuffix(path.name)
    else:
        name, colon, file = target.partition(":")
        tree = open_tree(name if colon else target)
        revision, prefix = tree.revision, f"{name}:"
        if colon:
            report = run_to_end(audit_file(file, tree.read, now, verify))
        else:
            report = run_to_end(audit_tree(tree, now, verify))
    return _Result(report, revision, prefix, report.signed and verify is None)


def _print_text(result: _Result) -> None:
    """Findings, one a line, on the standard output; the summary on the standard error."""
    output = Console(highlight=False, soft_wrap=True)
    for finding in result.report.findings:
        severity = finding.severity
        line = Text(f"{result.prefix}{_place(finding.place)}: ", style="bold")
        line.append(f"{severity.value}: ", style=_STYLES[severity])
        line.append(finding.message, style="not bold")
        if finding.hint:
            line.append(f"; {finding.hint}", style="not bold")
        line.append(f" [{finding.check}]", style="not bold dim")
        output.print(line)
    notes = Console(highlight=False, soft_wrap=True, stderr=True)
    if result.is_unverified:
        notes.print(Text(_UNVERIFIED))
    notes.print(Text(_summary(result.report), style="bold red" if result.report.findings else "bold green"))


def _place(place: Place) -> str:
    """A path of a git tree may hold octets that no terminal should get."""
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in str(place))


def _summary(report: Report) -> str:
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    found = f"{_number(errors, 'error')}, {_number(warnings, 'warning')}" if report.findings else "clean"
    return f"{_number(report.zones, 'good zone')} with {_number(report.records, 'record')}: {found}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _json(target: str, result: _Result) -> str:
    report = result.report
    document = {
        "target": target,
        "revision": result.revision or None,
        "zones": report.zones,
        "records": report.records,
        "errors": report.count(Severity.ERROR),
        "warnings": report.count(Severity.WARNING),
        "signatures_verified": report.signed and not result.is_unverified,
        "findings": [_finding(finding) for finding in report.findings],
    }
    return json.dumps(document, indent=2)


def _finding(finding: Finding) -> dict[str, str | int]:
    return {
        "file": finding.place.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "severity": finding.severity.value,
        "check": finding.check,
        "message": finding.message,
        "hint": finding.hint,
    }


def _markdown(target: str, result: _Result) -> str:
    lines = [f"**{target}**: {_summary(result.report)}"]
    if result.report.findings:
        lines += ["", "| place | severity | what | check |", "|---|---|---|---|"]
    for finding in result.report.findings:
        what = f"{finding.message}{f'; {finding.hint}' if finding.hint else ''}"
        cells = (f"`{_place(finding.place)}`", finding.severity.value, what, f"`{finding.check}`")
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    if result.is_unverified:
        lines += ["", _UNVERIFIED]
    return "\n".join(lines)
