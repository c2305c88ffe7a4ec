"""Needs the first, which needs the second."""

from imported import first

NAME = "two"


def named() -> str:
    """The name of the first, which is there by now."""
    name: str = first.NAME
    return name
