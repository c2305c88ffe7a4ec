import dns.rdata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.canonical import canonical_rdata, names_end

TEXTS = {
    "NS": "Ns.Example.",
    "SOA": "Ns.Example. Host.Example. 1 2 3 4 5",
    "MX": "10 Mail.Example.",
    "SRV": "0 1 465 Mail.Example.",
    "NAPTR": '10 20 "S" "SIP+D2U" "" Sip.Example.',
    "DNAME": "Other.Example.",
    "RRSIG": "A 13 2 60 20300101000000 20250101000000 1 Example. AAAA",
    "TXT": '"As It Is"',
    "NSEC": "Next.Example. A",
}


@pytest.mark.parametrize("mnemonic", TEXTS)
def test_names_are_folded_as_dnspython_folds_them(mnemonic: str) -> None:
    rdata = dns.rdata.from_text("IN", mnemonic, TEXTS[mnemonic])
    folded = rdata.to_digestable() if mnemonic != "NSEC" else rdata.to_wire()  # RFC 6840 5.1
    assert canonical_rdata(rdata.rdtype, rdata.to_wire() or b"") == folded


@given(st.integers(1, 300), st.binary(max_size=40))
def test_any_octets_have_a_form_of_the_same_length(rdtype: int, rdata: bytes) -> None:
    assert len(canonical_rdata(rdtype, rdata)) == len(rdata)


@pytest.mark.parametrize(
    "rdata", [b"", b"\x01", b"\x01a", b"\x40" + 64 * b"a" + b"\0", b"\xc0\x0c", 128 * b"\x01a" + b"\0"]
)
def test_what_is_no_name_has_no_end(rdata: bytes) -> None:
    assert names_end(rdata, 0, 1) is None
