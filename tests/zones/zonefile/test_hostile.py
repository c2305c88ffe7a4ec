"""Files that are made to break a parser: each gives findings, in bounded time and memory, and no exception."""

import base64
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zones.zonefile.support import HEAD, ORIGIN, errors, read, records
from tests.zones.zonefile.test_oracles import DIALECT
from zones import name as names
from zones.slices import run_to_end
from zones.zonefile import parse, parser
from zones.zonefile.generate import MAX_STEPS
from zones.zonefile.lexer import MAX_ENTRY, MAX_FIELDS

LONG = 10_000_000
TOO_LONG = f"entry of more than {MAX_ENTRY} octets or {MAX_FIELDS} fields"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'a TXT "never closed\nb A 192.0.2.1\n', ["1:7 quote is never closed: '\"never closed'"]),
        (b'a TXT "', ["1:7 quote is never closed: '\"'"]),
        (
            b"a TXT (never closed\n b\n c\n",
            ["1:7 parenthesis is never closed", "2:2 unknown type 'b'", "3:2 unknown type 'c'"],
        ),
        (b"a TXT ((x))\n", ["1:8 parenthesis inside parentheses"]),
        (b"a TXT x)\n", ["1:8 closing parenthesis without an opening one"]),
        (b"(a TXT x)\n", ["1:1 parenthesis in place of an owner"]),
        (b"a TXT " + b"(" * 100_000 + b"x\n", ["1:8 parenthesis inside parentheses"]),
        (b"a TXT " + b"x" * LONG + b"\n", [f"1:1 {TOO_LONG}"]),
        (b'a TXT "' + b"x" * LONG + b'"\n', [f"1:1 {TOO_LONG}"]),
        (b"a TXT " + b"x " * (LONG // 2) + b"\n", [f"1:1 {TOO_LONG}"]),
        (
            b"a TXT (" + b"x\n" * (LONG // 2) + b"\n",
            [
                f"1:7 {TOO_LONG}",
                *[f"{line}:2 a type is missing" for line in range(2, 21)],
                "-3:0 and more: reading stopped after 20 errors",
            ],
        ),
        (b"a TXT \\", ["1:7 bad escape '\\'"]),
        (b"a TXT \\256\n", ["1:7 bad escape '\\256'"]),
        (b"a TXT \\12\n", ["1:7 bad escape '\\12'"]),
        (b"a\0b A 192.0.2.1\n", ["1:2 control character '\\x00'"]),
        (b'a TXT "\x01"\n', ["1:8 control character '\\x01'"]),
        ("bücher A 192.0.2.1\n".encode(), ["1:2 octet '\\xc3' outside ASCII"]),
        ('a TXT "bücher"\n'.encode(), ["1:9 octet '\\xc3' outside ASCII"]),
        (b"a A 192.0.2.1\rb A 192.0.2.2\n", ["1:14 carriage return inside a line"]),
        (b'a TXT x"y"\n', ["1:8 quote inside a field"]),
        (b'a TXT "x"y\n', ["1:10 quote inside a field"]),
        (b'a TXT x="y"\n', ["1:7 quote inside 'x=\"y\"'"]),
        (b'"a" TXT x\n', ["1:1 '\"a' in place of a name"]),
        (b'a CNAME b="c"\n', ["1:9 'b=\"c\"' in place of a name"]),
        (
            b"a CNAME " + b"x." * 5000 + b"\n",
            ["1:9 'x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x....' is no name: name longer than 255 octets"],
        ),
        (
            b".".join([b"x" * 63] * 4) + b" A 192.0.2.1\n",
            [f"1:1 '{'x' * 40}...' is no name: name longer than 255 octets"],
        ),
        (b"x" * 64 + b" A 192.0.2.1\n", [f"1:1 '{'x' * 40}...' is no name: label longer than 63 octets"]),
        (b"a TYPE65280 \\# 65536 00\n", ["1:16 '65536' is no rdata length"]),
        (b"a TXT " + b'"' + b'" "'.join([b"x" * 255] * 257) + b'"\n', ["1:7 rdata of 65792 octets"]),
        (b"a SVCB 1 . key65000=" + b"x" * 5000 + b"\n", ["1:8 rdata of SVCB longer than 4096 characters"]),
        (b"a A 99999999999999999999999999999\n", ["1:5 '99999999999999999999999999999' is no IPv4 address"]),
        (b"a " + b"9" * 5000 + b" A 192.0.2.1\n", [f"1:3 '{'9' * 40}...' is neither a TTL nor a type"]),
        (b"a MX " + b"9" * 5000 + b" b\n", [f"1:6 '{'9' * 40}...' is no preference"]),
        (b"a 4294967296 A 192.0.2.1\n", ["1:3 '4294967296' is neither a TTL nor a type"]),
        (b"$GENERATE 1-2147483647 a$ A 192.0.2.1\n", ["1:11 range of 2147483647 records"]),
        (f"$GENERATE 0-{MAX_STEPS} a$ A 192.0.2.1\n".encode(), [f"1:11 range of {MAX_STEPS + 1} records"]),
        (b"$GENERATE 1-2 a${0,99999999} A 192.0.2.1\n", ["1:15 format '{0,99999999}' is too large"]),
        (b"$GENERATE 1-3 a$ A 192.0.2.25$\n", []),
        (b"$GENERATE 5-7 a$ A 192.0.2.25$\n", ["1:20 '192.0.2.256' is no IPv4 address, with 6 for $"]),
        (b"$GENERATE 1-3 a$ A\n", ["1:19 an IPv4 address is missing, with 1 for $"]),
        (b"$GENERATE 1-3 a$\n", ["1:17 a type is missing"]),
        (b"$GENERATE\n", ["1:10 a range is missing"]),
        (b'$GENERATE 1-2 a$ TXT "x ( $"\n', ["1:22 parenthesis is never closed, with 1 for $"]),
        (b"$ORIGIN\n", ["1:8 a name is missing"]),
        (b"$TTL x\n", ["1:6 'x' is no TTL"]),
        (b"$TTL 1 2\n", ["1:8 unexpected '2'"]),
        (b"$BOGUS 1\n", ["1:1 unknown directive '$BOGUS'"]),
        (b" $TTL 1\n", ["1:2 directive '$TTL' behind a blank"]),
        (b"a CH A 192.0.2.1\n", ["1:3 class 'CH'"]),
        (b"a CLASS3 A 192.0.2.1\n", ["1:3 class 'CLASS3'"]),
        (b"a ANY x\n", ["1:3 type 'ANY' has no place in zones"]),
        (b"a AXFR x\n", ["1:3 type 'AXFR' has no place in zones"]),
        (b"a TYPE255 \\# 0\n", ["1:3 type 'TYPE255' has no place in zones"]),
        (b"a OPT \\# 0\n", ["1:3 type 'OPT' has no place in zones"]),
        (b"a TYPE65536 \\# 0\n", ["1:3 unknown type 'TYPE65536'"]),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else "",
)
def test_errors_say_what_and_where(text: bytes, expected: list[str]) -> None:
    if expected:
        assert errors(text) == expected
    else:
        assert records(text)


def test_the_first_record_needs_an_owner_and_a_ttl() -> None:
    assert [str(found) for found in read(" A 192.0.2.1\n@ A 192.0.2.1\n").findings] == [
        "example:1:2: error: record without an owner before any owner was given; begin with a name or @ [syntax]",
        "example:2:1: error: record without a TTL; begin the file with $TTL, as in $TTL 1h [syntax]",
    ]


def test_a_byte_order_mark_is_skipped_and_utf_16_refused() -> None:
    assert read(b"\xef\xbb\xbf" + HEAD.encode()).zone is not None
    for encoding in ("utf-16-le", "utf-16-be"):
        (found,) = read(("\ufeff" + HEAD).encode(encoding)).findings
        assert found.message == "the file is UTF-16"
    assert read(HEAD.encode("utf-16-le")).zone is None


def test_an_error_that_repeats_is_reported_so_often_and_no_more() -> None:
    assert errors("x BOGUS\n" * 100_000) == [
        *[f"{line}:3 unknown type 'BOGUS'" for line in range(1, parser.MAX_ERRORS + 1)],
        "-3:0 and more: reading stopped after 20 errors",
    ]


def test_messages_escape_and_shorten_what_they_quote() -> None:
    (found,) = errors(b'a A "' + b"\\027" * 100 + b'"\n')
    assert found.isprintable()
    assert len(found) < 100


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "1:10 there is no file 'a'"),
        ({"a": b"$INCLUDE a\n"}, "1:10 a includes itself: a -> a"),
        ({"a": b"$INCLUDE b\n", "b": b"$INCLUDE ./a\n"}, "1:10 a includes itself: a -> b -> a"),
        ({"a": b"$INCLUDE example\n"}, "1:10 example includes itself: example -> a -> example"),
        (
            {"a": b"$INCLUDE 0\n", **{str(n): b"$INCLUDE %d\n" % (n + 1) for n in range(20)}},
            "1:10 more than 10 files, each included by the one before",
        ),
        ({"a": b"b A 192.0.2.400\n"}, "1:5 '192.0.2.400' is no IPv4 address"),
    ],
)
def test_includes_are_bounded(files: Mapping[str, bytes], expected: str) -> None:
    assert errors("$INCLUDE a\n", files) == [expected]


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", ".", '""', r"a\000b", r"\255"])
def test_includes_stay_inside_the_repository(path: str) -> None:
    (found,) = errors(f"$INCLUDE {path}\n")
    assert "leads out of the repository" in found


