from tests.support.trees import zone_text
from zones import name as names
from zones.change import Change, compare
from zones.slices import run_to_end
from zones.zone import Zone
from zones.zonefile import parse

ORIGIN = names.from_text("example.com.")


def zone(serial: int, *records: str) -> Zone:
    def no_files(path: str) -> bytes:
        raise FileNotFoundError(path)

    parsed = run_to_end(parse(zone_text(serial, *records), ORIGIN, "example.com", no_files))
    assert parsed.zone is not None, parsed.findings
    return parsed.zone


def change(before: Zone, after: Zone) -> Change:
    return run_to_end(compare(before, after))


def test_serial_order_and_letter_case_of_owners_are_no_change() -> None:
    assert change(zone(1, "a A 192.0.2.1", "a A 192.0.2.2"), zone(9, "A A 192.0.2.2", "a A 192.0.2.1")).same


def test_ttl_value_owner_and_type_are_changes() -> None:
    before = zone(1, "a A 192.0.2.1")
    for record in ("a 60 A 192.0.2.1", "a A 192.0.2.9", "b A 192.0.2.1", "a AAAA 2001:db8::1"):
        assert not change(before, zone(1, record)).same
    assert not change(before, zone(1, "a A 192.0.2.1", "b A 192.0.2.1")).same
    assert not change(before, zone(1)).same


def test_another_value_is_no_removal() -> None:
    assert change(zone(1, "a A 192.0.2.1", "b A 192.0.2.2"), zone(1, "a A 192.0.2.7", "b A 192.0.2.8")).removed == 0


def test_removed_records_are_counted_by_owner_and_type() -> None:
    found = change(zone(1, "a A 192.0.2.1", "a A 192.0.2.2", "b TXT x"), zone(1, "a A 192.0.2.2", "c TXT x"))
    assert (found.records, found.removed) == (6, 2)


def test_signatures_and_denial_are_not_counted() -> None:
    signature = "a RRSIG A 8 3 3600 20300101000000 20200101000000 1 example.com. AAAA"
    found = change(zone(1, "a A 192.0.2.1", "a NSEC b A", signature), zone(1, "a A 192.0.2.1"))
    assert (found.records, found.removed, found.same) == (4, 0, False)
