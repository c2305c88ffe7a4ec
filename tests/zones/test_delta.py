"""Differences of versions: what is taken away and added gives the later version, however many steps are condensed."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tests.support.served import records_of, zone_from_text
from zones.delta import Delta, Record, condense, delta
from zones.slices import run_to_end
from zones.zone import Zone

HEAD = "@ SOA ns hostmaster {serial} 3600 600 86400 300\n@ NS ns\nns A 192.0.2.1\n"
records = st.sets(
    st.builds(
        "{} {} {}".format,
        st.sampled_from("abcd"),
        st.sampled_from((60, 300)),
        st.sampled_from(("A 192.0.2.1", "A 192.0.2.2", "TXT one", "TXT two", "MX 10 a", "AAAA 2001:db8::1")),
    ),
    max_size=12,
)


def version(serial: int, lines: set[str]) -> Zone:
    # One TTL for each RRset: the parser takes the lowest of several, which is not what is tested here.
    return zone_from_text("$TTL 300\n" + HEAD.format(serial=serial) + "\n".join(sorted(lines)) + "\n", "example.com.")


def applied(before: set[Record], change: Delta) -> set[Record]:
    assert set(change.removed) <= before
    assert not set(change.added) & (before - set(change.removed))
    return before - set(change.removed) | set(change.added)


@given(records, records)
def test_a_difference_leads_from_one_version_to_the_other(old: set[str], new: set[str]) -> None:
    before, after = version(1, old), version(2, new)
    change = run_to_end(delta(before, after))
    assert applied(records_of(before), change) == records_of(after)
    assert (change.before, change.after) == (before.soa, after.soa)


@given(st.lists(records, min_size=2, max_size=6))
def test_several_steps_condensed_are_the_difference_of_the_ends(steps: list[set[str]]) -> None:
    versions = [version(serial, lines) for serial, lines in enumerate(steps, 1)]
    chain = [run_to_end(delta(*pair)) for pair in itertools.pairwise(versions)]
    whole = run_to_end(condense(chain))
    direct = run_to_end(delta(versions[0], versions[-1]))
    assert set(whole.removed) == set(direct.removed)
    assert set(whole.added) == set(direct.added)
    assert (whole.before, whole.after) == (direct.before, direct.after)
