"""Nested steps with their times on standard error, and the one error that says what to do next."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class BuildError(Exception):
    """The build can't go on: what is wrong, and what to try."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message + (f"\n  try: {hint}" if hint else ""))


_depth = 0


def note(text: str) -> None:
    """One line at the present depth."""
    print(f"{'  ' * _depth}{text}", file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """A step of the build: its title when it begins, its time when it ends well."""
    global _depth
    began = time.monotonic()
    note(f"{title} ...")
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
    note(f"{title}: {time.monotonic() - began:.1f} s")
