"""The scanner reads every line as the parser does: its source as plain Python, and compiled where it is."""

import datetime as dt
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dns_platform.compiled import is_compiled
from tests.zones.zonefile.corpus import RIGHT, WRONG
from tests.zones.zonefile.support import HEAD, read
from tests.zones.zonefile.test_oracles import DIALECT
from tests.zones.zonefile.test_properties import RDATA
from zones import rdtypes
from zones.findings import Finding, Place
from zones.rrset import RRset
from zones.zonefile import parser
from zones.zonefile.writer import rdata_text

NAME = "zones.zonefile.scanner"
Outcome = tuple[list[tuple[RRset, list[Place]]] | None, tuple[Finding, ...]]


def source() -> ModuleType:
    """The scanner as plain Python, also where an extension module stands beside it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("rdata_scanner", "dnssec_scanner", "scanner"):  # each imports those before it
            spec = importlib.util.spec_from_file_location(name, Path(parser.__file__).with_name(f"{name}.py"))
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            assert not module.COMPILED
            patch.setitem(sys.modules, f"zones.zonefile.{name}", module)
    return module


@pytest.fixture(params=["plain", "compiled"], scope="module")
def scanner(request: pytest.FixtureRequest) -> Iterator[type]:
    if request.param == "plain":
        yield source().Scanner
    elif is_compiled(NAME):
        yield importlib.import_module(NAME).Scanner
    else:
        pytest.skip("the scanner is not compiled")


def outcome(text: bytes, scanner: type | None) -> Outcome:
    """Everything that comes of a file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parser, "SCANNER", scanner)
        parsed = read(text)
    zone = parsed.zone
    if zone is None:
        return None, parsed.findings
    return [
        (rrset, [zone.place(rrset.owner, rrset.rdtype, index) for index in range(len(rrset.rdatas))])
        for rrset in zone.rrsets()
    ], parsed.findings


def assert_same(text: bytes, scanner: type) -> None:
    assert outcome(text, scanner) == outcome(text, None)


def test_each_line_of_the_corpus(scanner: type) -> None:
    for corpus in (RIGHT, WRONG):
        for mnemonic, texts in corpus.items():
            for text in texts:
                for end in ("\n", "\r\n", " ; comment\n", ";\n", "\t \n", "", " x\n", "\r", '"\n', "(\n"):
                    assert_same(f"{HEAD}x {mnemonic} {text}{end}".encode(), scanner)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_each_entry_of_the_corpus_in_parentheses(scanner: type, newline: str) -> None:
    for corpus in (RIGHT, WRONG):
        for mnemonic, texts in corpus.items():
            for text in texts:
                lines = text.replace(" ", f" ; comment{newline}\t\t")
                for entry in (f"({text})", f"({newline}{lines}{newline}) ; x", f"{lines} (", f"( {lines} )"):
                    after = f"{newline}y A 192.0.2.1{newline} A 192.0.2.2{newline}"
                    assert_same(f"{HEAD}x {mnemonic} {entry}{after}".encode(), scanner)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_dialect(scanner: type, newline: str) -> None:
    assert_same(DIALECT.replace("\n", newline).encode(), scanner)


