"""The zone in memory against a dictionary of dictionaries."""

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones import name as names
from zones import rdtypes
from zones import zone as zones
from zones.arena import SLICE
from zones.findings import Place
from zones.rrset import RRset
from zones.slices import run_to_end

ORIGIN = names.from_text("example.")
SOA = names.from_text("ns.example.") * 2 + bytes(20)

LABELS = st.sampled_from([b"a", b"B", b"b", b"*", b"\0", b"\1", b"a\0", b"ab", b"-", b"x" * 63])
OWNERS = st.lists(LABELS, max_size=3).map(lambda labels: b"".join(bytes([len(x)]) + x for x in labels) + ORIGIN)
RDATA = st.one_of(
    st.tuples(st.sampled_from([1, 16, 65280]), st.binary(max_size=2)),
    st.tuples(st.just(rdtypes.RRSIG), st.binary(max_size=2).map(lambda signature: bytes(19) + signature)),
)
RECORDS = st.lists(
    st.tuples(OWNERS, RDATA, st.integers(0, 3)).map(lambda parts: (parts[0], parts[1][0], parts[2], parts[1][1])),
    max_size=40,
)
Record = tuple[bytes, int, int, bytes]


def build(records: list[Record]) -> tuple[zones.Zone, zones.ZoneBuilder]:
    builder = zones.ZoneBuilder(ORIGIN, "example")
    for line, (owner, rdtype, ttl, rdata) in enumerate(records, 1):
        builder.add(owner, rdtype, ttl, rdata, Place("example", line, 7))
    return run_to_end(builder.build()), builder


@given(RECORDS)
def test_holds_what_was_added(records: list[Record]) -> None:
    zone, _ = build(records)
    expected: dict[bytes, dict[int, dict[bytes, int]]] = {}
    ttls: dict[tuple[bytes, int], int] = {}
    for line, (owner, rdtype, ttl, rdata) in enumerate(records, 1):
        key = (names.fold(owner), rdtype)
        expected.setdefault(key[0], {}).setdefault(rdtype, {}).setdefault(rdata, line)
        ttls[key] = min(ttls.get(key, ttl), ttl)
    assert list(zone.names()) == sorted(expected, key=lambda owner: dns.name.from_wire(owner, 0)[0])
    assert zone.record_count == sum(len(rdatas) for node in expected.values() for rdatas in node.values())
    for owner, node in expected.items():
        assert owner in zone
        sets = {rdtype: RRset(owner, rdtype, ttls[owner, rdtype], tuple(node[rdtype])) for rdtype in node}
        assert zone.node(owner) == sets
        for rdtype, rdatas in node.items():
            assert zone.rrset(owner, rdtype) == sets[rdtype]
            for index, line in enumerate(rdatas.values()):
                assert zone.place(owner, rdtype, index) == Place("example", line, 7)
    assert dict(zone.nodes()) == {owner: zone.node(owner) for owner in expected}
    assert list(zone.rrsets()) == [rrset for owner in zone.names() for rrset in zone.node(owner).values()]


@given(RECORDS, OWNERS)
def test_has_below_finds_names_and_empty_non_terminals(records: list[Record], owner: bytes) -> None:
    zone, _ = build(records)
    owner = names.fold(owner)
    below = [name for name in zone.names() if name != owner and names.is_at_or_below(name, owner)]
    assert zone.has_below(owner) == bool(below)


@given(RECORDS)
def test_conflicts_are_the_records_whose_ttl_differs_from_the_first(records: list[Record]) -> None:
    _, builder = build(records)
    first: dict[tuple[bytes, int], int] = {}
    expected = set()
    for line, (owner, rdtype, ttl, _) in enumerate(records, 1):
        key = (names.fold(owner), rdtype)
        if first.setdefault(key, ttl) != ttl and rdtype != rdtypes.RRSIG:
            expected.add((*key, Place("example", line, 7)))
    assert set(builder.ttl_conflicts) <= expected
    assert len(builder.ttl_conflicts) == min(20, len(expected))


