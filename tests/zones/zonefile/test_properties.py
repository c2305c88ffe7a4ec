"""Rules that hold for any rdata."""

import dns.name
import dns.rdata
from hypothesis import given
from hypothesis import strategies as st

from tests.zones.zonefile.support import HEAD, ORIGIN, read, zone_of
from zones import name as names
from zones import rdtypes
from zones.checks.rdata import bitmap
from zones.zonefile import fields as texts
from zones.zonefile.writer import rdata_text

OWNER = names.from_text("x", ORIGIN)
NAMES = st.lists(st.binary(min_size=1, max_size=20), max_size=5).map(
    lambda labels: b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
)
STRINGS = st.binary(max_size=255).map(lambda text: bytes([len(text)]) + text)
U16 = st.integers(0, 0xFFFF).map(lambda number: number.to_bytes(2, "big"))
U32 = st.integers(0, 0xFFFFFFFF).map(lambda number: number.to_bytes(4, "big"))
TYPES = st.lists(st.integers(1, 0xFFFF), max_size=8)
BITMAPS = TYPES.map(bitmap)


def joined(*parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.tuples(*parts).map(b"".join)


def of(mnemonics: str, wire: st.SearchStrategy[bytes]) -> list[st.SearchStrategy[tuple[int, bytes]]]:
    return [st.tuples(st.just(rdtypes.NUMBERS[mnemonic]), wire) for mnemonic in mnemonics.split()]


RDATA = st.one_of(
    *of("A", st.binary(min_size=4, max_size=4)),
    *of("AAAA", st.binary(min_size=16, max_size=16)),
    *of("NS CNAME PTR DNAME", NAMES),
    *of("MX AFSDB KX RT LP", joined(U16, NAMES)),
    *of("RP", joined(NAMES, NAMES)),
    *of("SRV", joined(U16, U16, U16, NAMES)),
    *of("SOA", joined(NAMES, NAMES, U32, U32, U32, U32, U32)),
    *of("TXT SPF RESINFO WALLET", st.lists(STRINGS, min_size=1, max_size=5).map(b"".join)),
    *of("HINFO", joined(STRINGS, STRINGS)),
    *of("NAPTR", joined(U16, U16, STRINGS, STRINGS, STRINGS, NAMES)),
    *of("CAA", joined(st.just(b"\0\5issue"), st.binary(max_size=50))),
    *of("URI", joined(U16, U16, st.binary(min_size=1, max_size=50))),
    *of("DS CDS", joined(U16, st.just(b"\x0d\2"), st.binary(min_size=32, max_size=32))),
    *of("DNSKEY CDNSKEY", joined(U16, st.just(b"\3\x0d"), st.binary(min_size=1, max_size=80))),
    *of("RRSIG", joined(U16, st.just(b"\x0d\2"), U32, U32, U32, U16, NAMES, st.binary(min_size=1, max_size=80))),
    *of("NSEC", joined(NAMES, BITMAPS)),
    *of("NSEC3PARAM", joined(st.just(b"\1\0"), U16, STRINGS)),
    *of(
        "NSEC3",
        joined(st.just(b"\1\1"), U16, STRINGS, st.binary(min_size=20, max_size=20).map(b"\x14".__add__), BITMAPS),
    ),
    *of("SSHFP", joined(st.just(b"\4\2"), st.binary(min_size=32, max_size=32))),
    *of("TLSA SMIMEA", joined(st.just(b"\3\1\1"), st.binary(min_size=32, max_size=32))),
    *of("OPENPGPKEY DHCID", st.binary(min_size=1, max_size=80)),
    *of("EUI48", st.binary(min_size=6, max_size=6)),
    *of("NID L64", st.binary(min_size=10, max_size=10)),
    *of("L32", st.binary(min_size=6, max_size=6)),
)


@given(RDATA)
def test_what_is_written_reads_as_the_same_wire(record: tuple[int, bytes]) -> None:
    rdtype, rdata = record
    text = rdata_text(rdtype, rdata)
    for form in (text, f"\\# {len(rdata)} {rdata.hex()}"):
        rrset = zone_of(read(f"{HEAD}x {rdtypes.to_text(rdtype)} {form}\n")).rrset(OWNER, rdtype)
        assert rrset is not None
        assert rrset.rdatas == (rdata,)


@given(TYPES)
def test_bitmaps_are_those_of_dnspython(types: list[int]) -> None:
    text = f"next {' '.join(rdtypes.to_text(rdtype) for rdtype in types)}"
    rrset = zone_of(read(f"{HEAD}x NSEC {text}\n")).rrset(OWNER, rdtypes.NSEC)
    assert rrset is not None
    theirs = dns.rdata.from_text("IN", "NSEC", text, dns.name.from_text("example."), relativize=False)
    assert rrset.rdatas == (theirs.to_wire(),)


@given(st.integers(0, 0xFFFF), st.binary(max_size=40))
def test_any_octets_of_any_type_have_a_text(rdtype: int, rdata: bytes) -> None:
    assert rdata_text(rdtype, rdata).isprintable()


@given(st.lists(st.tuples(st.integers(0, 5000), st.sampled_from("wdhmsWDHMS")), min_size=1, max_size=3))
def test_times_with_units_add_up(parts: list[tuple[int, str]]) -> None:
    order = "wdhms"
    units = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
    ranks = [order.index(unit.lower()) for _, unit in parts]
    text = "".join(f"{number}{unit}" for number, unit in parts).encode()
    seconds = sum(number * units[unit.lower()] for number, unit in parts)
    expected = seconds if ranks == sorted(set(ranks)) and seconds <= 0xFFFFFFFF else None
    assert texts.ttl(text) == expected
