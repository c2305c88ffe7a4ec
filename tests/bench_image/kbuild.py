"""Which files of Linux's source a configuration compiles: its Makefiles, read as far as they are lists."""

import re
from collections.abc import Iterator, Mapping, Set
from typing import Final

# The last of the Makefile's own lists of folders for this processor, which are no `obj-y`.
_FOLDERS: Final = ("", "arch/x86/lib/", "arch/x86/pci/", "arch/x86/power/")
_LIST: Final = re.compile(r"^[ \t]*([\w-]+)-(?:(y|m|objs)|\$\(CONFIG_(\w+)\))[ \t]*[:+]?=[ \t]*(.*)$", re.MULTILINE)


def compiled(makefiles: Mapping[str, str], files: Set[str], configuration: str, modules: Set[str]) -> set[str]:
    """Those of `files` that are compiled into the kernel or into one of `modules`.

    Conditions (`ifdef`) are not evaluated, which counts a few files too many; generated files are not seen.
    """
    values = dict(re.findall(r"^CONFIG_(\w+)=([ym])$", configuration, re.MULTILINE))
    found: set[str] = set()
    waiting, seen = [*_FOLDERS], set()
    while waiting:
        folder = waiting.pop()
        if folder in seen:
            continue
        seen.add(folder)
        lists = _lists(makefiles.get(f"{folder}Kbuild") or makefiles.get(f"{folder}Makefile", ""), values)
        for name, is_built_in, item in lists:
            if name in {"obj", "lib"} and item.endswith("/"):
                waiting.append(folder + item)
            elif name in {"obj", "lib"} and (is_built_in or item.removesuffix(".o").replace("-", "_") in modules):
                found |= {path for path in _parts(folder, item, lists) if path in files}
    return found


def _lists(text: str, values: Mapping[str, str]) -> list[tuple[str, bool, str]]:
    """Name of the list, whether it is part of the kernel itself, and each item."""
    text = re.sub(r"#.*", "", text.replace("\\\n", " ")).replace("$(SRCARCH)", "x86").replace("$(BITS)", "64")
    found = []
    for name, kind, option, items in _LIST.findall(text):
        value = "y" if kind in {"y", "objs"} else kind or values.get(option, "")
        if value:
            found += [(name, value == "y", item) for item in items.split()]
    return found


def _parts(folder: str, item: str, lists: list[tuple[str, bool, str]]) -> Iterator[str]:
    """Sources of an object: of its own name, and those of the list that it may be put together from."""
    stem = item.removesuffix(".o")
    yield f"{folder}{stem}.c"
    yield f"{folder}{stem}.S"
    for name, _, part in lists:
        if name == stem and part != item:
            yield from _parts(folder, part, lists)
