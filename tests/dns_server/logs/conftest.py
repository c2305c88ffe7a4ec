"""What tests of log lines start with."""

from pathlib import Path

import pytest

from tests.support.certificates import Files, self_signed


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    """A folder with one zone."""
    folder = tmp_path / "zones"
    folder.mkdir()
    (folder / "example.com").write_text("$TTL 60\n@ SOA ns1 h 1 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.1\n")
    return folder


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A certificate with its key."""
    return self_signed(tmp_path)
