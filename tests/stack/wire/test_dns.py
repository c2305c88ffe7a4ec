import dns.flags
import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.address import parse as address
from stack.wire import dns as wire
from stack.wire.dns import Query, Record, Type
from stack.wire.error import WireError

NAME = wire.parse_name("www.Example.test")


def test_dnspython_understands_queries() -> None:
    message = dns.message.from_wire(wire.emit(Query(77, NAME, Type.AAAA)))
    assert message.id == 77
    assert message.flags == dns.flags.RD
    assert message.question[0].to_text() == "www.Example.test. IN AAAA"
    assert (message.edns, message.payload) == (0, wire.UDP_SIZE)


def test_responses_of_dnspython_are_understood() -> None:
    query = dns.message.from_wire(wire.emit(Query(77, NAME, Type.A)))
    response = dns.message.make_response(query)
    response.answer = [
        dns.rrset.from_text("www.example.test.", 60, "IN", "CNAME", "Web.example.test."),
        dns.rrset.from_text("web.example.test.", 30, "IN", "A", "192.0.2.1"),
    ]
    response.authority = [dns.rrset.from_text("example.test.", 600, "IN", "SOA", ". . 1 2 3 4 50")]
    parsed = wire.parse(response.to_wire())
    assert (parsed.identifier, parsed.name, parsed.type, parsed.rcode) == (77, NAME, Type.A, 0)
    web = wire.parse_name("web.example.test")
    assert parsed.records == (
        Record(wire.fold(NAME), Type.CNAME, 60, web),
        Record(web, Type.A, 30, address("192.0.2.1")),
    )
    assert parsed.negative_ttl_s == 50
    assert not parsed.truncated


@pytest.mark.parametrize("name", ["a..b", "a" * 64, "x." * 128, "é" * 70])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a host name"):
        wire.parse_name(name)


def test_a_query_is_no_response() -> None:
    with pytest.raises(WireError, match="not a response"):
        wire.parse(wire.emit(Query(1, NAME, Type.A)))


@given(st.binary(max_size=200), st.booleans())
def test_any_octets_survive(data: bytes, like_a_response: bool) -> None:
    head = b"\x00\x4d\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + NAME + b"\x00\x01\x00\x01" if like_a_response else b""
    try:
        wire.parse(head + data)
    except WireError:
        return


def test_thousands_of_records_are_not_looked_at() -> None:
    records = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"
    head = b"\x00\x4d\x81\x80\x00\x01%b\x00\x00\x00\x00" + NAME + b"\x00\x01\x00\x01"
    most = wire.MOST_RECORDS
    assert len(wire.parse(head % most.to_bytes(2) + records * most).records) == 1
    with pytest.raises(WireError, match="too many records"):
        wire.parse(head % (most + 1).to_bytes(2) + records * (most + 1))
