"""Who is told."""

import base64

from dns_server.access.keyring import Keyring
from dns_server.access.permissions import Access
from dns_server.notify.targets import (
    SHOWN_A_ZONE,
    SHOWN_S,
    Shown,
    Target,
    configured,
    merged,
    name_servers,
    own_addresses,
)
from tests.support.served import zone_from_text
from tests.support.trees import MemoryTree
from zones import name as names
from zones.loader import Options, load
from zones.policy import read_policy
from zones.slices import run_to_end
from zones.snapshot import Snapshot

ORIGIN = names.from_text("example.com.")
SECRET = base64.b64encode(b"x" * 32).decode()
ZONE = """\
$TTL 300
@ SOA NS1 hostmaster 1 3600 600 86400 300
@ NS ns1
@ NS ns2
@ NS ns.elsewhere.test.
ns1 A 192.0.2.1
ns2 A 192.0.2.2
ns2 AAAA 2001:db8::2
"""


def served() -> Snapshot:
    keys = "\n".join(
        f"{name} DNSKEY 0 3 163 {SECRET}"
        for name in (
            "192.0.2.1.198.51.100.1._transfer.example.com.",
            "192.0.2.1.198.51.100.2_1053._transfer.",
            "192.0.2.1.198.51.100.3._transfer.com.",
            "198.51.100.4._transfer.example.com.",
        )
    )
    tree = MemoryTree({"example.com": ZONE.encode(), "_keys": keys.encode()})
    return run_to_end(load(tree, Snapshot(), Options(), 0.0))


def test_the_ns_set_without_the_primary() -> None:
    found = name_servers(zone_from_text(ZONE, "example.com."))
    assert found == [names.from_text("ns2.example.com."), names.from_text("ns.elsewhere.test.")]


def test_addresses_of_names_that_we_serve_are_our_own() -> None:
    snapshot = served()
    assert own_addresses(names.from_text("ns2.example.com."), snapshot) == ["192.0.2.2", "2001:db8::2"]
    assert own_addresses(names.from_text("nobody.example.com."), snapshot) == []
    assert own_addresses(names.from_text("ns.elsewhere.test."), snapshot) is None


def test_secondaries_in_names_of_keys_of_the_zone_and_of_all_zones() -> None:
    keys = {key.name: key for file in served().key_files.values() for key in file.keys}
    found = {target[:2] for target in configured(ORIGIN, Access(Keyring(keys)))}
    assert found == {("198.51.100.1", 53), ("198.51.100.2", 1053)}


def test_secondaries_in_the_policy() -> None:
    text = (
        b'[[notify]]\naddress = "192.0.2.9"\nzones = ["example.com"]\n[[notify]]\naddress = "2001:db8::9"\nkey = "k"\n'
    )
    policy, _ = read_policy(text, "_policy.toml")
    access = Access(policy=policy)
    assert list(configured(ORIGIN, access)) == [Target("192.0.2.9", 53), Target("2001:db8::9", 53, b"\x01k\0")]
    assert list(configured(names.from_text("example.org."), access)) == [Target("2001:db8::9", 53, b"\x01k\0")]


def test_one_address_is_told_once_and_signed_where_it_can_be() -> None:
    plain, signed = Target("192.0.2.1", 53), Target("192.0.2.1", 53, b"\x01k\0")
    assert merged([plain, signed]) == merged([signed, plain]) == [signed]
    assert len(merged([plain, Target("192.0.2.1", 54)])) == 2


def test_peers_that_showed_themselves_are_remembered_for_a_while_and_not_too_many() -> None:
    shown = Shown()
    for number in range(SHOWN_A_ZONE + 5):
        shown.note(ORIGIN, f"192.0.2.{number}", b"\x01k\0", 100.0)
    shown.note(ORIGIN, "192.0.2.7", b"\x01l\0", 200.0)
    found = list(shown.targets(ORIGIN, 200.0))
    assert len(found) == SHOWN_A_ZONE
    assert Target("192.0.2.7", 53, b"\x01l\0") in found
    assert Target("192.0.2.0", 53, b"\x01k\0") not in found
    assert len(list(shown.targets(ORIGIN, 150.0 + SHOWN_S))) == 1
