"""`python -m tests.bench_image.lines`: lines of code in an image, and in Debian with NSD that does the same.

Counted are lines of the files that are compiled in: blank ones and comments too, headers on neither side. Of an image
they are known by its manifest; of Linux by Debian's configuration; of a library of Debian's by its folders.
"""

import argparse
import json
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dns_build import image, runtime, sources
from dns_build.targets import PLATFORM, TARGETS, Target
from tests.bench.harness.report import markdown
from tests.bench_image import kbuild
from tests.support import debian, nested

_COMPILED = (".c", ".s", ".S")
_ARCHIVES = {
    "CPython": "cpython",
    "musl": "musl",
    "zlib": "zlib",
    "ffi": "libffi",
    "crypto": "openssl",
    "ssl": "openssl",
}
"""Parts of a manifest that are archives, and whose source each is."""
_PACKAGES: Mapping[str, Callable[[str], bool]] = {
    "nsd": lambda path: path.count("/") == 0,
    "openssl": lambda path: path.startswith(("crypto/", "ssl/", "providers/")),
    "glibc": lambda path: "test" not in path and "/tst-" not in path and "sysdeps/" not in path,
    "libevent": lambda path: path.count("/") == 0,
    "busybox": lambda path: "/test" not in path,
}
"""Source packages of Debian's side, and which of their files are compiled in, by path: about, and rather too few."""


def of_image(path: Path, target: Target) -> Iterator[tuple[str, int | None]]:
    """Parts of an image with their lines."""
    manifest = json.loads(path.with_name(path.name + ".manifest.json").read_text())
    files = [file for folder in target.folders for file in (PLATFORM / folder).glob("*.[cS]")]
    yield "our shim (C)", sum(_lines(file.read_bytes()) for file in files)
    roots = {**image.Build(target).roots, "stdlib": runtime.locate().stdlib}
    python: dict[str, int] = defaultdict(int)
    for module in manifest["modules"]:
        file = _source(module, roots)
        if file is not None:
            python[_KINDS.get(module["root"], "our Python")] += _lines(file.read_bytes())
    yield from python.items()
    for name, source in _ARCHIVES.items():
        part = next((part for part in manifest["parts"]["parts"] if part["name"] == name), None)
        if part is not None:
            stems = {member["name"] for member in part["parts"]}
            with tempfile.TemporaryDirectory() as folder:
                tree = sources.load()[source].unpack(Path(folder) / "tree")
                yield f"{name} (C)", _of_members(tree, stems)


_KINDS = {"packages": "Python packages", "stdlib": "Python's library (Python)"}


def _source(module: Mapping[str, Any], roots: Mapping[str, Path]) -> Path | None:
    if module["root"] not in roots:
        return None
    base = roots[module["root"]].joinpath(*module["name"].split("."))
    return next((file for file in (base / "__init__.py", base.with_name(f"{base.name}.py")) if file.is_file()), None)


def _of_members(tree: Path, stems: set[str]) -> int:
    """Lines of the sources of an archive's members; of two with one name, that of the processor is compiled."""
    chosen: dict[str, Path] = {}
    for file in sorted(tree.rglob("*")):
        if file.suffix in _COMPILED and file.stem in stems:
            before = chosen.get(file.stem)
            if before is None or ("x86_64" in file.parts and "x86_64" not in before.parts):
                chosen[file.stem] = file
    return sum(_lines(file.read_bytes()) for file in chosen.values())


def of_debian(package: str = nested.KERNEL) -> Iterator[tuple[str, int | None]]:
    """Linux as Debian configures it, and the programs and libraries of NSD; None for what the mirror does not have.

    debian.Unavailable.
    """
    (archive,) = (debian.programs("linux-source-6.1").root / "usr" / "src").glob("*.tar.xz")
    makefiles: dict[str, str] = {}
    lines: dict[str, int] = {}
    for path, content in _contents(archive, lambda path: not path.startswith("arch/") or path.startswith("arch/x86/")):
        if path.endswith(_COMPILED):
            lines[path] = _lines(content)
        elif path.endswith(("Makefile", "Kbuild")):
            makefiles[path] = content.decode()
    (configuration,) = (nested.kernel(package).root / "boot").glob("config-*")
    names = {Path(name).stem.partition("-")[2] for name in nested.modules("virtio_pci", "virtio_net", package=package)}
    found = kbuild.compiled(makefiles, lines.keys(), configuration.read_text(), names)
    yield f"Linux, {package}", sum(lines[path] for path in found)
    for name, is_wanted in _PACKAGES.items():
        try:
            tarball = debian.source(name)
        except debian.Unavailable as error:
            print(f"{name}: {error}", file=sys.stderr)
            yield f"{name} (C)", None
            continue
        contents = _contents(tarball, is_wanted)
        yield f"{tarball.name} (C)", sum(_lines(content) for path, content in contents if path.endswith(_COMPILED))


def _contents(archive: Path, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Files of a source archive, by path below its one folder."""
    with tarfile.open(archive, "r|*") as opened:
        for member in opened:
            path = member.name.removeprefix("./").partition("/")[2]
            if member.isfile() and path.endswith((*_COMPILED, "Makefile", "Kbuild")) and is_wanted(path):
                file = opened.extractfile(member)
                assert file is not None
                yield path, file.read()


def _lines(content: bytes) -> int:
    return content.count(b"\n")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_image.lines", description=__doc__)
    parser.add_argument("--target", choices=sorted(TARGETS), default="virtio", help="kind of image (default: virtio)")
    target = TARGETS[parser.parse_args().target]
    path = image.Build(target).path
    if not path.is_file():
        parser.error(f"there is no image at {path}: unizone build --target {target.name}")
    for title, parts in ((path.name, of_image(path, target)), ("Debian with NSD", of_debian())):
        counted = list(parts)
        rows = [(name, "not to be had" if lines is None else f"{lines:,}", "") for name, lines in counted]
        total = sum(lines or 0 for _, lines in counted)
        print(markdown((title, "measured", ""), [*rows, ("all of these", f"{total:,}", "")]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
