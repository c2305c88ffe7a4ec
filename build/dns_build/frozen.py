"""What an image is linked with for its frozen modules: their packed code, and the tables of CPython that lead to it."""

import struct
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# The two halves of the import system, which CPython itself loads before any other module, by these names.
BOOTSTRAP = {"_frozen_importlib": "importlib._bootstrap", "_frozen_importlib_external": "importlib._bootstrap_external"}

# Compiled modules that are part of every CPython, with their initialisers' names where those are irregular.
_INITIALISERS = {"marshal": "PyMarshal_Init", "_warnings": "_PyWarnings_Init"}
_WITHOUT_INITIALISER = {"builtins", "sys"}
ALWAYS = {
    *{"_abc", "_codecs", "_collections", "_functools", "_imp", "_io", "_signal", "_sre", "_stat", "_thread"},
    *{
        "_warnings",
        "_weakref",
        "builtins",
        "errno",
        "faulthandler",
        "gc",
        "itertools",
        "marshal",
        "posix",
        "sys",
        "time",
    },
}


def pack(packer: str, codes: Mapping[str, bytes]) -> dict[str, bytes]:
    """Code as `platform/common/frozen.c` reads it: a block of LZ4, its checksum, and the length of what is in it."""
    pieces = b"".join(struct.pack("<I", len(code)) + code for code in codes.values())
    output = subprocess.run([packer], input=pieces, stdout=subprocess.PIPE, check=True).stdout
    packed, at = {}, 0
    for name, code in codes.items():
        (size,) = struct.unpack_from("<I", output, at)
        block = output[at + 4 : at + 4 + size]
        packed[name] = block + struct.pack("<QI", checksum(block), len(code))
        at += 4 + size
    return packed


def checksum(block: bytes) -> int:
    """The checksum of `platform/common/frozen.c`: over words of 64 bits, of which the last two may overlap."""
    total = 0
    for at in (*range(0, len(block) - 7, 8), *([len(block) - 8] if len(block) % 8 else [])):
        total = (total * 31 + int.from_bytes(block[at : at + 8], "little")) % 2**64
    return total


def assembly(blob: Path) -> str:
    """Text of `frozen.S`, which takes the packed code of all modules from the file `blob` beside it."""
    lines = [
        "/* Code of the frozen modules, one after the other. */",
        '\t.section .rodata.frozen, "a", @progbits',
        "\t.globl unizone_frozen",
        "\t.balign 16",
        "unizone_frozen:",
        f'\t.incbin "{blob.name}"',
        "\t.globl unizone_frozen_end",
        "unizone_frozen_end:",
        '\t.section .note.GNU-stack, "", @progbits',
    ]
    return "\n".join(lines) + "\n"


def tables(frozen: Sequence[tuple[str, bool, bytes]], builtin: set[str], extensions: Mapping[str, str]) -> str:
    """Text of `tables.c`.

    `frozen` has name, whether it is a package and packed code for each block, in their order; `builtin` the names of
    compiled modules, whose initialisers `extensions` knows where they are not CPython's own.
    """
    bootstrap: list[str] = []
    others: list[str] = []
    offset = 0
    for name, is_package, code in frozen:
        entry = f'\t{{"{name}", unizone_frozen + {offset}, {len(code)}, {int(is_package)}}},'
        (bootstrap if name in BOOTSTRAP else others).append(entry)
        offset += len(code)
    initialisers = {
        name: extensions.get(name) or _INITIALISERS.get(name, f"PyInit_{name}")
        for name in sorted(builtin)
        if name not in _WITHOUT_INITIALISER
    }
    modules = [f'\t{{"{name}", {initialisers.get(name, "NULL")}}},' for name in sorted(builtin)]
    return "\n".join(
        [
            "/* The modules of this image: what Python/frozen.c and Modules/config.c hold in a usual build. */",
            "#include <Python.h>",
            "#include <internal/pycore_import.h>",
            "",
            "extern const unsigned char unizone_frozen[];",
            "",
            "static const struct _frozen bootstrap[] = {",
            *bootstrap,
            "\t{0},",
            "};",
            "static const struct _frozen modules[] = {",
            *others,
            "\t{0},",
            "};",
            "static const struct _frozen nothing[] = {{0}};",
            "static const struct _module_alias aliases[] = {",
            *(f'\t{{"{new}", "{old}"}},' for new, old in BOOTSTRAP.items()),
            "\t{0},",
            "};",
            "const struct _frozen *_PyImport_FrozenBootstrap = bootstrap;",
            "const struct _frozen *_PyImport_FrozenStdlib = modules;",
            "const struct _frozen *_PyImport_FrozenTest = nothing;",
            "const struct _module_alias *_PyImport_FrozenAliases = aliases;",
            "const struct _frozen *PyImport_FrozenModules;",
            "",
            *(f"extern PyObject *{function}(void);" for function in initialisers.values()),
            "",
            "struct _inittab _PyImport_Inittab[] = {",
            *modules,
            "\t{0},",
            "};",
            "",
        ]
    )
