"""Zones as signers write them are read as dnspython reads them, records in parentheses by the scanner too."""

import dns.name
import dns.zone
import pytest

from tests.support.debian import Unavailable
from tests.support.signing import SIGNERS
from tests.zones.zonefile.support import ORIGIN, read, zone_of
from zones.zone import Zone
from zones.zonefile import parser
from zones.zonefile.records import RecordReader

NAME = "example."
TEXT = """\
$TTL 3600
@ SOA ns h 1 7200 3600 1209600 3600
@ NS ns
@ MX 10 mail
ns A 192.0.2.1
mail AAAA 2001:db8::1
w.x TXT "a b" c
*.w CNAME ns
d NS ns.d
d DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
ns.d A 192.0.2.2
"""

Records = set[tuple[bytes, int, int, bytes]]


def ours(zone: Zone) -> Records:
    return {(rrset.owner, rrset.rdtype, len(rrset.rdatas), b) for rrset in zone.rrsets() for b in rrset.rdatas}


def theirs(text: str) -> Records:
    zone = dns.zone.from_text(text, dns.name.from_text(NAME), relativize=False, check_origin=False)
    sets: dict[tuple[bytes, int], list[bytes]] = {}
    for name, dataset in zone.iterate_rdatasets():
        wires = [rdata.to_wire() or b"" for rdata in dataset]
        sets.setdefault((name.canonicalize().to_wire() or b"", int(dataset.rdtype)), []).extend(wires)
    return {(owner, rdtype, len(rdatas), rdata) for (owner, rdtype), rdatas in sets.items() for rdata in rdatas}


@pytest.fixture(scope="module", params=SIGNERS)
def signed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("signed")
    source = folder / "example.zone"
    source.write_text(TEXT)
    try:
        return SIGNERS[request.param](source, NAME, folder).read_text()
    except Unavailable as unavailable:
        pytest.skip(str(unavailable))


def test_what_signers_write_is_read_as_dnspython_reads_it(signed: str) -> None:
    zone = zone_of(read(signed, origin=ORIGIN))
    assert ours(zone) == theirs(signed)
    assert any(rdtype == 46 for _, rdtype, _, _ in ours(zone))


def test_the_scanner_reads_all_of_what_signers_write(signed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if parser.SCANNER is None:
        pytest.skip("the scanner is not compiled")
    left: list[list[bytes]] = []

    def note(_self: RecordReader, fields: list[bytes], *_: object) -> None:
        left.append(fields)

    monkeypatch.setattr(RecordReader, "read", note)
    zone_of(read(signed, origin=ORIGIN))
    assert not left
