"""Rules of `_policy.toml`, and what is said of a bad one."""

import pytest

from tests.support.trees import MemoryTree, zone_text
from zones.loader import Options, load
from zones.policy import read_policy
from zones.slices import run_to_end
from zones.snapshot import Snapshot


def test_targets_are_read() -> None:
    text = """
[[notify]]
address = "192.0.2.53"

[[notify]]
address = "2001:db8::53"
zones = ["example.com"]
key = "secondary."
tls = "ns.example.net"
"""
    policy, findings = read_policy(text.encode(), "_policy.toml")
    assert not findings
    assert policy is not None
    plain, secured = policy.targets
    assert (plain.address, plain.port, plain.key, plain.tls, plain.zones) == ("192.0.2.53", 53, None, None, ())
    assert (secured.port, secured.key, secured.tls) == (853, b"\x09secondary\0", "ns.example.net")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[[allow]\n", 1, "Expected"),
        ("a = 1\n", 1, "a is not known"),
        ('[[allow]]\nkey = "a"\n', 1, "without operations"),
        ('[[allow]]\nkey = "a"\noperations = ["write"]\n', 3, "expected one of update, transfer, notify"),
        ('\n[[allow]]\nkey = "a..b"\noperations = ["update"]\n', 3, "empty label"),
        ('[[allow]]\nkey = "a"\noperations = ["update"]\ntypes = ["AXFR"]\n', 4, "expected a type of records"),
        ('[[allow]]\nkey = "a"\noperations = ["update"]\ntypes = []\n', 4, "types is empty"),
        ('[[allow]]\nkey = "a"\noperations = ["update"]\nnames = ["www.example.com."]\n', 4, "relative to the zone"),
        ('[[allow]]\nkey = "a"\noperations = ["update"]\nfrom = ["192.0.2.1/24"]\n', 4, "host bits"),
        ('[[allow]]\nkey = "a"\noperations = ["transfer"]\ntypes = ["A"]\n', 4, "for updates"),
        ('[[allow]]\noperations = ["update"]\nfrom = ["192.0.2.0/24"]\n', 2, "need a key"),
        ('[[allow]]\noperations = ["transfer"]\n', 1, "anybody"),
        ('[[allow]]\nkey = "a"\noperations = ["update"]\nzone = ["a"]\n', 4, "zone is not known"),
        ('[[allow]]\nkey = "a"\noperations = ["update"]\n[[allow]]\nkey = 7\noperations = "update"\n', 5, "in quotes"),
        ("[[notify]]\nport = 53\n", 1, "whom to notify"),
        ('[[notify]]\naddress = "ns.example.com"\n', 2, "does not appear to be"),
        ('[[notify]]\naddress = "192.0.2.1"\nport = 0\n', 3, "1 to 65535"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, said: str) -> None:
    policy, findings = read_policy(text.encode(), "_policy.toml")
    assert policy is None
    assert findings[0].place[:2] == ("_policy.toml", line)
    assert said in findings[0].message + findings[0].hint


def test_a_file_that_is_no_utf8_is_refused() -> None:
    policy, (finding,) = read_policy(b"# \n\xff\n", "_policy.toml")
    assert policy is None
    assert finding.place.line == 2


def loaded(files: dict[str, bytes], before: Snapshot | None = None) -> Snapshot:
    return run_to_end(load(MemoryTree(files), before or Snapshot(), Options(), 0.0))


def test_a_broken_policy_leaves_the_one_before_in_force() -> None:
    good = b'[[allow]]\nkey = "a"\noperations = ["update"]\n'
    first = loaded({"example.com": zone_text(1), "_policy.toml": good})
    assert first.policy_file is not None
    assert first.policy_file.policy is not None
    second = loaded({"example.com": zone_text(1), "_policy.toml": b"[["}, first)
    assert second.policy_file is not None
    assert second.policy_file.policy == first.policy_file.policy
    assert second.policy_file.findings
    assert loaded({"example.com": zone_text(1)}, second).policy_file is None


def test_a_policy_that_never_was_good_is_none() -> None:
    snapshot = loaded({"_policy.toml": b"[["})
    assert snapshot.policy_file is not None
    assert snapshot.policy_file.policy is None
