"""The difference of two versions leads from one to the other, and says nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from zones import name as names
from zones.diff import ZoneDiff, diff
from zones.findings import Place
from zones.slices import run_to_end
from zones.zone import Zone, ZoneBuilder

ORIGIN = names.from_text("example.com.")
Records = dict[tuple[bytes, int], tuple[int, frozenset[bytes]]]

owners = st.sampled_from([names.from_text(text, ORIGIN) for text in ("@", "a", "b", "c.b", "*")])
types = st.sampled_from([1, 16, 46, 47])
rrsets = st.tuples(st.sampled_from([60, 300]), st.frozensets(st.binary(min_size=1, max_size=2), min_size=1, max_size=4))
versions = st.dictionaries(st.tuples(owners, types), rrsets, max_size=8)


def build(records: Records, serial: int = 1, refresh: int = 7200) -> Zone:
    builder = ZoneBuilder(ORIGIN, "example.com")
    fields = b"".join(number.to_bytes(4, "big") for number in (serial, refresh, 900, 1209600, 300))
    builder.add(ORIGIN, 6, 3600, b"\0\0" + fields, Place("example.com", 1, 1))
    for (owner, rdtype), (ttl, rdatas) in records.items():
        for rdata in sorted(rdatas):
            builder.add(owner, rdtype, ttl, rdata, Place("example.com", 2, 1))
    return run_to_end(builder.build())


def applied(before: Records, changes: ZoneDiff) -> Records:
    result = {key: (ttl, set(rdatas)) for key, (ttl, rdatas) in before.items()}
    for record in changes.removed:
        result[record.owner, record.rdtype][1].remove(record.rdata)
    for change in changes.changed:
        result[change.owner, change.rdtype][1].remove(change.before)
        result[change.owner, change.rdtype][1].add(change.after)
    for record in changes.added:
        result.setdefault((record.owner, record.rdtype), (record.ttl, set()))[1].add(record.rdata)
    for move in changes.ttls:
        ttl, rdatas = result[move.owner, move.rdtype]
        assert ttl == move.before
        result[move.owner, move.rdtype] = move.after, rdatas
    return {key: (ttl, frozenset(rdatas)) for key, (ttl, rdatas) in result.items() if rdatas}


def without_signing(records: Records) -> Records:
    return {key: value for key, value in records.items() if key[1] not in (46, 47)}


@given(versions, versions)
def test_applying_the_difference_gives_the_new_version(before: Records, after: Records) -> None:
    changes = run_to_end(diff(ORIGIN, build(before), build(after, serial=2)))
    assert applied(without_signing(before), changes) == without_signing(after)
    kept = {key: value[1] & after[key][1] for key, value in before.items() if key in after and key[1] in (46, 47)}
    left = sum(len(value[1] - kept.get(key, frozenset())) for key, value in before.items() if key[1] in (46, 47))
    assert changes.signing_removed == left


@given(versions)
def test_a_zone_does_not_differ_from_itself_with_another_serial(records: Records) -> None:
    changes = run_to_end(diff(ORIGIN, build(records), build(records, serial=7)))
    assert changes.is_empty
    assert changes.signing_added == changes.signing_removed == 0


@given(versions)
def test_a_new_zone_is_added_and_a_removed_one_removed_in_canonical_order(records: Records) -> None:
    zone = build(records)
    came, went = run_to_end(diff(ORIGIN, None, zone)), run_to_end(diff(ORIGIN, zone, None))
    assert came.added == went.removed
    assert [*came.removed, *came.changed, *went.added, *went.changed] == []
    assert len(came.added) + came.signing_added == zone.record_count
    assert came.added == sorted(came.added, key=lambda record: (names.canonical_key(record.owner), record.rdtype))


def test_other_fields_of_the_soa_differ() -> None:
    changes = run_to_end(diff(ORIGIN, build({}), build({}, serial=2, refresh=3600)))
    assert [change.rdtype for change in changes.changed] == [6]
