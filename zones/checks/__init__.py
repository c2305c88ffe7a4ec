"""Semantic checks over a zone: what NSD, Knot or BIND refuse to load is an error, what is merely unwise a warning.

`registry` is the table of all checks, from which docs/checks.md is made; one file a subject holds the rules
themselves; `run` walks a zone once and calls them.
"""

from zones.checks.run import check

__all__ = ["check"]