@pytest.mark.parametrize(
    "text",
    [
        "$ORIGIN example.net.\na A 192.0.2.1\n",
        "$ORIGIN sub\na A 192.0.2.1\nb.example. A 192.0.2.1\nc.example.net. A 192.0.2.1\n",
        "$ORIGIN .\na A 192.0.2.1\nexample A 192.0.2.1\nxexample A 192.0.2.1\n",
        "$TTL 5\na A 192.0.2.1\n$TTL\t1h30m ; x\na A 192.0.2.2\n$TTL 0\r\nb AAAA ::1\n$TTL 2147483647\nc AAAA ::1\n",
        "$TTL 2147483648\na A 192.0.2.1\n$TTL 4294967295\nb A 192.0.2.1\n$TTL 4294967296\nc A 192.0.2.1\n",
        '$TTL\n$TTL \n$TTL ;\n$TTL x\n$TTL 5 5\n$TTL 5x\n$TTL 1h2h\n$TTL -1\n$TTL "5"\n$TTL (5)\n$TTL \\065\n',
        '$ttl 5\na A 192.0.2.1\n$TTL5\nb A 192.0.2.1\n$ TTL 5\n $TTL 6\nc A 192.0.2.1\n"$TTL" 7\nd A 192.0.2.1\n$TTL 8',
        "a 1h A 192.0.2.1\na 2147483648 A 192.0.2.1\na 0 IN A 192.0.2.1\na IN 5 A 192.0.2.1\na 5 5 A 192.0.2.1\n",
        f"{'x' * 63} A 192.0.2.1\n{'x' * 64} A 192.0.2.1\n",
        f"{'.'.join(['x' * 63] * 3)}.{'x' * 53} A 192.0.2.1\n{'.'.join(['x' * 63] * 3)}.{'x' * 54} A 192.0.2.1\n",
        f'a TXT {"x" * 255}\na TXT {"x" * 256}\na TXT "{"x" * 255}"\na TXT "{"x" * 256}"\n',
        f"a TXT {'x' * 200} {'x' * 200} {'x' * 200}\na TXT {' '.join(['x' * 200] * 12)}\n",
        "@ A 192.0.2.1\n@. A 192.0.2.1\n@x A 192.0.2.1\nx@ A 192.0.2.1\n@@ A 192.0.2.1\na CNAME @\na MX 5 @\n",
        "IN A 192.0.2.1\nA A 192.0.2.1\n300 A 192.0.2.1\n300 300 A 192.0.2.1\n in a 192.0.2.1\n IN IN A 192.0.2.1\n",
        "@ SOA a b 1 2 3 4 5\n@ SOA a b 4294967295 1w2d3h4m5s 1H30 1W 5s ; x\n@ SOA @ b.example. 01 0 0w 1d1m 5\r\n",
        "@ SOA a b 4294967296 2 3 4 5\n@ SOA a b 1 7102w 3 4 5\n@ SOA a b 1 1m1h 3 4 5\n@ SOA a b 1 h 3 4 5\n",
        "@ SOA a b 1h 2 3 4 5\n@ SOA a b 1 2s3 3 4 5\n@ SOA a b 1 2 3 4\n@ SOA a b 1 2 3 4 5 6\n@ SOA a b 1 2x 3 4 5\n",
        "@ SOA a b 1 00000000000000000005 3 4 5\n@ SOA a b 1 1h1h 3 4 5\n@ SOA a b 1 -2 3 4 5\n@ SOA a\n@ SOA\n",
        " A 192.0.2.9\n\tA 192.0.2.8\n   \n\t\n;\n ;\n\n  5 A 192.0.2.7\n",
        "a A 192.0.2.1 \n\na  A  192.0.2.2\t\t\n",
        "a CNAME .\na CNAME a.\na CNAME a..b\na CNAME .a\na CNAME a.b.c.d.e.\n",
        "".join(
            f"a RRSIG A 13 2 {ttl} {end} {begin} 5 @ AAAA\n"
            for ttl, end, begin in [
                ("60", "20240229235959", "20230228000000"),
                ("1h", "20230229000000", "20240230000000"),
                ("4294967295", "4294967295", "0"),
                ("4294967296", "1", "1"),
                ("1", "4294967296", "00000000000001"),
                ("1", "21060207062816", "19691231235959"),
                ("1", "20000229000000", "19000229000000"),
                ("1", "20240431000000", "20240430000000"),
                ("1", "20240101240000", "20240101236060"),
                ("1", "99991231235959", "20240013000000"),
                ("1", "20240100000000", "2024010100000x"),
            ]
        ),
        "".join(
            f"a DNSKEY 257 3 13 {key}\n"
            for key in ("AAAA", "AAA=", "AA==", "A===", "====", "AAB=", "AB==", "AAAA=", "AA==AAAA", "A")
        ),
        "a DNSKEY 257 3 13 A AAA\na DNSKEY 257 3 13 AA == ;\na DNSKEY 257 3 13\na DNSKEY 257 3 13 AA== AA==\n",
        'a DS 1 2 3 a b\na DS 1 2 3 abc\na DS 1 2 3\na DS 1 256 3 ab\na DS 65536 2 3 ab\na DS 1 2 3 ab"cd"\n',
        "a NSEC b\na NSEC b A TYPE5 A\na NSEC b CAA A URI\na NSEC b TYPE65280\na NSEC . a\na NSEC b AX\na NSEC b ANY\n",
        "".join(
            f"a NSEC3 1 1 10 {salt} {digest} A CAA\n"
            for salt, digest in [
                ("-", "0" * 32),
                ("ab", "V" * 32),
                ("AB", "v" * 32),
                ("abc", "0" * 32),
                ("-", "w" * 32),
                ("-", "0" * 31),
                ("f" * 510, "01234567"),
                ("f" * 512, "01234567"),
                ("-", "1" * 400),
                ("-", "1" * 408),
                ("--", "0" * 8),
            ]
        ),
        "a NSEC3PARAM 1 0 0 -\na NSEC3PARAM 1 0 65536 -\na NSEC3PARAM 1 0 0 ab cd\na NSEC3PARAM 1 0 0\n",
        "a TLSA 3 1 1 ab\na SMIMEA 3 1 256 ab\na SSHFP 1 2 ab cd\na SSHFP 1 2\n",
        'a CAA 0 issue ""\na CAA 0 issue x\na CAA 0 issue "x;(y)"\na CAA 0 i_ssue x\n',
        "a CAA 256 issue x\na CAA 0 issue\n",
        f'a CAA 0 {"i" * 255} x\na CAA 0 {"i" * 256} x\na CAA 0 issue "x"y\n',
        'a CAA 0 issue x"y"\na CAA 0 issue x y\n',
        "a A (192.0.2.1)\na A 192.0.2.1 (\n\n)\na A ( 192.0.2.1 ) ; x\na A (\n192.0.2.1\n\n) x\n",
        "a A 192.0.2.1 )\na A ((192.0.2.1))\na A (192.0.2.1\n",
        "a A () 192.0.2.1 ()\na MX (1)b(\n)\n",
        "a ( A 192.0.2.1 )\na (\nA\n192.0.2.1)\n( A 192.0.2.1 )\n ( A 192.0.2.1 )\n",
        'a TXT ( "x" "y"\n"z" ; "u"\n w )\na TXT ("x"y)\na TXT ("x""y")\na TXT ("x")("y")\na TXT (\n)\n',
        'a TXT ( "x\n" )\na TXT ( x\ry )\na TXT ( x \r\n\r\n y )\r\na TXT (x;)\n)\n',
        "a DNSKEY 257 3 13 (\n\tAAAA\n\tAA==\n\t) ; KSK; key id = 5\na DNSKEY 257 3 13 ( AA\n= = )\n",
        "a DNSKEY ( 257 3 13 A )\na DS 1 2 3 a\na NSEC3PARAM 1 0 0 ab\n",  # digits that are left over stay behind
        f"a DNSKEY 257 3 13 (\n{'AAAA' * 15 + chr(10)}{('A' * 60 + chr(10)) * 40})\na A 192.0.2.1\n",
        f"a TXT ( {'x ;' + 'y' * 2030}\n )\na TXT ( {'x ;' + 'y' * 2040}\n )\na A 192.0.2.1\n",
    ],
)
def test_edges(scanner: type, text: str) -> None:
    assert_same(f"{HEAD}{text}".encode(), scanner)
    for line in text.splitlines(keepends=True):
        assert_same(f"{HEAD}{line}".encode(), scanner)