def test_includes_that_multiply_are_bounded() -> None:
    files = {str(level): b"$INCLUDE %d\n" % (level + 1) * 10 for level in range(8)}
    found = errors("$INCLUDE 0\n", {**files, "8": b""})
    assert found[0].endswith(f"more than {parser.MAX_INCLUDES} $INCLUDE directives")


def test_generated_records_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "MAX_GENERATED", 1000)
    assert len(records("$GENERATE 1-999 a$ TXT x\n")) == 999
    for text in ("$GENERATE 1-500 a$ TXT x\n" * 3, f"$GENERATE 1-501 a$ TXT {'x' * 250} {'x' * 250}\n"):
        assert errors(text)[0].endswith("$GENERATE makes more than 1000 records")


@given(st.binary(max_size=200))
def test_no_octets_raise(text: bytes) -> None:
    read(text)
    read(HEAD.encode() + text)


TOKENS = st.sampled_from(
    [
        b"a",
        b"@",
        b".",
        b"$TTL",
        b"$ORIGIN",
        b"$INCLUDE",
        b"$GENERATE",
        b"1-3",
        b"IN",
        b"CH",
        b"300",
        b"1h",
        b"A",
        b"TXT",
        b"SOA",
        b"SVCB",
        b"LOC",
        b"NSEC",
        b"RRSIG",
        b"TYPE1",
        b"\\#",
        b"4",
        b"192.0.2.1",
        b"::1",
        b'"',
        b'"x"',
        b"(",
        b")",
        b";",
        b"\\",
        b"\\065",
        b" ",
        b"\t",
        b"\n",
        b"\r\n",
        b"\0",
        b"\xff",
        b"$",
        b"${0,2,n}",
        b"alpn=",
        b"example.",
        b"x" * 70,
        b"AQID",
        b"abcdef",
        b"20260101000000",
    ]
)


@given(st.lists(TOKENS, max_size=30).map(b" ".join))
def test_no_fields_raise(text: bytes) -> None:
    read(HEAD.encode() + b"a " + text)


@given(st.data())
def test_no_change_to_a_good_file_raises(data: st.DataObject) -> None:
    text = bytearray(DIALECT.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(text) - 1))
        text[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    for found in read(bytes(text)).findings:
        assert str(found).isprintable()


def nothing(path: str) -> bytes:
    raise FileNotFoundError(path)


def test_slices_are_many() -> None:
    big = base64.b64encode(bytes(48)).decode()
    text = HEAD + "".join(f"h{number} TXT {big}\n" for number in range(5000))
    steps = 0
    work = parse(text.encode(), ORIGIN, "example", nothing)
    for _ in work:
        steps += 1
    assert steps > 5000 / 200
    assert run_to_end(parse(b"", names.ROOT, "root", nothing)).zone is not None
