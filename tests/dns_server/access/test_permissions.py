"""Who may do what, by names of keys and by policy."""

import ipaddress
from pathlib import Path

import pytest

from dns_server.access.keyring import BadKeyFile, Keyring, keyring, read_key_file
from dns_server.access.permissions import Access
from dns_server.access.transfers import Open, Transfers
from zones import name as names
from zones.findings import Place
from zones.keys import ALGORITHMS, Operation, TsigKey, grant
from zones.policy import Network, Policy, read_policy
from zones.snapshot import KeyFile, Snapshot

TXT, A = 16, 1
ORIGIN = names.from_text("example.com.")
SOURCE = "192.0.2.1"


def make_key(name: str, algorithm: int = 163) -> TsigKey:
    wire = names.from_text(name)
    return TsigKey(wire, ALGORITHMS[algorithm], b"secret", *grant(wire), Place("_keys"))


def policy(text: str) -> Policy:
    found, findings = read_policy(text.encode(), "_policy.toml")
    assert found is not None, findings
    return found


UPDATE, TRANSFER, NOTIFY = Operation.UPDATE, Operation.TRANSFER, Operation.NOTIFY


@pytest.mark.parametrize(
    ("name", "zone", "granted"),
    [
        ("a._update.example.com.", "example.com.", {UPDATE, TRANSFER, NOTIFY}),
        ("a._transfer.example.com.", "example.com.", {TRANSFER, NOTIFY}),
        ("a._notify.example.com.", "example.com.", {NOTIFY}),
        ("a._update.example.com.", "sub.example.com.", {UPDATE, TRANSFER, NOTIFY}),
        ("a._update.example.com.", "example.org.", set()),
        ("a._update.example.com.", "com.", set()),
        ("a._update.", "example.com.", {UPDATE, TRANSFER, NOTIFY}),
        ("plain.example.com.", "example.com.", set()),
    ],
)
def test_names_grant(name: str, zone: str, granted: set[Operation]) -> None:
    access = Access()
    assert {one for one in Operation if access.may(make_key(name), one, names.from_text(zone), SOURCE)} == granted


def test_without_a_key_nothing_is_allowed() -> None:
    assert not any(Access().may(None, operation, ORIGIN, SOURCE) for operation in Operation)


def test_transfers_can_be_opened_and_closed() -> None:
    key = make_key("a._transfer.example.com.")
    everybody = Access(transfers=Transfers(Open.ALL))
    assert everybody.may(None, TRANSFER, ORIGIN, SOURCE)
    assert not everybody.may(None, UPDATE, ORIGIN, SOURCE)
    assert not everybody.may(None, NOTIFY, ORIGIN, SOURCE)
    assert not Access(transfers=Transfers(Open.NONE)).may(key, TRANSFER, ORIGIN, SOURCE)
    some = Access(transfers=Transfers(networks=policy_networks("192.0.2.0/24", "2001:db8::/32")))
    assert some.may(None, TRANSFER, ORIGIN, "192.0.2.9")
    assert some.may(None, TRANSFER, ORIGIN, "2001:db8::9")
    assert not some.may(None, TRANSFER, ORIGIN, "198.51.100.9")
    plain = make_key("plain.")
    assert Access(transfers=Transfers(keys=frozenset({plain.name}))).may(plain, TRANSFER, ORIGIN, SOURCE)


def policy_networks(*networks: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(network) for network in networks)


def test_the_policy_decides_about_keys_that_it_names() -> None:
    access = Access(policy=policy('[[allow]]\nkey = "a._update.example.com."\noperations = ["transfer"]\n'))
    assert not access.may(make_key("a._update.example.com."), UPDATE, ORIGIN, SOURCE)
    assert access.may(make_key("a._update.example.com."), TRANSFER, ORIGIN, SOURCE)
    assert access.may(make_key("b._update.example.com."), UPDATE, ORIGIN, SOURCE)