def test_names_by_the_thousand_are_sorted_in_buckets() -> None:
    owners = [names.from_text(f"h{(number * 7919) % 20011}.{number % 13}", ORIGIN) for number in range(20011)]
    zone, _ = build([(owner, 1, 1, b"\1\2\3\4") for owner in owners])
    assert list(zone.names()) == sorted(owners, key=names.canonical_key)
    assert all(zone.rrset(owner, 1) is not None for owner in owners)


@pytest.mark.parametrize("is_grouped", [True, False])
def test_runs_of_owners_with_one_record_are_as_others(is_grouped: bool) -> None:
    owners = [b"\6%06d" % number + ORIGIN for number in range(3 * SLICE)]
    single = [(owner, 1 + number % 2, number, b"%d" % number) for number, owner in enumerate(owners)]
    several = [(owner, 16, 5, b"") for owner in (owners[40], owners[41], owners[60], owners[-1])]
    records = sorted([*single, *several], key=lambda record: record[0]) if is_grouped else [*single, *several]
    zone, _ = build(records)
    assert zone.record_count == len(records)
    for line, (owner, rdtype, ttl, rdata) in enumerate(records, 1):
        assert zone.rrset(owner, rdtype) == RRset(owner, rdtype, ttl, (rdata,))
        assert zone.place(owner, rdtype) == Place("example", line, 7)
    found = [(rrset.owner, rrset.rdtype, rrset.ttl, *rrset.rdatas) for rrset in zone.rrsets()]
    assert found == sorted(records, key=lambda record: record[0])


def test_what_is_not_there() -> None:
    zone, _ = build([(ORIGIN, 1, 5, b"\1\2\3\4")])
    other = names.from_text("other.")
    assert other not in zone
    assert zone.node(other) == {}
    assert zone.rrset(other, 1) is None
    assert zone.rrset(ORIGIN, 2) is None
    assert zone.place(other, 1) == Place("example")
    assert zone.place(ORIGIN, 1, 1) == Place("example")
    assert zone.soa is None
    with pytest.raises(LookupError):
        _ = zone.serial
    with pytest.raises(LookupError):
        zone.with_serial(1)


def test_another_serial_changes_nothing_else() -> None:
    zone, _ = build([(ORIGIN, 6, 5, SOA), (ORIGIN, 1, 5, b"\1\2\3\4")])
    other = zone.with_serial(0x01020304)
    assert (zone.serial, other.serial) == (0, 0x01020304)
    assert other.rrset(ORIGIN, 6) == RRset(ORIGIN, 6, 5, (SOA[:-20] + b"\1\2\3\4" + SOA[-16:],))
    assert other.node(ORIGIN)[1] == zone.node(ORIGIN)[1]
    assert other.with_serial(7).serial == 7


def test_names_that_differ_in_letter_case_make_one_record() -> None:
    lower, upper = names.from_text("www.example."), names.from_text("WWW.example.")
    zone, _ = build([(ORIGIN, 5, 5, lower), (ORIGIN, 5, 5, upper), (ORIGIN, 15, 5, b"\0A" + upper)])
    assert zone.node(ORIGIN)[5].rdatas == (lower,)
    zone, _ = build([(ORIGIN, 15, 5, b"\0A" + upper), (ORIGIN, 15, 5, b"\0a" + lower), (ORIGIN, 15, 5, b"\0A" + lower)])
    assert zone.node(ORIGIN)[15].rdatas == (b"\0A" + upper, b"\0a" + lower)


def test_places_name_their_file() -> None:
    builder = zones.ZoneBuilder(ORIGIN, "example")
    builder.add(ORIGIN, 1, 1, b"\1\2\3\4", Place("part", 1 << 27, 3))
    builder.add(ORIGIN, 2, 1, ORIGIN, Place("example", 2, 1 << 30))
    zone = run_to_end(builder.build())
    assert zone.place(ORIGIN, 1) == Place("part", 1 << 27, 3)
    assert zone.place(ORIGIN, 2) == Place("example", 2, (1 << 20) - 1)
