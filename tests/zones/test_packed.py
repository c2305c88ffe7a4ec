"""Zones that are part of the program."""

import asyncio
import sys
import types

import pytest

from zones import baked
from zones.packed import PackedSource, baked_in

FILES = {"example.org": b"@ SOA ...\n", "sub/include": b"text\n"}


def test_serves_the_files_that_were_packed() -> None:
    version = asyncio.run(PackedSource(FILES).fetch())
    assert {entry.path: version.tree.read(entry.path) for entry in version.tree.entries()} == FILES
    with pytest.raises(FileNotFoundError):
        version.tree.read("other")


def test_state_depends_on_names_and_contents_alone() -> None:
    states = {asyncio.run(PackedSource(files).state()) for files in (FILES, dict(FILES))}
    assert len(states) == 1
    assert asyncio.run(PackedSource({**FILES, "example.org": b""}).state()) not in states


def test_nothing_is_baked_into_a_program_that_was_not_built_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert baked_in() is None
    module = types.ModuleType(baked.MODULE)
    module.__dict__["FILES"] = FILES
    monkeypatch.setitem(sys.modules, baked.MODULE, module)
    found = baked_in()
    assert found is not None
    assert asyncio.run(found.state()) == asyncio.run(PackedSource(FILES).state())
