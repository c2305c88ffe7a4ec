"""Faults by its own doing: reads address 8 through a structure that the interpreter trusts."""

import faulthandler


def main() -> None:
    """End by a page fault."""
    faulthandler._read_null()  # type: ignore[attr-defined]
