"""Zones that BIND and ldns sign give no findings, at any algorithm and kind of denial; a changed octet gives one."""

import itertools
import subprocess
from pathlib import Path

import pytest

from tests.support.debian import need, programs
from tests.support.zones import ORIGIN, judge
from zones import name as names
from zones.checks.rdata import key_tag
from zones.checks.verify import verifier
from zones.slices import run_to_end
from zones.zonefile import parse

PLAIN = """\
$TTL 3600
@ SOA Ns1 Hostmaster 2026010101 7200 900 1209600 300
@ NS Ns1
@ MX 10 mail
ns1 A 192.0.2.1
mail AAAA 2001:db8::25
www CNAME ns1
txt.deep.below TXT "text"
*.wild TXT "any"
_sip._udp SRV 0 0 5060 Mail
redirect DNAME example.net.
naptr NAPTR 100 50 "s" "SIP+D2U" "" _sip._udp.Example.Org.
rp RP Admin.example.org. Txt.example.org.
secure NS ns.secure
secure DS 12345 13 2 abababababababababababababababababababababababababababababababab
ns.secure A 192.0.2.3
insecure NS ns.insecure
ns.insecure A 192.0.2.4
only.insecure.far NS ns.example.net.
"""
ALGORITHMS = ("RSASHA256", "RSASHA512", "ECDSAP256SHA256", "ECDSAP384SHA384", "ED25519", "ED448")
DENIALS = {"nsec": [], "nsec3": ["-3", "-"], "nsec3-opt-out": ["-3", "-", "-A"], "salt": ["-3", "a1b2", "-H", "5"]}


