import base64

import pytest

from zones import name as names
from zones.findings import Finding
from zones.keys import Operation, TsigKey, grant, read_keys
from zones.slices import run_to_end
from zones.zonefile import parse

SECRET = base64.b64encode(bytes(range(32))).decode()


def read(text: str, scope: str = ".") -> list[TsigKey | Finding]:
    def no_files(path: str) -> bytes:
        raise FileNotFoundError(path)

    parsed = run_to_end(parse(text.encode(), names.ROOT, "_keys", no_files, default_ttl=0))
    assert parsed.zone is not None, parsed.findings
    return list(read_keys(parsed.zone, names.from_text(scope)))


def read_one(text: str, scope: str = ".") -> TsigKey:
    (key,) = read(text, scope)
    assert isinstance(key, TsigKey), key
    return key


@pytest.mark.parametrize(
    ("number", "name"),
    [(161, "hmac-sha1."), (162, "hmac-sha224."), (163, "hmac-sha256."), (164, "hmac-sha384."), (165, "hmac-sha512.")],
)
def test_a_dnskey_record_is_a_tsig_key(number: int, name: str) -> None:
    key = read_one(f"personal._update.example.com. DNSKEY 0 3 {number} {SECRET}")
    assert key.algorithm == names.from_text(name)
    assert key.secret == bytes(range(32))
    assert key.name == names.from_text("personal._update.example.com.")
    assert (key.operation, key.zone) == (Operation.UPDATE, names.from_text("example.com."))


def test_the_secret_is_not_printed() -> None:
    key = read_one(f"k._update. DNSKEY 0 3 163 {SECRET}")
    assert repr(key.secret) not in repr(key)


@pytest.mark.parametrize(
    ("name", "operation", "zone"),
    [
        ("a._update.example.com.", Operation.UPDATE, "example.com."),
        ("a._transfer.example.com.", Operation.TRANSFER, "example.com."),
        ("a._notify.", Operation.NOTIFY, "."),
        ("192.0.2.1.192.0.2.2._transfer.example.com.", Operation.TRANSFER, "example.com."),
        ("_update._notify.example.com.", Operation.NOTIFY, "example.com."),
        ("plain.example.com.", None, "plain.example.com."),
    ],
)
def test_the_name_grants(name: str, operation: Operation | None, zone: str) -> None:
    assert grant(names.from_text(name)) == (operation, names.from_text(zone))


def test_update_implies_transfer_implies_notify() -> None:
    assert Operation.UPDATE.implies(Operation.NOTIFY)
    assert Operation.TRANSFER.implies(Operation.TRANSFER)
    assert not Operation.NOTIFY.implies(Operation.TRANSFER)


@pytest.mark.parametrize(
    ("text", "scope", "complaint"),
    [
        (f"a._update. DNSKEY 256 3 163 {SECRET}", ".", "flags 256"),
        (f"a._update. DNSKEY 0 3 13 {SECRET}", ".", "algorithm 13"),
        (f"a._update. DNSKEY 0 3 156 {SECRET}", ".", "algorithm 156"),
        ("a._update. A 192.0.2.1", ".", "no DNSKEY"),
        (f"a._update.example.org. DNSKEY 0 3 163 {SECRET}", "example.com.", "not below"),
        (f"a._update. DNSKEY 0 3 163 {SECRET}\na._update. DNSKEY 0 3 165 {SECRET}", ".", "2 secrets"),
    ],
)
def test_what_is_no_key_is_refused_without_showing_the_secret(text: str, scope: str, complaint: str) -> None:
    (finding,) = read(text, scope)
    assert isinstance(finding, Finding)
    assert complaint in finding.message
    assert SECRET not in str(finding)
    assert finding.place.line == 1


@pytest.mark.parametrize(
    ("name", "secondary"),
    [
        ("192.0.2.1.192.0.2.2._transfer.example.com.", ("192.0.2.2", 53)),
        ("192.0.2.1.192.0.2.2_1053._transfer.", ("192.0.2.2", 1053)),
        ("laptop.192.0.2.1.192.0.2.2._transfer.example.com.", ("192.0.2.2", 53)),
        ("192.0.2.1._transfer.example.com.", None),  # the primary's
        ("192.0.2.1.192.0.2.256._transfer.example.com.", None),
        ("192.0.2.1.192.0.2.2_0._transfer.example.com.", None),
        ("192.0.2.1.192.0.2.2._update.example.com.", None),
        ("a.b.c.d.192.0.2.2._transfer.example.com.", None),
    ],
)
def test_a_name_with_two_addresses_tells_of_a_secondary(name: str, secondary: tuple[str, int] | None) -> None:
    assert read_one(f"{name} DNSKEY 0 3 163 {SECRET}").secondary == secondary