def test_records_of_an_update_are_all_covered() -> None:
    rules = """
[[allow]]
key = "certbot"
operations = ["update"]
zones = ["example.com", "*.example.com"]
names = ["_acme-challenge", "_acme-challenge.*"]
types = ["TXT"]

[[allow]]
key = "certbot"
operations = ["update"]
zones = ["example.com"]
names = ["*.dyn"]
types = ["A", "AAAA"]
from = ["192.0.2.0/24", "2001:db8::/32"]
"""
    access = Access(policy=policy(rules))
    key = make_key("certbot.")

    def may(*records: tuple[str, int], zone: str = "example.com.", source: str = SOURCE) -> bool:
        changed = [(names.from_text(owner), rdtype) for owner, rdtype in records]
        return access.may(key, UPDATE, names.from_text(zone), source, changed)

    assert may()
    assert may(("_acme-challenge.example.com.", TXT))
    assert may(("_acme-challenge.www.example.com.", TXT))
    assert may(("_acme-challenge.example.com.", TXT), ("host.dyn.example.com.", A))
    assert not may(("_acme-challenge.example.com.", A))
    assert not may(("www.example.com.", TXT))
    assert not may(("dyn.example.com.", A))
    assert not may(("host.dyn.example.com.", TXT))
    assert not may(("host.dyn.example.com.", A), source="198.51.100.1")
    assert may(("host.dyn.example.com.", A), source="2001:db8::7")
    assert not may(("_acme-challenge.example.com.", TXT), ("www.example.com.", TXT))
    assert may(("_acme-challenge.sub.example.com.", TXT), zone="sub.example.com.")
    assert not may(("host.dyn.sub.example.com.", A), zone="sub.example.com.")
    assert not may(zone="example.org.")
    assert not access.may(key, TRANSFER, ORIGIN, SOURCE)


def test_a_rule_without_keys_opens_transfers_by_address() -> None:
    access = Access(policy=policy('[[allow]]\noperations = ["transfer"]\nfrom = "192.0.2.0/24"\n'))
    assert access.may(None, TRANSFER, ORIGIN, SOURCE)
    assert not access.may(None, TRANSFER, ORIGIN, "198.51.100.1")


def test_a_policy_that_never_was_good_denies_everything() -> None:
    access = Access(policy=None)
    assert not any(access.may(make_key("a._update."), operation, ORIGIN, SOURCE) for operation in Operation)


class TestKeyring:
    def snapshot(self, *keys: TsigKey) -> Snapshot:
        return Snapshot(key_files={"_keys": KeyFile((), keys)})

    def test_the_operators_keys_go_first(self) -> None:
        theirs, ours = make_key("k._update."), make_key("k._update.", 165)
        found = keyring(self.snapshot(theirs), (ours,), allow_md5=False)
        assert found.keys == {ours.name: ours}
        assert len(found.left_out) == 1

    def test_md5_counts_only_where_it_is_allowed(self) -> None:
        old = make_key("k._update.", 157)
        assert keyring(self.snapshot(old), (), allow_md5=False).keys == {}
        assert keyring(self.snapshot(old), (), allow_md5=True) == Keyring({old.name: old})

    def test_a_file_is_read_as_keys_of_a_repository(self, tmp_path: Path) -> None:
        path = tmp_path / "secrets"
        path.write_text("a._update. DNSKEY 0 3 163 c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IDEyMzQ=\n")
        (key,) = read_key_file(path)
        assert key.name == names.from_text("a._update.")

    @pytest.mark.parametrize("content", ["a DNSKEY 0 3 8 c2VjcmV0\n", "a TXT secret\n", "a DNSKEY 0 3 163 !!!\n"])
    def test_a_bad_file_is_told_with_its_line(self, content: str, tmp_path: Path) -> None:
        path = tmp_path / "secrets"
        path.write_text(content)
        with pytest.raises(BadKeyFile, match=f"{path}:1") as caught:
            read_key_file(path)
        assert "c2VjcmV0" not in str(caught.value)
