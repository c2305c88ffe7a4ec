"""Rdata of every type against dnspython, and back to text."""

import dns.exception
import dns.name
import dns.rdata
import pytest

from tests.zones.zonefile.corpus import RIGHT, WRONG
from tests.zones.zonefile.support import HEAD, ORIGIN, read, zone_of
from zones import name as names
from zones import rdtypes
from zones.zonefile import fallback
from zones.zonefile.rdata import READERS
from zones.zonefile.writer import rdata_text

PAIRS = [(mnemonic, text) for mnemonic, texts in RIGHT.items() for text in texts]
BROKEN = [(mnemonic, text) for mnemonic, texts in WRONG.items() for text in texts]
# What dnspython does not know (it keeps the rdata as octets) or reads only in another way.
UNKNOWN_TO_DNSPYTHON = {"MB", "MG", "MR", "MINFO", "KEY"}


def wire(mnemonic: str, text: str) -> bytes:
    owner = names.from_text("x", ORIGIN)
    zone = zone_of(read(f"{HEAD}x {mnemonic} {text}\n"))
    rrset = zone.rrset(owner, rdtypes.from_text(mnemonic) or 0)
    assert rrset is not None
    (rdata,) = rrset.rdatas
    return rdata


@pytest.mark.parametrize(("mnemonic", "text"), PAIRS)
def test_wire_is_that_of_dnspython(mnemonic: str, text: str) -> None:
    ours = wire(mnemonic, text)
    if mnemonic in UNKNOWN_TO_DNSPYTHON:
        pytest.skip("dnspython does not read this type")
    origin = dns.name.from_text("example.")
    theirs = dns.rdata.from_text("IN", mnemonic, text.replace("( ", "").replace(" )", ""), origin, relativize=False)
    assert ours == theirs.to_wire()


@pytest.mark.parametrize(("mnemonic", "text"), PAIRS)
def test_text_of_wire_reads_as_the_same_wire(mnemonic: str, text: str) -> None:
    first = wire(mnemonic, text)
    written = rdata_text(rdtypes.from_text(mnemonic) or 0, first)
    assert wire(mnemonic, written) == first


@pytest.mark.parametrize("mnemonic", ["SVCB", "HTTPS"])
def test_parameters_in_alias_mode_are_kept(mnemonic: str) -> None:
    """RFC 9460 2.4.2: clients ignore them; NSD, Knot and BIND serve them."""
    alias = wire(mnemonic, "0 svc.example.net. alpn=h2 port=53")
    assert alias == b"\0\0" + wire(mnemonic, "1 svc.example.net. alpn=h2 port=53")[2:]
    assert wire(mnemonic, f"\\# {len(alias)} {alias.hex()}") == alias
    assert wire(mnemonic, rdata_text(rdtypes.NUMBERS[mnemonic], alias)) == alias


@pytest.mark.parametrize(("mnemonic", "text"), BROKEN)
def test_wrong_rdata_is_one_error(mnemonic: str, text: str) -> None:
    parsed = read(f"{HEAD}x {mnemonic} {text}\n")
    assert parsed.zone is None
    (found,) = parsed.findings
    assert (found.place.line, found.check) == (4, "syntax")
    assert found.place.column >= 3 + len(mnemonic)
    assert found.message.isprintable()


def test_types_that_people_use_need_no_dnspython() -> None:
    common = "A AAAA NS CNAME DNAME PTR MX SOA TXT SPF SRV CAA TLSA SSHFP DS DNSKEY RRSIG NSEC NSEC3 NSEC3PARAM NAPTR"
    assert {rdtypes.NUMBERS[mnemonic] for mnemonic in common.split()} <= set(READERS)


@pytest.mark.parametrize("mnemonic", ["SVCB", "HTTPS"])
@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("1 .", True),
        ("0 svc.example.net.", True),
        ("16 svc alpn=h3,h2 port=8443", True),
        ("1 . ipv6hint=2001:db8::1,2001:db8::2 port=53 ipv4hint=192.0.2.1,192.0.2.2 alpn=dot", True),
        ("1 . alpn=h2 no-default-alpn", False),
        ('1 . alpn="h2,h3"', False),
        ("1 . mandatory=alpn alpn=h2", False),
        ("1 . key667=hello", False),
    ],
)
def test_plain_service_bindings_are_what_dnspython_reads(
    mnemonic: str, text: str, is_plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rdtype = rdtypes.NUMBERS[mnemonic]
    fields = [field.encode() for field in text.split()]
    calls: list[int] = []

    def read_rdata(rdtype: int, fields: list[bytes], first: int, origin: bytes) -> bytes:
        calls.append(rdtype)
        return by_dnspython(rdtype, fields, first, origin)

    by_dnspython = fallback.read_rdata
    expected = by_dnspython(rdtype, fields, 0, ORIGIN)
    monkeypatch.setattr(fallback, "read_rdata", read_rdata)
    assert READERS[rdtype](fields, 0, ORIGIN) == expected
    assert bool(calls) != is_plain
