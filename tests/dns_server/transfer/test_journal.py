"""The journal: what it knows, and how little it keeps."""

from dns_server.transfer.journal import Journal
from tests.support.served import zone_from_text
from zones.delta import Delta, delta
from zones.slices import run_to_end
from zones.zone import Zone

ORIGIN, OTHER = b"\x07example\x03com\0", b"\x05other\0"
TEXT = "$TTL 300\n@ SOA ns hostmaster {serial} 3600 600 86400 300\n@ NS ns\nns A 192.0.2.1\nv A 192.0.2.{serial}\n"


def version(serial: int) -> Zone:
    return zone_from_text(TEXT.format(serial=serial), "example.com.")


def step(before: int, after: int) -> Delta:
    return run_to_end(delta(version(before), version(after)))


def since(journal: Journal, serial: int, newest: int) -> Delta | None:
    return run_to_end(journal.since(ORIGIN, serial, newest))


def filled(limit: int = 1 << 20, upto: int = 6) -> Journal:
    journal = Journal(limit)
    for serial in range(1, upto):
        journal.add(ORIGIN, step(serial, serial + 1))
    return journal


def test_any_known_version_leads_to_the_newest() -> None:
    journal = filled()
    for serial in range(1, 6):
        change = since(journal, serial, 6)
        assert change is not None
        assert (len(change.removed), len(change.added)) == (1, 1)
        assert next(iter(change.removed)).rdata[-1] == serial
    assert since(journal, 0, 6) is None
    assert since(journal, 1, 7) is None  # the newest is not the one that is served


def test_the_oldest_go_when_memory_is_full() -> None:
    journal = filled(limit=3 * step(1, 2).octets)
    assert journal.octets <= 3 * step(1, 2).octets
    assert since(journal, 2, 6) is None
    assert since(journal, 3, 6) is not None
    assert len(journal) == 3
    journal.add(OTHER, step(1, 2))
    assert since(journal, 3, 6) is None
    assert since(journal, 4, 6) is not None


def test_a_step_that_does_not_follow_begins_anew() -> None:
    journal = filled()
    journal.add(ORIGIN, step(8, 9))
    assert since(journal, 5, 9) is None
    assert since(journal, 8, 9) is not None
    assert len(journal) == 1


def test_a_step_larger_than_the_memory_is_not_kept() -> None:
    journal = Journal(10)
    journal.add(ORIGIN, step(1, 2))
    assert (len(journal), journal.octets) == (0, 0)


def test_a_serial_that_comes_round_is_ambiguous() -> None:
    journal = filled()
    journal.add(ORIGIN, step(6, 3))
    assert since(journal, 4, 3) is None
    assert len(journal) == 0


def test_a_zone_that_is_gone_is_forgotten() -> None:
    journal = filled()
    journal.add(OTHER, step(1, 2))
    journal.forget(ORIGIN)
    assert since(journal, 5, 6) is None
    assert len(journal) == 1
    assert journal.octets == step(1, 2).octets


def test_recovered_steps_go_before_those_that_are_known() -> None:
    journal = Journal(1 << 20)
    journal.add(ORIGIN, step(4, 5))
    journal.put_before(ORIGIN, [step(2, 3), step(3, 4)], 4)
    assert since(journal, 2, 5) is not None
    journal.put_before(ORIGIN, [step(1, 3)], 3)  # does not fit
    assert since(journal, 1, 5) is None
    assert since(journal, 2, 5) is not None
