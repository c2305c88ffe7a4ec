import base64
from collections.abc import Mapping

import pytest

from tests.support.trees import MemoryTree, zone_text
from zones import name as names
from zones.loader import Options, load
from zones.slices import run_to_end
from zones.snapshot import Snapshot

COM = names.from_text("example.com.")
ORG = names.from_text("example.org.")
NOW = 1_800_000_000.0
HOSTS = [f"host{number} A 192.0.2.{number}" for number in range(1, 21)]
ALLOW = "remove them\n\nUnizone-Allow: removal\n"
BROKEN = b"@ SOA this is no zone\n"


class Repository:
    """A repository whose versions are loaded one after the other."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.snapshot = Snapshot()
        self.reads: list[str] = []
        self.pushes = 0

    def push(self, files: Mapping[str, bytes], message: str = "change") -> Snapshot:
        self.pushes += 1
        tree = MemoryTree(files, f"commit{self.pushes}", message)
        self.snapshot = run_to_end(load(tree, self.snapshot, self.options, NOW))
        self.reads = tree.reads
        return self.snapshot

    def serial(self, origin: bytes = COM) -> int:
        return self.snapshot.zones[origin].zone.serial


def checks(snapshot: Snapshot, origin: bytes = COM) -> list[str]:
    return [finding.check for finding in snapshot.zones[origin].findings]


def test_files_become_zones() -> None:
    repository = Repository()
    snapshot = repository.push({"example.com": zone_text(1), "example.org.zone": zone_text(2), "README": b"x"})
    assert snapshot.zones.keys() == {COM, ORG}
    assert snapshot.revision == snapshot.zones[COM].revision == "commit1"
    assert not snapshot.broken
    assert repository.serial(ORG) == 2


def test_only_changed_files_are_read_again() -> None:
    repository = Repository()
    files = {"example.com": zone_text(1), "example.org": zone_text(1), "_keys": b""}
    before = repository.push(files)
    after = repository.push({**files, "example.com": zone_text(2)})
    assert repository.reads == ["example.com"]
    assert after.zones[ORG] is before.zones[ORG]
    assert after.zones[COM].revision == "commit2"


def test_a_zone_is_read_again_when_an_included_file_changes_appears_or_goes() -> None:
    repository = Repository()
    files = {"example.com": zone_text(1, "$INCLUDE inc/hosts"), "inc/hosts": b"a A 192.0.2.1\n"}
    repository.push({"example.com": files["example.com"]})
    assert "no file 'inc/hosts'" in repository.snapshot.broken[COM].findings[0].message
    assert repository.push(files).zones[COM].zone.record_count == 4
    repository.push({**files, "inc/hosts": b"a A 192.0.2.1\nb A 192.0.2.2\n"})
    assert repository.snapshot.zones[COM].zone.record_count == 5
    repository.push({"example.com": files["example.com"]})
    assert COM in repository.snapshot.broken
    assert repository.snapshot.zones[COM].zone.record_count == 5


def test_a_broken_zone_keeps_its_last_good_version_and_is_reported_until_mended() -> None:
    repository = Repository()
    good = {"example.com": zone_text(1), "example.org": zone_text(1)}
    repository.push(good)
    snapshot = repository.push({"example.com": BROKEN, "example.org": zone_text(2)})
    assert (repository.serial(COM), repository.serial(ORG)) == (1, 2)
    assert snapshot.zones[COM].revision == "commit1"
    assert snapshot.broken[COM].since == "commit2"
    assert snapshot.broken[COM].findings[0].place.file == "example.com"
    snapshot = repository.push({"example.com": BROKEN, "example.org": zone_text(3)})
    assert repository.reads == ["example.org"]
    assert snapshot.broken[COM].since == "commit2"
    snapshot = repository.push({"example.com": BROKEN + b"\n", "example.org": zone_text(3)})
    assert snapshot.broken[COM].since == "commit2"
    snapshot = repository.push({"example.com": zone_text(2), "example.org": zone_text(3)})
    assert not snapshot.broken
    assert repository.serial(COM) == 2


def test_a_zone_that_is_broken_at_start_is_reported_and_the_others_are_served() -> None:
    snapshot = Repository().push({"example.com": BROKEN, "example.org": zone_text(1)})
    assert snapshot.zones.keys() == {ORG}
    assert snapshot.broken.keys() == {COM}


def test_a_zone_that_the_checks_refuse_is_broken() -> None:
    snapshot = Repository().push({"example.com": b"$TTL 60\n@ NS ns1.servers.test.\n"})
    assert not snapshot.zones
    assert COM in snapshot.broken


def test_a_mended_file_may_be_the_one_that_is_served() -> None:
    repository = Repository()
    before = repository.push({"example.com": zone_text(1)})
    repository.push({"example.com": BROKEN})
    after = repository.push({"example.com": zone_text(1)})
    assert not after.broken
    assert after.zones[COM] is before.zones[COM]


def test_two_files_of_one_zone_keep_the_version_before() -> None:
    repository = Repository()
    repository.push({"example.com": zone_text(1)})
    snapshot = repository.push({"example.com": zone_text(2), "example.com.zone": zone_text(3)})
    assert repository.serial() == 1
    assert snapshot.broken[COM].findings[0].check == "ambiguous-zone-file"
    assert not repository.push({"example.com.zone": zone_text(3)}).broken
    assert repository.serial() == 3


def test_a_removed_file_removes_the_zone() -> None:
    repository = Repository()
    repository.push({"example.com": zone_text(1), "example.org": zone_text(1)})
    assert repository.push({"example.org": zone_text(1)}).zones.keys() == {ORG}
    assert not repository.snapshot.held_back


@pytest.mark.parametrize("message", ["oops", "Unizone-Allow: other", "say Unizone-Allow: removal"])
def test_removing_more_than_half_of_the_zones_is_held_back(message: str) -> None:
    repository = Repository()
    files = {f"zone{number}.test": zone_text(1) for number in range(5)}
    repository.push(files)
    kept = dict(list(files.items())[:2])
    snapshot = repository.push({**kept, "new.test": zone_text(1)}, message)
    assert len(snapshot.zones) == 6
    (held,) = snapshot.held_back
    assert (held.what, "3 of 5" in held.message, "Unizone-Allow: removal" in held.message) == ("zones", True, True)
    # A later version is judged again against what is served.
    assert repository.push({**kept, "new.test": zone_text(1)}).held_back == ()
    assert len(repository.snapshot.zones) == 3


def test_removing_the_last_zone_is_held_back_until_the_commit_allows_it() -> None:
    repository = Repository()
    repository.push({"example.com": zone_text(1)})
    assert repository.push({}).zones.keys() == {COM}
    assert repository.push({"README": b"still"}).held_back
    assert not repository.push({"README": b"still"}, ALLOW).zones
    assert not repository.snapshot.held_back


def test_removing_more_than_30_percent_of_a_zones_records_is_held_back_until_allowed() -> None:
    repository = Repository()
    repository.push({"example.com": zone_text(1, *HOSTS), "example.org": zone_text(1)})
    smaller = {"example.com": zone_text(2, *HOSTS[8:]), "example.org": zone_text(2)}
    snapshot = repository.push(smaller)
    assert (repository.serial(COM), repository.serial(ORG)) == (1, 2)
    (held,) = snapshot.held_back
    assert held.what == "example.com."
    assert "8 of 23 records" in held.message
    assert repository.push(smaller).held_back
    assert not repository.push(smaller, ALLOW).held_back
    assert repository.serial(COM) == 2


def test_up_to_30_percent_and_small_zones_go_through() -> None:
    repository = Repository()
    repository.push({"example.com": zone_text(1, *HOSTS), "example.org": zone_text(1, *HOSTS[:6])})
    snapshot = repository.push({"example.com": zone_text(2, *HOSTS[6:]), "example.org": zone_text(2)})
    assert not snapshot.held_back
    assert snapshot.zones[ORG].zone.record_count == 3


def test_a_change_without_a_higher_serial_is_served_with_one() -> None:
    repository = Repository()
    repository.push({"example.com": zone_text(7)})
    snapshot = repository.push({"example.com": zone_text(7, "a A 192.0.2.1")})
    assert repository.serial() == 8
    assert checks(snapshot) == ["serial-not-raised"]
    assert "8 is served" in str(snapshot.zones[COM].findings[0])


def test_the_serial_never_goes_back_over_several_pushes() -> None:
    repository = Repository()
    served = []
    for number, serial in enumerate([7, 7, 7, 8, 8, 3, 9, 20, 20, 4294967295, 0, 5]):
        repository.push({"example.com": zone_text(serial, f"a A 192.0.2.{number}")})
        served.append(repository.serial())
    # RFC 1982: 4294967295 is behind 21, so it is not a rise; neither is 0.
    assert served == [7, 8, 9, 10, 11, 12, 13, 20, 21, 22, 23, 24]


def test_a_serial_may_wrap_round() -> None:
    repository = Repository()
    for serial in (4294967295, 5):
        assert checks(repository.push({"example.com": zone_text(serial, f"a TXT {serial}")})) == []
        assert repository.serial() == serial


def test_a_comment_alone_changes_no_serial() -> None:
    repository = Repository()
    repository.push({"example.com": zone_text(7)})
    assert checks(repository.push({"example.com": zone_text(7) + b"; comment\n"})) == []
    assert repository.serial() == 7
    snapshot = repository.push({"example.com": zone_text(5)})
    assert repository.serial() == 7
    assert checks(snapshot) == ["serial-not-raised"]


def test_serial_keep_serves_the_serial_of_the_file() -> None:
    repository = Repository(Options(keep_serial=True))
    repository.push({"example.com": zone_text(7)})
    snapshot = repository.push({"example.com": zone_text(6, "a A 192.0.2.1")})
    assert repository.serial() == 6
    assert checks(snapshot) == ["serial-not-raised"]


def test_a_signed_zone_keeps_its_serial_because_another_would_break_the_signature() -> None:
    signature = f"@ RRSIG SOA 13 2 3600 20300101000000 20200101000000 1 example.com. {'A' * 86}=="
    repository = Repository()
    repository.push({"example.com": zone_text(7, signature)})
    snapshot = repository.push({"example.com": zone_text(7, signature, "a A 192.0.2.1")})
    assert repository.serial() == 7
    assert "serial-not-raised" in checks(snapshot)


def test_keys_are_read_and_never_served() -> None:
    repository = Repository()
    secret = base64.b64encode(b"0123456789abcdef").decode()
    line = f"a._update.example.com. DNSKEY 0 3 163 {secret}\n".encode()
    files = {"example.com": zone_text(1), "_keys": line, "example.com._keys": b"b." + line}
    snapshot = repository.push(files)
    assert snapshot.zones.keys() == {COM}
    assert [key.secret for file in snapshot.key_files.values() for key in file.keys] == [b"0123456789abcdef"] * 2
    snapshot = repository.push({**files, "_keys": b"broken"})
    assert snapshot.key_files["_keys"].findings
    assert len(snapshot.key_files["_keys"].keys) == 1
    assert "_keys" not in repository.push({"example.com": zone_text(1)}).key_files


def test_many_unchanged_zones_cost_no_reading() -> None:
    repository = Repository()
    files = {f"zone{number}.test": zone_text(1) for number in range(300)}
    repository.push(files)
    before = repository.snapshot
    repository.push({**files, "zone7.test": zone_text(2)})
    assert repository.reads == ["zone7.test"]
    assert sum(before.zones[origin] is not zone for origin, zone in repository.snapshot.zones.items()) == 1
