"""Comparing in C and with objects is the same, also where an owner has very many records or the order is another."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.served import records_of, zone_from_text
from zones.change import compare
from zones.comparison import LARGE, Comparison
from zones.delta import delta, delta_within
from zones.slices import run_to_end
from zones.zone import Zone

HEAD = "$TTL 60\n@ SOA ns h {serial} 2 3 4 5\n@ NS ns\n"
SETTINGS = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SIGNERS = {46, 47, 50, 51}

records = st.tuples(
    st.sampled_from(("@", "a", "b", "c", "x.y", "y")),
    st.sampled_from(("A 192.0.2.1", "A 192.0.2.2", "TXT a", "TXT b", "MX 1 a", "MX 1 A", "NSEC a A", "TYPE300 \\# 0")),
)
many = st.integers(1, 3).map(lambda most: [("m", f"TYPE65300 \\# 2 {number:04x}") for number in range(most * LARGE)])


@st.composite
def versions(draw: st.DrawFn) -> Zone:
    lines = draw(st.lists(records, max_size=20)) + draw(st.one_of(st.just([]), many))
    lines = lines[:: draw(st.sampled_from((1, -1)))]
    head = HEAD.format(serial=draw(st.sampled_from((1, 2))))
    return zone_from_text(head + "".join(f"{owner} {record}\n" for owner, record in lines), "t.test.")


@SETTINGS
@given(versions(), versions())
def test_the_difference_is_that_of_the_sets_of_records(before: Zone, after: Zone) -> None:
    found = run_to_end(delta(before, after))
    assert (len(found.removed), len(found.added)) == (len(set(found.removed)), len(set(found.added)))
    assert set(found.removed) == records_of(before) - records_of(after)
    assert set(found.added) == records_of(after) - records_of(before)


@SETTINGS
@given(versions(), versions())
def test_what_the_loader_asks_is_counted_right(before: Zone, after: Zone) -> None:
    def counts(zone: Zone) -> dict[tuple[bytes, int], int]:
        return {
            (rrset.owner, rrset.rdtype): len(rrset.rdatas) for rrset in zone.rrsets() if rrset.rdtype not in SIGNERS
        }

    found = run_to_end(compare(before, after))
    old, new = counts(before), counts(after)
    assert found.records == sum(old.values())
    assert found.removed == sum(max(0, count - new.get(key, 0)) for key, count in old.items())
    assert found.same == (records_of(before) == records_of(after))


@SETTINGS
@given(versions(), versions(), st.integers(0, 4000))
def test_a_difference_beyond_the_limit_is_given_up(before: Zone, after: Zone, limit: int) -> None:
    whole = run_to_end(delta(before, after))
    found = run_to_end(delta_within(before, after, limit))
    assert (found is None) == (whole.octets > limit)


def test_owners_that_differ_and_those_that_do_not_are_work_alike() -> None:
    """Between two turns of the event loop there are never more than some thousands of owners."""

    def version(first: int, step: int) -> Zone:
        lines = [f"n{number} A 192.0.2.{first if number % step == 0 else 1}\n" for number in range(10_000)]
        return zone_from_text(HEAD.format(serial=1) + "".join(lines), "t.test.")

    before = version(1, 1)
    for after in (version(1, 1), version(2, 1), version(2, 7)):
        comparison = Comparison(before.tables, after.tables)
        stops = turns = 0
        while not comparison.is_over:
            if comparison.advance():
                stops += 1
            else:
                turns += 1
        assert turns >= 9
        assert stops == sum(before.node(owner) != after.node(owner) for owner in before.names())
