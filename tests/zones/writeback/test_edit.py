from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zones import name as names
from zones import rdtypes
from zones.rrset import RRset
from zones.slices import run_to_end
from zones.writeback.edit import CannotEdit, Change, edit
from zones.zone import Zone
from zones.zonefile import parse

ORIGIN = names.from_text("example.com.")
TEXT = b"""\
; our zone
$TTL 1h
@\tIN SOA ns1 hostmaster (
\t\t7      ; serial, mind it
\t\t2h 1h 2w 5m )
\tNS ns1
\tNS ns2          ; the other one
ns1 A 192.0.2.1
ns2 300 IN A 192.0.2.2

; web
WWW  A 192.0.2.80
     A 192.0.2.81 ; spare
     AAAA 2001:db8::80
$ORIGIN sub.example.com.
host TXT ( "a"
           "b" )
     MX 10 mail
$ORIGIN example.com.
$GENERATE 1-3 gen$ A 192.0.2.$
$INCLUDE inc/more
last A 192.0.2.99"""
FILES = {"inc/more": b"inc A 192.0.2.50\n"}


def read(text: bytes) -> Zone:
    def include(path: str) -> bytes:
        return FILES[path]

    parsed = run_to_end(parse(text, ORIGIN, "example.com", include))
    assert parsed.zone is not None, parsed.findings
    return parsed.zone


def owner_of(name: str) -> bytes:
    return names.fold(names.from_text(name, ORIGIN))


def change(name: str, rdtype: int, ttl: int = 0, *rdatas: bytes) -> Change:
    owner = owner_of(name)
    return Change(owner, rdtype, RRset(owner, rdtype, ttl, rdatas) if rdatas else None)


def address(last: int) -> bytes:
    return bytes([192, 0, 2, last])


def run(text: bytes, *changes: Change, serial: int = 8) -> bytes:
    return run_to_end(edit(text, read(text), changes, serial, FILES.__getitem__)).text


def lines_changed(before: bytes, after: bytes) -> tuple[list[bytes], list[bytes]]:
    """Lines that went and that came."""
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


SERIAL = (b"\t\t7      ; serial, mind it", b"\t\t8      ; serial, mind it")


@pytest.mark.parametrize(
    ("changes", "gone", "came"),
    [
        ([], [], []),
        ([change("ns2", rdtypes.A)], [b"ns2 300 IN A 192.0.2.2"], []),
        ([change("last", rdtypes.A)], [b"last A 192.0.2.99"], []),
        ([change("www", rdtypes.A, 3600, address(80))], [b"     A 192.0.2.81 ; spare"], []),
        (
            [change("www", rdtypes.A, 3600, address(81))],
            [b"WWW  A 192.0.2.80", b"     A 192.0.2.81 ; spare"],
            [b"WWW     A 192.0.2.81 ; spare"],
        ),
        (
            [change("www", rdtypes.A)],
            [b"WWW  A 192.0.2.80", b"     A 192.0.2.81 ; spare", b"     AAAA 2001:db8::80"],
            [b"WWW     AAAA 2001:db8::80"],
        ),
        ([change("new", rdtypes.A, 60, address(9))], [], [b"new.example.com. 60 A 192.0.2.9"]),
        (
            [change("ns1", rdtypes.A, 3600, address(1), address(11))],
            [],
            [b"ns1 3600 A 192.0.2.11"],
        ),
        (
            [change("host.sub", rdtypes.TXT, 60, b"\x01c")],
            [b'host TXT ( "a"', b'           "b" )', b"     MX 10 mail"],
            [b"host     MX 10 mail", b'host.sub.example.com. 60 TXT "c"'],
        ),
        ([change("ns2", rdtypes.A, 60, address(2))], [b"ns2 300 IN A 192.0.2.2"], [b"ns2 60 IN A 192.0.2.2"]),
        ([change("ns1", rdtypes.A, 60, address(1))], [b"ns1 A 192.0.2.1"], [b"ns1 60 A 192.0.2.1"]),
        ([change("inc", rdtypes.TXT, 60, b"\x01x")], [], [b'inc.example.com. 60 TXT "x"']),
    ],
)
def test_only_the_lines_concerned_change(changes: list[Change], gone: list[bytes], came: list[bytes]) -> None:
    went, new = lines_changed(TEXT, run(TEXT, *changes))
    assert went == [SERIAL[0], *gone]
    assert new == [SERIAL[1], *came]