def run(package: str, program: str, *arguments: str, folder: Path) -> str:
    tree = need(package)
    result = subprocess.run(
        [tree.path(program), *arguments], env=tree.environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def sign(folder: Path, algorithm: str, *options: str) -> bytes:
    """PLAIN, signed by dnssec-signzone with a KSK and a ZSK."""
    size = ["-b", "2048"] if algorithm.startswith("RSA") else []
    keys = [
        run("bind9-utils", "dnssec-keygen", "-q", *flags, "-a", algorithm, *size, ORIGIN, folder=folder).strip()
        for flags in (["-f", "KSK"], [])
    ]
    (folder / "zone").write_text(PLAIN)
    times = ["-s", "20260101000000", "-e", "20900101000000"]
    run("bind9-utils", "dnssec-signzone", "-q", "-S", *times, "-o", ORIGIN, *options, "zone", *keys, folder=folder)
    return (folder / "zone.signed").read_bytes()


@pytest.mark.parametrize(
    ("algorithm", "denial"),
    [*((algorithm, "nsec") for algorithm in ALGORITHMS), *(("ECDSAP256SHA256", denial) for denial in DENIALS)],
)
def test_a_zone_signed_by_bind_is_good(algorithm: str, denial: str, tmp_path: Path) -> None:
    assert judge(sign(tmp_path, algorithm, *DENIALS[denial]), verify=True) == []


@pytest.mark.parametrize(
    ("options", "digests"),
    [([], 0), (["-n"], 0), (["-n", "-p"], 0), (["-z", "1:1"], 1), (["-n", "-z", "simple:sha512"], 1)],
    ids=["nsec", "nsec3", "nsec3-opt-out", "zonemd-sha384", "zonemd-sha512"],
)
def test_a_zone_signed_by_ldns_is_good(options: list[str], digests: int, tmp_path: Path) -> None:
    key = run("ldnsutils", "ldns-keygen", "-k", "-a", "ECDSAP256SHA256", ORIGIN, folder=tmp_path).strip()
    (tmp_path / "zone").write_text(PLAIN)
    times = ["-i", "20260101", "-e", "20400101"]
    run("ldnsutils", "ldns-signzone", *times, "-o", ORIGIN, *options, "zone", key, folder=tmp_path)
    text = (tmp_path / "zone.signed").read_bytes()
    assert text.count(b"\tZONEMD\t") == digests
    assert judge(text, verify=True) == []


def test_one_changed_octet_of_any_record_is_found(tmp_path: Path) -> None:
    if verifier() is None:
        pytest.skip("the package cryptography is not installed")
    text = sign(tmp_path, "ECDSAP256SHA256")
    changed = text.replace(b"2001:db8::25", b"2001:db8::26")
    assert changed != text
    findings = judge(changed, verify=True)
    assert [finding.check for finding in findings] == ["rrsig-bogus"]
    assert "AAAA at mail.example.com." in findings[0].message
    assert judge(changed) == []


def test_letter_case_of_names_does_not_matter_to_signatures_and_digests(tmp_path: Path) -> None:
    key = run("ldnsutils", "ldns-keygen", "-k", "-a", "ECDSAP256SHA256", ORIGIN, folder=tmp_path).strip()
    (tmp_path / "zone").write_text(PLAIN)
    times = ["-i", "20260101", "-e", "20400101"]
    run("ldnsutils", "ldns-signzone", *times, "-o", ORIGIN, "-z", "1:1", "zone", key, folder=tmp_path)
    text = (tmp_path / "zone.signed").read_bytes()
    for old, new in ((b"Ns1.example.com.", b"nS1.EXAMPLE.com."), (b"Mail.example.com.", b"MAIL.example.com.")):
        assert old in text
        text = text.replace(old, new)
    assert judge(text, verify=True) == []


def test_a_changed_record_is_found_by_the_digest_of_the_zone(tmp_path: Path) -> None:
    key = run("ldnsutils", "ldns-keygen", "-k", "-a", "ECDSAP256SHA256", ORIGIN, folder=tmp_path).strip()
    (tmp_path / "zone").write_text(PLAIN)
    times = ["-i", "20260101", "-e", "20400101"]
    run("ldnsutils", "ldns-signzone", *times, "-o", ORIGIN, "-z", "1:1", "zone", key, folder=tmp_path)
    text = (tmp_path / "zone.signed").read_bytes().replace(b"192.0.2.3", b"192.0.2.33")  # glue: not signed
    assert [finding.check for finding in judge(text, verify=True)] == ["zonemd-digest"]


def test_time_decides_about_signatures(tmp_path: Path) -> None:
    text = sign(tmp_path, "ECDSAP256SHA256")
    before, after = 1_767_225_599.0, 3_786_912_001.0  # a second before 2026-01-01 and after 2090-01-01
    assert {finding.check for finding in judge(text, now=before)} == {"rrsig-not-yet-valid"}
    assert {finding.check for finding in judge(text, now=after)} == {"rrsig-expired"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_key_tags_are_those_of_bind(algorithm: str, tmp_path: Path) -> None:
    size = ["-b", "2048"] if algorithm.startswith("RSA") else []
    stem = run("bind9-utils", "dnssec-keygen", "-q", "-a", algorithm, *size, ORIGIN, folder=tmp_path).strip()
    zone = run_to_end(
        parse((tmp_path / f"{stem}.key").read_bytes(), names.from_text("example.com."), "key", _include, 0)
    ).zone
    assert zone is not None
    rdatas = list(itertools.chain.from_iterable(rrset.rdatas for rrset in zone.rrsets()))
    assert [key_tag(rdata) for rdata in rdatas] == [int(stem.rpartition("+")[2])]


def _include(path: str) -> bytes:
    raise FileNotFoundError(path)


@pytest.mark.parametrize("denial", ["nsec", "nsec3"])
def test_any_record_that_is_missing_from_a_signed_zone_is_found(denial: str, tmp_path: Path) -> None:
    text = sign(tmp_path, "ECDSAP256SHA256", "-x", "-O", "full", *DENIALS[denial]).decode()
    lines = [line for line in text.splitlines() if line and not line.startswith(";")]
    assert judge("\n".join([*lines, ""]).encode()) == []
    for index, line in enumerate(lines):
        assert judge("\n".join([*lines[:index], *lines[index + 1 :], ""]).encode()), line


@pytest.mark.parametrize("denial", ["nsec", "nsec3", "nsec3-opt-out"])
def test_a_signed_zone_with_a_record_removed_or_moved_is_bad_when_bind_says_so(denial: str, tmp_path: Path) -> None:
    if verifier() is None:
        pytest.skip("the package cryptography is not installed")
    text = sign(tmp_path, "ECDSAP256SHA256", "-x", "-O", "full", *DENIALS[denial]).decode()
    lines = [line for line in text.splitlines() if line and not line.startswith(";")]
    changed = tmp_path / "changed"
    for index, line in enumerate(lines):
        owner, rest = line.split(maxsplit=1)
        other = lines[(index * 7 + 3) % len(lines)].split(maxsplit=1)[0]
        moved = [f"{other} {rest}"] if other != owner else []
        for version in ([*lines[:index], *lines[index + 1 :]], [*lines[:index], *moved, *lines[index + 1 :]]):
            changed.write_text("\n".join([*version, ""]))
            tree = programs("bind9-utils")
            command = [str(tree.path("dnssec-verify")), "-q", "-o", ORIGIN, str(changed)]
            is_bad = subprocess.run(command, env=tree.environment, capture_output=True, check=False).returncode != 0
            found = {finding.check for finding in judge(changed.read_bytes(), verify=True)}
            about_signatures = found - {"glue-missing", "occluded-by-delegation"}
            assert bool(about_signatures) == is_bad, (line, other, found)
