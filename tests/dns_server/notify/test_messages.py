"""Replies to our NOTIFY, which anybody may send who is told of a zone."""

import dns.edns
import dns.message
import dns.rcode
import pytest

from dns_server.notify.messages import BadReply, Said, is_reply, notify, read_reply
from zones import name as names

ZONE = names.from_text("example.com.")
REQUEST = notify(7, ZONE, None)


def test_code_and_texts_of_a_reply_are_read() -> None:
    reply = dns.message.make_response(dns.message.from_wire(REQUEST))
    reply.use_edns(
        options=[dns.edns.EDEOption(dns.edns.EDECode.OTHER, "commit 1234"), dns.edns.EDEOption("prohibited")]
    )
    reply.set_rcode(dns.rcode.REFUSED)
    assert is_reply(reply.to_wire(), REQUEST)
    assert read_reply(reply.to_wire()) == Said(5, ("commit 1234", "extended error 18"))


def test_a_reply_with_thousands_of_records_is_not_looked_at() -> None:
    record = b"\xc0\x0c\x00\x02\x00\x01\x00\x00\x00\x00\x00\x02\xc0\x0c"
    reply = bytearray(REQUEST[: 12 + len(ZONE) + 4] + record * 4000)
    reply[2] |= 0x80
    reply[6:8], reply[10:12] = (4000).to_bytes(2), bytes(2)
    assert is_reply(bytes(reply), REQUEST)
    with pytest.raises(BadReply, match="more records"):
        read_reply(bytes(reply))


@pytest.mark.parametrize("size", [0, 11])
def test_what_has_no_header_is_no_reply(size: int) -> None:
    assert not is_reply(bytes(size), REQUEST)
