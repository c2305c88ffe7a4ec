"""Names of functions, linked into images that print their own backtraces."""

import subprocess
from pathlib import Path


def source(whole: Path | None) -> str:
    """C source of the table for a linked image; an empty table for the first link, which finds the addresses.

    The table comes after the code in the image's layout, so its size moves no function.
    """
    found: dict[int, str] = {}
    if whole is not None:
        listing = subprocess.run(
            ["nm", "--defined-only", str(whole)], capture_output=True, text=True, check=True
        ).stdout
        for line in listing.splitlines():
            address, kind, name = line.split(maxsplit=2)
            if kind in "tT" and not name.startswith("."):
                # Of several names for one address the shortest says it best; of equals, the first of the alphabet.
                number = int(address, 16)
                found[number] = min(found.get(number, name), name, key=lambda text: (len(text), text))
    names, entries, offset = [], [], 0
    for place, name in sorted(found.items()):
        entries.append(f"\t{{{place:#x}, {offset}}},")
        names.append(f'\t"{name}\\0"')
        offset += len(name) + 1
    section = '__attribute__((section(".symbols"), used))'
    return "\n".join(
        [
            "#include <stdint.h>",
            f"const struct {{ uint32_t address, name; }} symbols[] {section} = {{",
            *entries,
            "\t{0, 0},",
            "};",
            f"const uint32_t symbol_count {section} = {len(entries)};",
            f"const char symbol_names[] {section} =",
            *names,
            '\t"";',
            "",
        ]
    )
