"""Layout of a zone repository: which of its files are zones, which are keys, which are left alone.

The written rule is docs/repository.md; this is all of it in code. Nothing here reads a file.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from zones import name as names
from zones.findings import Finding, Place, Severity
from zones.slices import Sliced
from zones.tree import Entry

ZONE_SUFFIX: Final = ".zone"
ROOT_FILE: Final = "root.zone"
KEYS: Final = "_keys"
_KEYS_SUFFIX: Final = f".{KEYS}"
POLICY: Final = "_policy.toml"

# Left alone, whatever the letter case, alone or before a suffix of documents: what people put beside their data.
_DOCUMENTS: Final = re.compile(
    "authors|changelog|changes|code_of_conduct|codeowners|contributing|copying|copyright|credits|dockerfile|history|"
    "install|jenkinsfile|justfile|licen[cs]e|maintainers|makefile|news|notice|owners|readme|releases?|release-notes|"
    "security|support|thanks|todo|vagrantfile|version",
    re.IGNORECASE,
)
_DOCUMENT_SUFFIXES: Final = re.compile(r"([a-z]{2}\.)?md|in|py|sh", re.IGNORECASE)
# Left alone by the suffix, whatever stands before it. Country codes (.md, .sh, .pl) are none: example.md is a zone.
_SUFFIXES: Final = re.compile(
    "asc|bak|bat|cfg|conf|config|css|csv|diff|gpg|html?|inc|include|ini|j2|js|json|key|lock|log|old|orig|patch|pem|"
    "private|rej|rst|sample|sig|sql|sw[op]|tar|tgz|te?mp|tmpl|toml|tsv|txt|xml|ya?ml",
    re.IGNORECASE,
)
_ESCAPE: Final = re.compile("%([0-9A-Fa-f]{2})")
_TO_UNESCAPE: Final = re.compile(r"[%\\@]")


@dataclass(slots=True)
class Layout:
    """The files of one version by what they are."""

    zones: dict[bytes, Entry] = field(default_factory=dict)
    """By folded wire origin."""
    ambiguous: dict[bytes, tuple[Entry, ...]] = field(default_factory=dict)
    """Zones that several files claim, by folded wire origin; none of these is in `zones`."""
    keys: dict[str, tuple[bytes, Entry]] = field(default_factory=dict)
    """Key files by path, with the zone that they are for."""
    policy: Entry | None = None
    """The file that says who may do what."""
    blobs: dict[str, str] = field(default_factory=dict)
    """Blob of every file by path, those in folders too."""
    findings: list[Finding] = field(default_factory=list)
    """Names that say they are zones and cannot be."""


@lru_cache(maxsize=1 << 18)  # one that is smaller than the number of zones forgets each before it is asked for again
def zone_of(file: str) -> bytes | None:
    """Folded wire origin of the zone in a file at the top, None for one that is left alone.

    BadName for a file that is called a zone (`.zone`) but has no name of one before that.
    """
    if file == ROOT_FILE:
        return names.ROOT
    explicit = file.endswith(ZONE_SUFFIX) and not file.startswith(".")
    text = file.removesuffix(ZONE_SUFFIX)
    if not explicit and _is_left_alone(file):
        return None
    try:
        return names.fold(names.from_text(_unescape(text)))
    except names.BadName:
        if explicit:
            raise
        return None


def keys_of(file: str) -> bytes | None:
    """Folded wire name of the zone whose keys a file at the top holds; None where it is no key file."""
    if file == KEYS:
        return names.ROOT
    if not file.endswith(_KEYS_SUFFIX):
        return None
    return zone_of(f"{file.removesuffix(_KEYS_SUFFIX).removesuffix(ZONE_SUFFIX)}{ZONE_SUFFIX}")


def file_of(origin: bytes) -> str:
    """The file name that a zone gets when it is new: the inverse of `zone_of`, always with `.zone`."""
    if origin == names.ROOT:
        return ROOT_FILE
    text = names.to_text(origin).removesuffix(".")
    return re.sub(r"\\([0-9]{3}|.)|[/%]", _escape, text) + ZONE_SUFFIX


def layout(entries: Iterable[Entry]) -> Sliced[Layout]:
    """Sort the files of one version."""
    result = Layout()
    claims: dict[bytes, list[Entry]] = {}
    for number, entry in enumerate(entries):
        if number % 64 == 0:
            yield
        path = entry.path
        result.blobs[path] = entry.blob
        if "/" in path:
            continue
        if path == POLICY:
            result.policy = entry
            continue
        try:
            scope = keys_of(path)
            if scope is not None:
                result.keys[path] = scope, entry
                continue
            origin = zone_of(path)
        except names.BadName as bad:
            result.findings.append(_bad_file(path, str(bad)))
            continue
        if origin is not None:
            claims.setdefault(origin, []).append(entry)
    for number, (origin, claimants) in enumerate(claims.items()):
        if number % 256 == 0:
            yield
        if len(claimants) == 1:
            result.zones[origin] = claimants[0]
        else:
            result.ambiguous[origin] = tuple(sorted(claimants))
    return result


def ambiguity(origin: bytes, claimants: tuple[Entry, ...]) -> Finding:
    """The finding for a zone that several files claim."""
    files = " and ".join(entry.path for entry in claimants)
    return Finding(
        Place(claimants[0].path),
        "ambiguous-zone-file",
        Severity.ERROR,
        f"{files} are both the zone {names.to_text(origin)}",
        "remove all but one",
    )


def _bad_file(path: str, reason: str) -> Finding:
    printable = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return Finding(
        Place(printable),
        "zone-file-name",
        Severity.ERROR,
        f"the name of the file is no domain name: {reason}",
        "write octets that a file name cannot have as %2F and the like, or drop .zone if it is no zone",
    )


def _is_left_alone(file: str) -> bool:
    stem, dot, rest = file.partition(".")
    if not stem or file.endswith("~") or file[0] == "#":
        return True
    if _DOCUMENTS.fullmatch(stem) and (not dot or _DOCUMENT_SUFFIXES.fullmatch(rest)):
        return True
    if not dot:
        return file != file.lower()
    return _SUFFIXES.fullmatch(rest.rpartition(".")[2]) is not None


def _unescape(text: str) -> str:
    r"""Presentation format of a file name in which `%2F` is the octet 47; `\\` and `@` stand for themselves."""
    if not _TO_UNESCAPE.search(text):
        return text
    return _ESCAPE.sub(lambda match: f"\\{int(match[1], 16):03d}", re.sub(r"[\\@]", r"\\\g<0>", text))


def _escape(match: re.Match[str]) -> str:
    escaped = match[1]
    if escaped is None:
        octet = ord(match[0])
    elif escaped.isdigit():
        octet = int(escaped)
    else:
        octet = ord(escaped)
    return f"%{octet:02X}"
