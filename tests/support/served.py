"""Zones for tests: master file text to the model that the server answers from."""

from dns_server.answer.catalogue import Catalogue
from dns_server.answer.table import build
from zones.delta import Record
from zones.name import from_text
from zones.rdtypes import SOA
from zones.slices import run_to_end
from zones.zone import Zone
from zones.zonefile import parse


def _no_include(path: str) -> bytes:
    raise FileNotFoundError(path)


def zone_from_text(text: str, origin: str) -> Zone:
    """The zone in `text`; ValueError with the findings if it is refused."""
    parsed = run_to_end(parse(text.encode(), from_text(origin), f"{origin}zone", _no_include))
    if parsed.zone is None:
        raise ValueError("\n".join(map(str, parsed.findings)))
    return parsed.zone


def records_of(zone: Zone) -> set[Record]:
    """What it has but the SOA record, as it comes from its objects."""
    return {
        Record(owner, rdtype, ttl, rdata)
        for owner, rdtype, ttl, rdatas in zone.rrsets()
        for rdata in rdatas
        if rdtype != SOA
    }


def catalogue_of(*zones: Zone, revision: str = "") -> Catalogue:
    """A catalogue that serves `zones`."""
    return Catalogue({zone.origin: run_to_end(build(zone)) for zone in zones}, revision)
