"""Tests that take minutes: they run when somebody asks for them."""

import os
from typing import Final

import pytest

takes_minutes: Final = pytest.mark.skipif(
    os.environ.get("UNIZONE_LONG_TESTS") != "1", reason="takes many minutes: make test-long"
)
"""Mark of a test that `make test` leaves out."""
