"""The platform contract: one header, and what Python and C make of it."""

import ast
import re

import pytest

from dns_build import binding
from dns_build.targets import PLATFORM, TARGETS, Target

STUB = PLATFORM / "_unizone.pyi"


def declared() -> dict[str, int]:
    """Functions of the contract with the number of their parameters."""
    found = re.findall(r"\b(uz_\w+)\(([^)]*)\);", binding.declarations())
    return {name: 0 if parameters.strip() == "void" else parameters.count(",") + 1 for name, parameters in found}


def test_stub_has_the_functions_of_the_header() -> None:
    (library,) = (node for node in ast.parse(STUB.read_text()).body if isinstance(node, ast.ClassDef))
    stubbed = {node.name: len(node.args.args) - 1 for node in library.body if isinstance(node, ast.FunctionDef)}
    assert stubbed == declared()


def test_every_target_that_boots_defines_each_function_once() -> None:
    for target in TARGETS.values():
        if not target.has_binding:
            continue
        text = "".join(
            file.read_text() for folder in target.folders for file in sorted((PLATFORM / folder).glob("*.c"))
        )
        for name in declared():
            assert len(re.findall(rf"^[\w *]*\b{name}\([^;]*\)(?:\s*\{{|\n\{{)", text, re.MULTILINE)) == 1, name


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_the_shim_of_an_image_stays_small(target: Target) -> None:
    folders = ["include", *target.folders]
    lines = sum(len(file.read_text().splitlines()) for name in folders for file in (PLATFORM / name).glob("*.[chS]"))
    assert lines <= 3500


def test_only_unix_has_the_instruction_of_system_calls() -> None:
    for file in PLATFORM.rglob("*.[chS]"):
        found = re.search(r'^\s*syscall$|asm[^;]*"syscall', file.read_text(), re.MULTILINE)
        assert (found is None) == (file != PLATFORM / "unix" / "syscall.S"), file
