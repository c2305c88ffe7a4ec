"""Extension modules beside sources are made of those sources."""

import sysconfig
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MODULES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["hooks"]["custom"]["modules"]


@pytest.mark.parametrize("module", MODULES)
def test_no_extension_module_is_older_than_its_source(module: str) -> None:
    source = ROOT / module
    extension = source.with_suffix(sysconfig.get_config_var("EXT_SUFFIX"))
    if not extension.exists():
        pytest.skip("not compiled")
    types = source.with_suffix(".pxd")
    newest = max(file.stat().st_mtime for file in (source, types) if file.exists())
    assert extension.stat().st_mtime >= newest, "type: make setup"
