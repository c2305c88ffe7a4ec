"""Zones that hypothesis breaks: Knot, BIND and NSD agree with our verdict, and find nothing that we don't."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.debian import need
from tests.support.zones import ORACLES, judge
from zones.findings import has_errors

BASE = [
    "@ SOA ns1 hostmaster 2026010101 7200 900 1209600 300",
    "@ NS ns1",
    "ns1 A 192.0.2.1",
    "www A 192.0.2.2",
    "mail AAAA 2001:db8::25",
    "@ MX 10 mail",
    "sub NS ns.sub",
    "ns.sub A 192.0.2.3",
    "alias CNAME www",
    "moved DNAME example.net.",
    "*.wild TXT any",
]
DIGEST = "ab" * 32
NAMES = """
@ ns1 www mail sub ns.sub deep.sub alias moved x.moved *.wild wild new a.new * *.sub _x._tcp under_score *.a.*.b
ns.example.net. WWW Ns1
"""
names = st.sampled_from(NAMES.split())
owners = names.filter(lambda name: not name.endswith("."))
rdatas = st.one_of(
    st.builds("{} {}".format, st.sampled_from(["CNAME", "DNAME", "NS", "PTR"]), names),
    st.builds("MX {} {}".format, st.integers(0, 2), names),
    st.builds("SRV 0 0 {} {}".format, st.integers(1, 2), names),
    st.builds("HTTPS {} {}".format, st.integers(0, 1), names),
    st.sampled_from(["A 192.0.2.1", "A 192.0.2.9", "AAAA 2001:db8::1", 'TXT "v=spf1 -all"', "TXT any"]),
    st.sampled_from(['SPF "v=spf1 -all"', "MX 0 .", "HINFO a b", "TYPE65534 \\# 1 00"]),
    st.sampled_from([f"DS 12345 13 2 {DIGEST}", f"DS 12345 13 9 {DIGEST}", f"CDS 12345 13 2 {DIGEST}"]),
    st.sampled_from(["SOA ns1 hostmaster 1 7200 900 1209600 300", "CDNSKEY 0 3 0 AA==", "CDS 0 0 0 00"]),
    st.sampled_from(["NSEC3PARAM 1 0 0 -", "NSEC3PARAM 2 0 0 -", "CSYNC 1 3 A NS"]),
)
added = st.lists(st.builds("{} {} {}".format, owners, st.sampled_from([300, 3600]), rdatas), max_size=5)
removed = st.lists(st.sampled_from(BASE), max_size=2)


octets = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"\0", b"\3www\7example\3com\0", b"\1*\0", b"\x06v=spf1", b"\0\0\0\0\0", b"\0\0\3\0\0"]),
    st.sampled_from([b"\1\1\3\x0d", b"\1\0\3\x08", b"\0\1\1\x40", b"\1\1\0\0\0\x14" + bytes(20)]),
)
rdata_of_any_type = st.tuples(owners, st.integers(1, 65), st.lists(octets, max_size=4).map(b"".join))
SIGNED = """\
@ DNSKEY 257 3 13 ABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDAA==
@ RRSIG SOA 13 2 3600 20900101000000 20260101000000 1 @ AAAA
@ NSEC ns1 A
"""


@settings(deadline=None)
@given(
    st.lists(rdata_of_any_type, max_size=6),
    st.sampled_from(["", SIGNED, SIGNED.replace("NSEC ns1 A", "NSEC3PARAM 1 0 0 -")]),
)
def test_no_rdata_that_the_parser_takes_is_too_odd_for_a_check(
    records: list[tuple[str, int, bytes]], signed: str
) -> None:
    head = "\n".join(["$TTL 3600", *BASE, signed])
    good = head
    for owner, rdtype, rdata in records:
        line = f"{owner} TYPE{rdtype} \\# {len(rdata)} {rdata.hex()}\n"
        if not any(finding.check == "syntax" for finding in judge((head + line).encode())):
            good += line
    judge(good.encode(), verify=True)


@pytest.fixture(scope="module")
def _oracles() -> None:
    for package in ("knot-dnssecutils", "bind9-utils", "nsd"):
        need(package)


def compare(removed: list[str], added: list[str]) -> None:
    lines = [line for line in BASE if line not in removed] + added
    text = "\n".join(["$TTL 3600", *lines, ""])
    findings = judge(text.encode())
    with tempfile.NamedTemporaryFile("w", suffix=".zone") as file:
        file.write(text)
        file.flush()
        verdicts = {name: oracle(Path(file.name)) for name, oracle in ORACLES.items()}
    refused = {name for name, verdict in verdicts.items() if verdict.refused}
    assert has_errors(findings) == bool(refused), f"{text}\n{findings}\n{verdicts}"
    if any(verdict.complaints for verdict in verdicts.values()):
        assert findings, f"{text}\n{verdicts}"


@pytest.mark.usefixtures("_oracles")
@settings(max_examples=30, deadline=None, derandomize=True)
@given(removed, added)
@example([], [])
def test_the_verdict_is_that_of_other_servers(removed: list[str], added: list[str]) -> None:
    compare(removed, added)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("_oracles")
@settings(max_examples=300, deadline=None)
@given(removed, added)
def test_the_verdict_is_that_of_other_servers_for_many_zones(removed: list[str], added: list[str]) -> None:
    compare(removed, added)