WORDS = """
    @ a a.b A.b.example. x.net. . .. 300 0 2147483648 IN in A AAAA NS TXT MX SRV 192.0.2.1 1.2.3 256.1.1.1 :: ::1 1::
    1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:: 1::2::3 ::1.2.3.4 12345:: 10 65535 65536 00010 "" " \\065 ( ) ; \xe9 $TTL $ORIGIN \0
"""
FIELDS = st.sampled_from([*WORDS.split(), '"x y"', '"x;("', "\r", "x" * 70])
SEPARATORS = st.sampled_from([" ", " ", " ", "\t", "  ", "", "\n", "\n", "\r\n"])
TEXTS = st.lists(st.tuples(FIELDS, SEPARATORS), max_size=25).map(
    lambda pairs: "".join(field + separator for field, separator in pairs).encode("latin-1")
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(TEXTS)
def test_any_fields(scanner: type, text: bytes) -> None:
    assert_same(HEAD.encode() + b"a " + text, scanner)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.data())
def test_a_changed_octet(scanner: type, data: st.DataObject) -> None:
    text = bytearray(
        b'www 300 IN AAAA 2001:db8::1\n A 192.0.2.1\nm MX 10 mail.example.\nt TXT "a b" c\n_s SRV 1 2 3 x\n'
    )
    position = data.draw(st.integers(0, len(text) - 1))
    text[position : position + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    assert_same(HEAD.encode() + bytes(text), scanner)


NUMBER = st.integers(0, 300).map(str)
WORD = st.text("0123456789abcdefABVWvz+/=-", min_size=1, max_size=12)
TYPES = st.lists(st.sampled_from(["A", "NS", "CAA", "URI", "TYPE1", "TYPE65280", "RRSIG", "DLV", "x"]), max_size=5)
TIME = st.one_of(
    st.datetimes(min_value=dt.datetime(1960, 1, 1), max_value=dt.datetime(2300, 1, 1)).map(
        lambda moment: moment.strftime("%Y%m%d%H%M%S")
    ),
    st.integers(0, 1 << 33).map(str),
    st.text("0123456789", min_size=14, max_size=14),
)


def fields(*parts: str | st.SearchStrategy[str] | st.SearchStrategy[list[str]]) -> st.SearchStrategy[str]:
    """Fields of a line between blanks."""
    made = [st.just(part) if isinstance(part, str) else part for part in parts]
    return st.tuples(*made).map(lambda row: " ".join(part if isinstance(part, str) else " ".join(part) for part in row))


SIGNED = st.one_of(
    fields("RRSIG", st.sampled_from(["A", "TYPE65280", "x"]), NUMBER, NUMBER, NUMBER, TIME, TIME, NUMBER, "b", WORD),
    fields("NSEC", "b", TYPES),
    fields("NSEC3", NUMBER, NUMBER, NUMBER, WORD, WORD, TYPES),
    fields("NSEC3PARAM", NUMBER, NUMBER, NUMBER, WORD),
    fields(st.sampled_from(["DS", "CDS", "DNSKEY", "CDNSKEY", "TLSA", "SMIMEA"]), NUMBER, NUMBER, NUMBER, WORD, WORD),
    fields("SSHFP", NUMBER, NUMBER, WORD),
    fields("CAA", NUMBER, WORD, WORD),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(SIGNED)
def test_fields_of_the_types_of_dnssec(scanner: type, line: str) -> None:
    assert_same(f"{HEAD}a {line}\n".encode(), scanner)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(SIGNED, st.lists(st.sampled_from([" ", "\n", "(", ")", " ( ", " )", " ;)\n", "\r\n", "\r"]), max_size=12))
def test_fields_of_the_types_of_dnssec_between_parentheses(scanner: type, line: str, separators: list[str]) -> None:
    rdtype, *words = line.split(" ")
    rdata = "".join(word + gap for word, gap in zip(words, [*separators, *[" "] * len(words)], strict=False))
    assert_same(f"{HEAD}a {rdtype} {rdata}\n)\nb A 192.0.2.1\n".encode(), scanner)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(RDATA)
def test_right_rdata_of_all_types_in_the_zone_that_is_written(scanner: type, record: tuple[int, bytes]) -> None:
    rdtype, rdata = record
    assert_same(f"{HEAD}a {rdtypes.to_text(rdtype)} {rdata_text(rdtype, rdata)}\n".encode(), scanner)
