"""Where the bytes of an image come from: the linker's map, divided into a tree of parts with their sizes."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Output sections that take room in the file.
_IN_FILE = re.compile(
    r"^\.(text|init|fini|rodata|data|eh_frame|init_array|fini_array|tdata|got|PyRuntime|gcc_except|symbols|note)"
)
# ` .text.name  0x0000000000401000  0x20 /path/libc.a(memcpy.o)`; the name may stand on a line of its own.
_INPUT = re.compile(r"^ (\S+)?\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S.*)$")
_OUTPUT = re.compile(r"^(\.\S+|/DISCARD/)")


@dataclass
class Part:
    """A part with its size in octets and what it consists of."""

    name: str
    size: int = 0
    parts: dict[str, "Part"] = field(default_factory=dict)

    def add(self, path: tuple[str, ...], size: int) -> None:
        """Count `size` octets for the part at `path` below this one."""
        self.size += size
        if path:
            self.parts.setdefault(path[0], Part(path[0])).add(path[1:], size)

    def lines(self, *, smallest: int = 8192, indent: str = "") -> Iterator[str]:
        """The tree as text; parts below `smallest` octets are summed up in one line."""
        yield f"{self.size:>10,}  {indent}{self.name}"
        ordered = sorted(self.parts.values(), key=lambda part: (-part.size, part.name))
        for part in ordered:
            if part.size >= smallest:
                yield from part.lines(smallest=smallest, indent=indent + "  ")
        small = [part.size for part in ordered if part.size < smallest]
        if small:
            yield f"{sum(small):>10,}  {indent}  {len(small)} smaller ones"


def measure(image: Path, map_file: Path, report: Mapping[str, Any]) -> Part:
    """The tree of a linked image. What the map doesn't explain (headers, alignment) is a part as well."""
    root = Part(image.name)
    total = image.stat().st_size
    for origin, size in _inputs(map_file):
        if not origin.endswith("frozen.o"):
            root.add(_place(origin), size)
    packages: dict[tuple[str, str], int] = defaultdict(int)
    for module in report["modules"]:
        packages[module["root"], module["name"].partition(".")[0]] += module.get("size", 0)
    for (folder, package), size in packages.items():
        if size:
            root.add(("frozen modules", folder, package), size)
    root.add(("headers and alignment",), total - root.size)
    return root


def _inputs(map_file: Path) -> Iterator[tuple[str, int]]:
    """Object files with the sizes of their sections that take room in the file."""
    inside = started = False
    for line in map_file.read_text().splitlines():
        if line.startswith("Linker script and memory map"):
            started = True
        elif not started:
            continue
        elif _OUTPUT.match(line):
            inside = bool(_IN_FILE.match(line))
        elif inside and (match := _INPUT.match(line)):
            yield match[3], int(match[2], 16)


def _place(origin: str) -> tuple[str, ...]:
    """Where an object file of the map belongs in the tree."""
    if match := re.search(r"/([^/]+)-[0-9a-f]+/module\.o$", origin):
        return ("compiled modules", match[1])
    match = re.match(r"(?:.*/)?([^/()]+?)(?:\(([^)]*)\))?$", origin)
    if match is None:
        return ("other", origin)
    archive, member = match.groups()
    if member is None:
        stem = archive.removesuffix(".o")
        return ("shim", stem) if "-" in stem else ("start files and tables", stem)
    name = archive.removeprefix("lib").removesuffix(".a")
    if name.startswith("python"):
        return ("CPython", member.removesuffix(".o"))
    return ({"c": "musl", "Hacl_Hash_SHA2": "CPython", "z": "zlib"}.get(name, name), member.removesuffix(".o"))
