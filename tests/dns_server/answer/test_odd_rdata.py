"""Whatever rdata the parser takes, answering it never raises."""

import dns.message
import dns.rdatatype
from hypothesis import given
from hypothesis import strategies as st

from dns_server.answer.engine import Engine
from dns_server.answer.protocol import Transport
from tests.support.served import catalogue_of
from zones.slices import run_to_end
from zones.zonefile import parse

rdatas = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"", b"\0", b"\x01", b"\xc0\x0c", b"\x01a\0", b"\x01a\0\0", b"\0\x0a\x01a\0", b"\x05abc"]),
)


@given(
    st.one_of(st.integers(1, 65), st.sampled_from([99, 249, 256, 257, 65280])), st.lists(rdatas, min_size=1, max_size=3)
)
def test_generic_rdata_is_refused_or_answered(rdtype: int, texts: list[bytes]) -> None:
    lines = [f"x TYPE{rdtype} \\# {len(rdata)} {rdata.hex()}" for rdata in texts]
    text = "\n".join(["$TTL 60", "@ SOA ns host 1 2 3 4 5", "@ NS ns", "ns A 192.0.2.1", *lines, ""])
    parsed = run_to_end(parse(text.encode(), b"\x04test\0", "test", lambda path: path.encode()))
    if parsed.zone is None:
        return
    engine = Engine(catalogue=catalogue_of(parsed.zone))
    for asked in (rdtype, 1, 255):
        query = dns.message.make_query("x.test.", dns.rdatatype.RdataType.make(asked), want_dnssec=True)
        assert engine.respond(query.to_wire(), Transport.TCP, 0.0) is not None
