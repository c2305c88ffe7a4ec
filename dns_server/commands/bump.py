"""`unizone bump ZONE`: raise the serial in a zone's file; 0 done, 1 the zone is broken, 2 usage."""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from dns_server.parameters.zones import ZONES
from dns_server.settings import BadUsage, Settings
from zones import name as names
from zones import repository
from zones.bump import Bumped, NoSerial, bump
from zones.change import compare
from zones.findings import has_errors
from zones.folder import FolderTree
from zones.rdtypes import SOA
from zones.slices import run_to_end
from zones.zone import Zone
from zones.zonefile import parse

EXIT_DONE: Final = 0
EXIT_BROKEN: Final = 1

_EXAMPLES: Final = """\
  for example: unizone bump example.com
               unizone bump example.com --zones=/etc/zones
               unizone bump zones/example.com.zone"""


class _Broken(Exception):
    """The zone cannot be read, or its serial not be found; the text says all of it."""


def run(settings: Settings, operands: list[str]) -> int:
    """Rewrite the file and say so; the exit code."""
    (target,) = operands
    try:
        folder, path, origin = _find(target, settings[ZONES] or Path())
        file, bumped = _bump(folder, path, origin)
        _replace(folder / file, bumped.text)
    except (OSError, names.BadName) as error:
        raise BadUsage(f"{target}: {error}\n{_EXAMPLES}") from None
    except (_Broken, NoSerial) as error:
        print(error, file=sys.stderr)
        return EXIT_BROKEN
    print(f"{folder / file}: serial {bumped.before} -> {bumped.after}")
    return EXIT_DONE


def _find(target: str, folder: Path) -> tuple[Path, str, bytes]:
    """Folder, file and origin of the zone that `target` names, by its path or by its name."""
    path = Path(target)
    if path.is_file():
        origin = repository.zone_of(path.name)
        if origin is None:
            raise BadUsage(f"{target} is no zone by its name\n{_EXAMPLES}")
        return path.parent, path.name, origin
    origin = names.fold(names.from_text(target))
    found = [file.name for file in folder.iterdir() if file.is_file() and _is_zone(file.name, origin)]
    if len(found) != 1:
        what = f"is both {' and '.join(sorted(found))}" if found else "has no file"
        raise BadUsage(f"the zone {names.to_text(origin)} {what} in {folder.resolve()}\n{_EXAMPLES}")
    return folder, found[0], origin


def _is_zone(file: str, origin: bytes) -> bool:
    try:
        return repository.zone_of(file) == origin
    except names.BadName:
        return False


def _bump(folder: Path, path: str, origin: bytes) -> tuple[str, Bumped]:
    """The file with the SOA (an included one, perhaps), and its new content, which is read again to be sure."""
    tree = FolderTree(folder, {})
    zone = _read(tree, path, origin, {})
    place = zone.place(origin, SOA)
    bumped = bump(tree.read(place.file), place, int(time.strftime("%Y%m%d", time.gmtime())))
    after = _read(tree, path, origin, {place.file: bumped.text})
    if after.serial != bumped.after or not run_to_end(compare(zone, after)).same:
        raise _Broken(f"{place}: the serial is not where it was looked for; raise it by hand")
    return place.file, bumped


def _read(tree: FolderTree, path: str, origin: bytes, instead: dict[str, bytes]) -> Zone:
    """The zone, with the content of some files replaced."""

    def read(name: str) -> bytes:
        return instead[name] if name in instead else tree.read(name)

    parsed = run_to_end(parse(read(path), origin, path, read))
    if parsed.zone is None or has_errors(parsed.findings):
        raise _Broken("\n".join(map(str, parsed.findings)))
    if parsed.zone.soa is None:
        raise _Broken(f"{path}: {names.to_text(origin)} has no SOA")
    return parsed.zone


def _replace(file: Path, content: bytes) -> None:
    """Replace a file by one rename, so that who reads it meanwhile gets all of the old or all of the new one."""
    file = file.resolve()
    mode = file.stat().st_mode
    descriptor, temporary = tempfile.mkstemp(prefix=".", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as output:
            output.write(content)
        Path(temporary).chmod(mode)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
