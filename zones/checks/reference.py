"""The text of docs/checks.md: `python -m zones.checks.reference > docs/checks.md`."""

from typing import Final

from zones.checks.registry import CHECKS
from zones.findings import Severity

_HEAD: Final = """\
# Checks

What is looked at in a zone when it is loaded and by `unizone check`. A finding names the file, line and column, what
is wrong, what to do, and the check.

- An **error** refuses the zone: the version before stays in service. It is what NSD, Knot or BIND refuse to load as
  servers, with the settings they come with.
- A **warning** is logged by `unizone serve`, which serves the zone, and fails `unizone check`. Everything about
  signatures is one: an expired signature does not take a zone out of service.

Two deviations, both of BIND's, where NSD and Knot load the zone:

- BIND refuses a primary zone in which A, AAAA or MX belong to a name that is no host name (`check-names`). RFC 2181 11
  allows any name, and names with an underscore are common: `hostname` and `hostname-target` warn.
- BIND refuses an RRset of more than 100 records (`max-records-per-type`), to bound what a host of foreign zones spends:
  `rrset-large` warns.

At most 100 findings of one check are listed, with the number of the others. Of an RRset the first 200 records are
looked at.

Signatures are verified cryptographically by `unizone check` where the Python package `cryptography` is installed
(`pip install unizone[dnssec]`), never by `unizone serve`.
"""


def markdown() -> str:
    """The whole page, made from the registry."""
    lines = [_HEAD.rstrip()]
    subject = ""
    for check in CHECKS:
        if check.subject != subject:
            subject = check.subject
            lines += ["", f"## {subject}", "", "| check | severity | rule | source |", "|---|---|---|---|"]
        severity = "**error**" if check.severity is Severity.ERROR else "warning"
        lines.append(f"| `{check.name}` | {severity} | {check.rule} | {check.reference} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