def test_new_records_stand_behind_those_of_their_owner() -> None:
    lines = run(TEXT, change("ns1", rdtypes.TXT, 60, b"\x01x")).splitlines()
    assert lines[lines.index(b"ns1 A 192.0.2.1") + 1] == b'ns1 60 TXT "x"'


def test_fields_of_the_soa_change_where_they_stand() -> None:
    rdata = bytes.fromhex("00000063 00000e10 00000e10 00127500 0000012c")
    soa = owner_of("ns2") + owner_of("hostmaster") + rdata
    went, new = lines_changed(TEXT, run(TEXT, change("@", rdtypes.SOA, 60, soa), serial=99))
    assert went == [b"@\tIN SOA ns1 hostmaster (", SERIAL[0], b"\t\t2h 1h 2w 5m )"]
    assert new == [
        b"@\t60 IN SOA ns2.example.com. hostmaster (",
        b"\t\t99      ; serial, mind it",
        b"\t\t3600 1h 2w 5m )",
    ]


def test_line_ends_are_kept() -> None:
    text = TEXT.replace(b"\n", b"\r\n")
    result = run(text, change("new", rdtypes.A, 60, address(9)), change("ns2", rdtypes.A))
    assert result.count(b"\r\n") == result.count(b"\n")


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        (change("gen2", rdtypes.A), "made by a directive"),
        (change("inc", rdtypes.A), "inc/more:1:1"),
        (change("inc", rdtypes.A, 60, address(50)), "other zones may include"),
        (change("@", rdtypes.SOA), "SOA"),
    ],
)
def test_what_cannot_be_edited_in_place_is_refused(wish: Change, complaint: str) -> None:
    with pytest.raises(CannotEdit, match=complaint):
        run(TEXT, wish)


def test_an_edit_that_would_change_anything_else_is_refused() -> None:
    twice = TEXT + b"\nlast A 192.0.2.99\n"
    with pytest.raises(CannotEdit, match="stand there twice"):
        run(twice, change("last", rdtypes.A))
    inherited = b"@ 60 SOA ns1 h 7 1 1 1 1\n@ NS ns1\nns1 5 A 192.0.2.1\nns2 A 192.0.2.2\n"
    with pytest.raises(CannotEdit, match="TTL from a record before"):
        run(inherited, change("ns1", rdtypes.A))


NAMES = st.sampled_from(["@", "ns1", "ns2", "www", "host.sub", "last", "new", "a.b.c", "gen4", "x y"])
ADDRESSES = st.lists(st.integers(1, 254).map(address), unique=True, max_size=4)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(NAMES, ADDRESSES, st.integers(0, 2**31 - 1)), max_size=6),
    st.lists(st.tuples(NAMES, st.binary(max_size=255)), max_size=4),
)
def test_any_series_of_changes_gives_the_zone_that_was_asked_for(
    addresses: list[tuple[str, list[bytes], int]], strings: list[tuple[str, bytes]]
) -> None:
    text, serial = TEXT, 7
    expected: Mapping[tuple[bytes, int], RRset] = {(found.owner, found.rdtype): found for found in read(text).rrsets()}
    for name, rdatas, ttl in addresses:
        serial += 1
        wish = change(name.replace(" ", "\\032"), rdtypes.A, ttl, *rdatas)
        text = run(text, wish, serial=serial)
        expected = _after(expected, wish)
    for name, string in strings:
        serial += 1
        wish = change(name.replace(" ", "\\032"), rdtypes.TXT, 60, bytes([len(string)]) + string)
        text = run(text, wish, serial=serial)
        expected = _after(expected, wish)
    found = {(rrset.owner, rrset.rdtype): (rrset.ttl, set(rrset.rdatas)) for rrset in read(text).rrsets()}
    soa = (ORIGIN, rdtypes.SOA)
    assert {key: value for key, value in found.items() if key != soa} == {
        key: (rrset.ttl, set(rrset.rdatas)) for key, rrset in expected.items() if key != soa
    }
    assert read(text).serial == serial
    for line in TEXT.splitlines():
        if b";" in line and not line.strip().startswith((b"A ", b"7 ")):
            assert line in text.splitlines()


def _after(zone: Mapping[tuple[bytes, int], RRset], wish: Change) -> Mapping[tuple[bytes, int], RRset]:
    changed = {key: rrset for key, rrset in zone.items() if key != (wish.owner, wish.rdtype)}
    if wish.after is not None:
        changed[wish.owner, wish.rdtype] = wish.after
    return changed
