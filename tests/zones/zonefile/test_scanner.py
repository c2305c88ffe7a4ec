"""The scanner reads every line as the parser does: its source as plain Python, and compiled where it is."""

import importlib.util
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
from zones.findings import Finding, Place
from zones.zone import RRset
from zones.zonefile import parser

NAME = "zones.zonefile.scanner"
Outcome = tuple[list[tuple[RRset, list[Place]]] | None, tuple[Finding, ...]]


def source() -> ModuleType:
    """The scanner as plain Python, also where an extension module stands beside it."""
    path = Path(parser.__file__).with_name("scanner.py")
    spec = importlib.util.spec_from_file_location("plain_scanner", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert not module.COMPILED
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
def test_the_dialect(scanner: type, newline: str) -> None:
    assert_same(DIALECT.replace("\n", newline).encode(), scanner)


@pytest.mark.parametrize(
    "text",
    [
        "$ORIGIN example.net.\na A 192.0.2.1\n",
        "$ORIGIN sub\na A 192.0.2.1\nb.example. A 192.0.2.1\nc.example.net. A 192.0.2.1\n",
        "$ORIGIN .\na A 192.0.2.1\nexample A 192.0.2.1\nxexample A 192.0.2.1\n",
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
