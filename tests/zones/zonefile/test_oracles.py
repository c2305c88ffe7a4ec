"""What NSD, Knot and BIND make of the same files. Knot only tells whether it reads them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.debian import need
from tests.zones.zonefile.corpus import RIGHT
from tests.zones.zonefile.support import HEAD, read, zone_of
from zones.rrset import RRset

# Types younger than Debian 12, or so old that nobody writes them.
UNKNOWN_TO_NSD = {"AMTRELAY", "DSYNC", "GPOS", "HIP", "RESINFO", "WALLET"}
UNKNOWN_TO_KNOT = {
    "AMTRELAY", "AVC", "DSYNC", "GPOS", "HIP", "ISDN", "MB", "MG", "MR", "NSAP", "PX", "RESINFO", "WALLET", "X25",
}  # fmt: skip
# Forms that one of them does not take; docs/zonefile.md says why we do.
NSD_REFUSES = {"4000000000 1000000000"}
KNOT_REFUSES = {"AQ ID", '"a""b"'}
DIALECT = r"""$TTL 1h
$ORIGIN example.
@   IN SOA ns hostmaster (
        2026010101 ; serial
        1D 2h
        4W 5m30s ) ; minimum
    NS ns                 ; blank owner
ns  A 192.0.2.53
    AAAA 2001:db8::53
lower 300 in a 192.0.2.1
Upper IN 300 A 192.0.2.2
MIXED.Case A 192.0.2.3
$ORIGIN sub.example.
one A 192.0.2.4
$ORIGIN deeper.sub.example.
two A 192.0.2.5
$ORIGIN example.
$TTL 2h
three TXT ( "a" ; comment
   "b;c" "d(e)"
   f\;g )
four.example. TXT unquoted "quoted string"
esc\.aped A 192.0.2.6
\101bc A 192.0.2.7
* MX 10 mail.example.net.
*.wild.card A 192.0.2.8
generic TYPE65280 \# 4 ( 01 02
   0304 )
known TYPE1 \# 4 c0000209
class IN TYPE16 \# 2 0161
a-.-b A 192.0.2.10
_srv._tcp SRV 0 0 443 @
xn--bcher-kva A 192.0.2.11

   ; a comment line
<tab>
tabs	600	IN	A	192.0.2.12
last A 192.0.2.13""".replace("<tab>", "\t")


def run(package: str, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    tree = need(package)
    command = [str(tree.path(program)), *map(str, arguments)]
    return subprocess.run(command, env=tree.environment, capture_output=True, text=True, check=False, timeout=60)


def bind(file: Path) -> str | None:
    """The zone as BIND writes it, None where it refuses it."""
    lenient = [part for letter in "knmrSTM" for part in (f"-{letter}", "ignore")]
    done = run("bind9-utils", "named-compilezone", "-i", "none", *lenient, "-o", "-", "example", file)
    return done.stdout if done.returncode == 0 else None


def nsd(file: Path) -> str | None:
    """The zone as NSD writes it, None where it refuses it."""
    done = run("nsd", "nsd-checkzone", "-p", "example", file)
    return done.stdout if done.returncode == 0 else None


def knot_reads(file: Path) -> bool:
    """Whether Knot's parser takes the file, whatever its checks say of the content."""
    done = run("knot-dnssecutils", "kzonecheck", "-o", "example", file)
    return "failed to run semantic checks" not in done.stdout + done.stderr


def sets(text: str) -> set[RRset]:
    """RRsets of a zone file; records of a set have no order (RFC 2181 5)."""
    return {rrset._replace(rdatas=tuple(sorted(rrset.rdatas))) for rrset in zone_of(read(text)).rrsets()}


def right_records(unknown: set[str], refused: set[str]) -> list[str]:
    """Records of the corpus without the types and forms that a program does not take."""
    pairs = [(mnemonic, text) for mnemonic, texts in RIGHT.items() if mnemonic not in unknown for text in texts]
    records = [f"r{number} {mnemonic} {text}\n" for number, (mnemonic, text) in enumerate(pairs)]
    return [record for record in records if not any(form in record for form in refused)]


@pytest.mark.parametrize(
    ("write", "unknown", "refused"), [(bind, set[str](), set[str]()), (nsd, UNKNOWN_TO_NSD, NSD_REFUSES)]
)
def test_rdata_is_read_alike(
    write: Callable[[Path], str | None], unknown: set[str], refused: set[str], tmp_path: Path
) -> None:
    # NSD folds names in rdata.
    text = f"{HEAD}ns A 192.0.2.1\n{''.join(right_records(unknown, refused))}".replace("A.Mixed.CASE", "a.mixed.case")
    file = tmp_path / "example"
    file.write_text(text)
    written = write(file)
    assert written is not None
    assert sets(written) == sets(text)


def test_knot_reads_what_we_read(tmp_path: Path) -> None:
    file = tmp_path / "example"
    unread = []
    for record in right_records(UNKNOWN_TO_KNOT, KNOT_REFUSES):
        file.write_text(f"{HEAD}ns A 192.0.2.1\n{record}")
        if not knot_reads(file):
            unread.append(record)
    assert unread == []


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("write", [bind, nsd])
def test_dialect_is_read_alike(write: Callable[[Path], str | None], newline: str, tmp_path: Path) -> None:
    file = tmp_path / "example"
    file.write_text(DIALECT + "\n", newline=newline)
    written = write(file)
    assert written is not None
    assert sets(written) == sets(DIALECT.replace("\n", newline))
    assert newline == "\r\n" or knot_reads(file)  # Knot takes no CR LF


def test_generate_makes_what_bind_makes(tmp_path: Path) -> None:
    lines = [
        "1-3 a$ A 10.0.0.$",
        "0-4/2 b${0,3,d} 300 IN A 10.0.0.${10}",
        "1-2 c$ IN 300 A 10.0.0.$",
        "10-12 ${0,4,x}.d CNAME ${-5,3,o}.z",
        "10-12 ${0,1,n}.e CNAME ${0,0,N}.z",
        "254-258 ${0,5,n}.f CNAME ${0,3,N}.z",
        "254-258 ${0,6,n}g CNAME ${0,8,N}z",
        '1-2 h$ TXT "hello $ world"',
        r'1-2 i$ TXT "\"hello $\" x"',
        '1-2 j$ MX "10 b$"',
        r"1-2 k$$ TXT \$x",
        "1-2 l TXT $$$",
        "1-2 m${-5} TXT ${-5,4,d}",
        "1-2 n${-5,1,x} TXT ${-5,4,X}",
        "1-2 @ TXT a${0,0,d}",
        '1-1 o$ TXT "(a $)"',
        "1-2 p TXT $",
    ]
    text = HEAD + "ns A 192.0.2.1\n" + "".join(f"$GENERATE {line}\n TXT owner\n" for line in lines)
    file = tmp_path / "example"
    file.write_text(text)
    written = bind(file)
    assert written is not None
    assert sets(written) == sets(text)


def test_a_missing_ttl_is_what_bind_makes_of_it(tmp_path: Path) -> None:
    for head in ("", "$TTL 700\n"):
        for soa in ("", "600 "):
            text = f"{head}@ {soa}SOA ns h 1 2 3 4 500\n NS ns\nns A 192.0.2.1\na 5 A 192.0.2.1\nb A 192.0.2.1\n"
            file = tmp_path / "example"
            file.write_text(text)
            written = bind(file)
            assert written is not None
            assert sets(written) == sets(text)
