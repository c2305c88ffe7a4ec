"""How the tests of the dialect read a zone."""

from collections.abc import Mapping

from zones import name as names
from zones.slices import run_to_end
from zones.zone import Zone
from zones.zonefile import Parsed, parse
from zones.zonefile.writer import record_lines

ORIGIN = names.from_text("example.")
HEAD = "$TTL 3600\n@ SOA ns h 1 2 3 4 5\n@ NS ns\n"


def read(text: str | bytes, files: Mapping[str, bytes] | None = None, origin: bytes = ORIGIN) -> Parsed:
    """What comes of `text` beside `files`."""
    known = files or {}

    def include(path: str) -> bytes:
        if path not in known:
            raise FileNotFoundError(path)
        return known[path]

    data = text.encode() if isinstance(text, str) else text
    return run_to_end(parse(data, origin, "example", include))


def zone_of(parsed: Parsed) -> Zone:
    """The zone; fails when there is none."""
    assert parsed.zone is not None, "\n".join(map(str, parsed.findings))
    return parsed.zone


def records(text: str | bytes, files: Mapping[str, bytes] | None = None) -> list[str]:
    """Lines of the records of a zone with `text` behind its SOA and NS, without those two."""
    data = text.encode() if isinstance(text, str) else text
    zone = zone_of(read(HEAD.encode() + data, files))
    skip = {(ORIGIN, 6), (ORIGIN, 2)}
    return [line for rrset in zone.rrsets() if (rrset.owner, rrset.rdtype) not in skip for line in record_lines(rrset)]


def errors(text: str | bytes, files: Mapping[str, bytes] | None = None) -> list[str]:
    """The errors of a zone with `text` behind its SOA and NS; lines count from the first of `text`."""
    data = text.encode() if isinstance(text, str) else text
    parsed = read(HEAD.encode() + data, files)
    assert parsed.zone is None
    shift = HEAD.count("\n")
    return [
        f"{found.place.line - (shift if found.place.file == 'example' else 0)}:{found.place.column} {found.message}"
        for found in parsed.findings
    ]
