"""Files that an image was built with (`unizone build --baked=DIR`): zones, and `unizone.toml` where it has one."""

import importlib
from collections.abc import Mapping
from typing import Final

MODULE: Final = "unizone_baked"
"""Module that the builder writes, with the mapping FILES from paths to contents."""


def baked_files() -> Mapping[str, bytes]:
    """Files that this program was built with, by path."""
    try:
        files: Mapping[str, bytes] = importlib.import_module(MODULE).FILES
    except ModuleNotFoundError:
        return {}
    return files
