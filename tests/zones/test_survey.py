"""A survey passes over names that are not notable, and over no others; empty non-terminals are in the tree of names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.served import zone_from_text
from zones import rdtypes
from zones.name import from_text, parent
from zones.survey import NO_HOSTS, kinds
from zones.zone import Zone

ORIGIN = from_text("t.test.")
HEAD = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\n"
RECORDS = (
    "A 192.0.2.1",
    "A 192.0.2.2",
    "AAAA ::1",
    "TXT a",
    "TXT b",
    "MX 1 a",
    "NS a",
    "TYPE300 \\# 0",
    "CAA 0 issue a",
)
LABELS = ("a", "b", "a-b", "-a", "a-", "_a", "*", "0", "ab", "\\001")
MOST = kinds((rdtypes.NS, rdtypes.MX), {rdtypes.TXT: 1}, otherwise=2)

HOSTS = bytes(rdtype in (rdtypes.A, rdtypes.MX) for rdtype in range(256))

owners = st.lists(st.sampled_from(LABELS), min_size=1, max_size=3).map(".".join)
zones = st.lists(st.tuples(owners, st.sampled_from(RECORDS)), max_size=30).map(
    lambda lines: zone_from_text(HEAD + "".join(f"{owner} {record}\n" for owner, record in lines), "t.test.")
)


def is_notable(zone: Zone, position: int, above: bytes, hosts: bytes) -> bool:
    """As the docstring of `next_notable` says."""
    owner, node = zone.node_at(position)
    label = owner[1 : 1 + owner[0]]
    odd = label.strip(b"-") != label or not label.replace(b"-", b"a").isalnum()
    host = bool(hosts) and any(hosts[min(rdtype, 255)] for rdtype in node)
    many = any(len(rrset.rdatas) > MOST[min(rdtype, 255)] for rdtype, rrset in node.items())
    return parent(owner) != above or (host and odd) or many


@given(zones, owners, st.booleans(), st.sampled_from([NO_HOSTS, HOSTS]))
def test_passes_over_what_is_not_notable(zone: Zone, below: str, at_apex: bool, hosts: bytes) -> None:
    above = ORIGIN if at_apex else from_text(below, ORIGIN)
    survey = zone.survey()
    assert survey.count == len(list(zone.names()))
    for start in range(survey.count):
        found = survey.next_notable(start, above, MOST, hosts)
        assert all(not is_notable(zone, position, above, hosts) for position in range(start, found))
        assert found == survey.count or is_notable(zone, found, above, hosts)


@given(zones)
def test_names_between_owners_and_the_apex_exist(zone: Zone) -> None:
    owned = set(zone.names())
    tree = {above for owner in owned for above in above_to(owner)}
    for name in tree:
        assert zone.exists(name)
        assert (name in zone) == (name in owned)
        assert bool(zone.node(name)) == (name in owned)
    assert not zone.exists(from_text("c", ORIGIN))
    assert set(zone.names()) == owned


def above_to(owner: bytes) -> list[bytes]:
    found = [owner]
    while owner != ORIGIN:
        owner = parent(owner)
        found.append(owner)
    return found


def test_nothing_is_above_a_name_that_is_a_hash() -> None:
    text = "a.b NSEC3 1 0 0 - 0000 A\na.b RRSIG NSEC3 5 3 60 20300101000000 20200101000000 1 t.test. AAAA\n"
    zone = zone_from_text(HEAD + text, "t.test.")
    assert zone.exists(from_text("a.b", ORIGIN))
    assert not zone.exists(from_text("b", ORIGIN))


def test_sets_that_are_notable_are_those_with_more_records_than_are_plain() -> None:
    zone = zone_from_text(HEAD + "@ TXT a\n@ A 192.0.2.1\na TXT a\na TXT b\na A 192.0.2.1\n", "t.test.")
    found = [zone.rrset_at(index, ORIGIN) for index in zone.survey().notable_sets(0, MOST)]
    assert [rrset.rdtype for rrset in found] == [rdtypes.NS]
    assert found[0] == zone.rrset(ORIGIN, rdtypes.NS)
    (index,) = zone.survey().notable_sets(1, MOST)
    assert zone.rrset_at(index, from_text("a", ORIGIN)) == zone.rrset(from_text("a", ORIGIN), rdtypes.TXT)


@pytest.mark.parametrize("hosts", [NO_HOSTS, HOSTS])
def test_the_root_has_no_label(hosts: bytes) -> None:
    zone = zone_from_text("$TTL 60\n. A 192.0.2.1\n", ".")
    assert zone.survey().next_notable(0, b"", MOST, hosts) == (0 if hosts else 1)


def test_long_runs_end_now_and_then() -> None:
    zone = zone_from_text(HEAD + "".join(f"h{number} A 192.0.2.1\n" for number in range(10_000)), "t.test.")
    survey = zone.survey()
    position = survey.next_notable(1, ORIGIN, MOST, HOSTS)
    assert 1 < position < survey.count
    while position < survey.count:
        position = survey.next_notable(position, ORIGIN, MOST, HOSTS)
