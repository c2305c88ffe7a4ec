"""TSIG beside dnspython: what one side signs the other believes, and each rule of RFC 8945 for what is not believed."""

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dns_server.tsig.exchange import FUDGE_S, NotBelieved, Request
from dns_server.tsig.macs import mac
from dns_server.tsig.records import Error, Tsig, append, split
from dns_server.tsig.replay import Obeyed
from dns_server.tsig.verify import Rejected, Verified, verify
from zones import name as names
from zones.findings import Place
from zones.keys import ALGORITHMS, TsigKey, grant

SECRET = bytes(range(32))
NAME = "laptop._update.example.com."
NOW = 1_700_000_000


def make_key(algorithm: int = 163, secret: bytes = SECRET, name: str = NAME) -> TsigKey:
    wire = names.from_text(name)
    return TsigKey(wire, ALGORITHMS[algorithm], secret, *grant(wire), Place("_keys"))


def keyring(key: TsigKey) -> dict[dns.name.Name, dns.tsig.Key]:
    name = dns.name.from_wire(key.name, 0)[0]
    return {name: dns.tsig.Key(name, key.secret, dns.name.from_wire(key.algorithm, 0)[0])}


def asked(key: TsigKey, moment: int = NOW, *, fudge: int = FUDGE_S) -> tuple[dns.message.Message, bytes]:
    """A query that dnspython signed at `moment`."""
    query = dns.message.make_query("www.example.com.", "A")
    (theirs,) = keyring(key).values()
    query.use_tsig(theirs, fudge=fudge)
    wire = query.to_wire()
    # dnspython signs with the time of now: sign again with the time that is wanted
    message, tsig = split(wire) or pytest.fail("not signed")
    tsig = Tsig(tsig.name, tsig.algorithm, moment, fudge, b"", tsig.original_id)
    return query, append(message, Tsig(*_fields(tsig)[:4], mac(key, tsig, message, b""), tsig.original_id))


def _fields(tsig: Tsig) -> tuple[bytes, bytes, int, int]:
    return tsig.name, tsig.algorithm, tsig.time_signed, tsig.fudge


def verified(wire: bytes, key: TsigKey, now: float = NOW) -> Verified:
    found = verify(wire, {key.name: key}, now)
    assert isinstance(found, Verified), found
    return found


def rejected(wire: bytes, *keys: TsigKey, now: float = NOW) -> Rejected:
    found = verify(wire, {key.name: key for key in keys}, now)
    assert isinstance(found, Rejected), found
    return found


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_dnspython_signs_is_believed(algorithm: int) -> None:
    key = make_key(algorithm)
    query = dns.message.make_query("www.example.com.", "A")
    (theirs,) = keyring(key).values()
    query.use_tsig(theirs)
    wire = query.to_wire()
    _, tsig = split(wire) or pytest.fail("not signed")
    found = verified(wire, key, tsig.time_signed)
    assert found.message == dns.message.make_query("www.example.com.", "A", id=query.id).to_wire()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("messages", [1, 2, 5])
def test_dnspython_believes_what_we_reply(algorithm: int, messages: int, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key(algorithm)
    query, wire = asked(key)
    replies = verified(wire, key).replies()
    _, request_tsig = split(wire) or pytest.fail("not signed")
    monkeypatch.setattr("time.time", lambda: float(NOW))
    context = None
    for _ in range(messages):
        reply = dns.message.make_response(dns.message.make_query("www.example.com.", "A", id=query.id)).to_wire()
        signed = replies.sign(reply, NOW)
        assert len(signed) == len(reply) + verified(wire, key).replies().room
        read = dns.message.from_wire(
            signed,
            keyring=keyring(key),
            request_mac=request_tsig.mac,
            tsig_ctx=context,
            multi=messages > 1,
            xfr=messages > 1,
        )
        assert read.had_tsig
        context = read.tsig_ctx


def test_a_message_without_tsig_is_neither_believed_nor_rejected() -> None:
    assert verify(dns.message.make_query("example.com.", "A").to_wire(), {}, NOW) is None


def test_an_unknown_key_is_badkey_unsigned() -> None:
    key = make_key()
    query, wire = asked(key)
    found = rejected(wire)
    assert (found.reason, found.key) == ("BADKEY", NAME)
    reply = dns.message.from_wire(found.reply, keyring=False)
    assert (reply.rcode(), reply.id) == (dns.rcode.NOTAUTH, query.id)
    assert reply.question == query.question
    assert reply.tsig is not None
    assert (reply.tsig[0].error, reply.tsig[0].mac) == (Error.BADKEY, b"")


def test_another_algorithm_for_the_key_is_badkey() -> None:
    _, wire = asked(make_key(163))
    assert rejected(wire, make_key(165)).reason == "BADKEY"


def test_a_wrong_secret_is_badsig_unsigned() -> None:
    _, wire = asked(make_key())
    found = rejected(wire, make_key(secret=b"x" * 32))
    reply = dns.message.from_wire(found.reply, keyring=False)
    assert found.reason == "BADSIG"
    assert reply.tsig is not None
    assert (reply.rcode(), reply.tsig[0].error, reply.tsig[0].mac) == (dns.rcode.NOTAUTH, Error.BADSIG, b"")


@pytest.mark.parametrize("off", [-FUDGE_S - 1, FUDGE_S + 1, 10_000_000])
def test_a_wrong_time_is_badtime_with_the_servers_time_signed(off: int) -> None:
    key = make_key()
    _, wire = asked(key, NOW + off)
    found = rejected(wire, key)
    assert found.reason == "BADTIME"
    message, tsig = split(found.reply) or pytest.fail("not signed")
    assert message[3] & 0xF == dns.rcode.NOTAUTH
    assert tsig.error == Error.BADTIME
    assert tsig.time_signed == NOW + off
    assert int.from_bytes(tsig.other, "big") == NOW
    _, request = split(wire) or pytest.fail("not signed")
    assert tsig.mac == mac(key, tsig, message, request.mac)


@pytest.mark.parametrize("off", [-FUDGE_S, 0, FUDGE_S])
def test_a_time_within_the_fudge_is_believed(off: int) -> None:
    key = make_key()
    verified(asked(key, NOW + off)[1], key)


@pytest.mark.parametrize(("algorithm", "size", "reason"), [
    (163, 32, ""), (163, 31, ""), (163, 16, ""), (163, 15, "FORMERR"), (163, 33, "FORMERR"),
    (161, 20, ""), (161, 16, ""), (161, 15, "BADTRUNC"), (161, 10, "BADTRUNC"), (161, 9, "FORMERR"),
    (165, 32, ""), (165, 31, "FORMERR"),
])  # fmt: skip
def test_truncated_macs_are_believed_as_far_as_they_may_be(algorithm: int, size: int, reason: str) -> None:
    key = make_key(algorithm)
    _, wire = asked(key)
    message, tsig = split(wire) or pytest.fail("not signed")
    shortened = append(message, Tsig(*_fields(tsig), (tsig.mac + b"x")[:size], tsig.original_id))
    if reason:
        assert rejected(shortened, key).reason == reason
        return
    reply = verified(shortened, key).replies().sign(message, NOW)
    _, signed = split(reply) or pytest.fail("not signed")
    assert len(signed.mac) == size


def test_badtrunc_is_signed() -> None:
    key = make_key(161)
    _, wire = asked(key)
    message, tsig = split(wire) or pytest.fail("not signed")
    found = rejected(append(message, Tsig(*_fields(tsig), tsig.mac[:12], tsig.original_id)), key)
    _, reply = split(found.reply) or pytest.fail("not signed")
    assert (reply.error, len(reply.mac)) == (Error.BADTRUNC, 12)


def test_a_forwarder_may_change_the_id() -> None:
    key = make_key()
    _, wire = asked(key)
    found = verified(b"\x12\x34" + wire[2:], key)
    assert found.message[:2] == b"\x12\x34"


def test_tsig_must_be_last() -> None:
    key = make_key()
    _, wire = asked(key)
    twice = append(wire, Tsig(key.name, key.algorithm, NOW, 300, b"", 1))
    assert rejected(twice, key).reason == "FORMERR"


@given(st.data())
def test_any_changed_octet_is_noticed(data: st.DataObject) -> None:
    key = make_key()
    _, wire = asked(key)
    position = data.draw(st.integers(2, len(wire) - 1))
    octet = data.draw(st.integers(0, 255).filter(lambda value: value != wire[position]))
    changed = wire[:position] + bytes([octet]) + wire[position + 1 :]
    found = verify(changed, {key.name: key}, NOW)
    if isinstance(found, Verified):  # letter case in the names of key and algorithm is no change
        assert changed[:position].lower() + changed[position:].lower() == wire.lower()
        assert position > 12 + 16


@given(st.binary(min_size=12, max_size=300))
def test_any_octets_are_taken(wire: bytes) -> None:
    verify(wire, {}, NOW)


class TestClient:
    def test_believes_the_servers_replies(self) -> None:
        key = make_key()
        message = dns.message.make_query("example.com.", "AXFR").to_wire()
        request = Request(key, message, NOW)
        found = verified(request.wire, key)
        assert found.message == message
        replies = found.replies()
        for number in range(3):
            reply = message[:2] + b"\x84\0" + message[4:] + bytes([number])[:0]
            assert request.verify(replies.sign(reply, NOW), NOW) == reply

    @pytest.mark.parametrize(
        ("secret", "known", "off", "said"),
        [
            (SECRET, True, 100_000, "BADTIME"),
            (b"other", True, 0, "BADSIG"),
            (SECRET, False, 0, "BADKEY"),
        ],
    )
    def test_says_what_the_server_has_against_it(self, secret: bytes, known: bool, off: int, said: str) -> None:
        key = make_key()
        request = Request(key, dns.message.make_query("example.com.", "SOA").to_wire(), NOW)
        theirs = make_key(secret=secret)
        found = verify(request.wire, {theirs.name: theirs} if known else {}, NOW + off)
        assert isinstance(found, Rejected)
        with pytest.raises(NotBelieved, match=said):
            request.verify(found.reply, NOW)

    def test_does_not_believe_others(self) -> None:
        key = make_key()
        message = dns.message.make_query("example.com.", "SOA").to_wire()
        request = Request(key, message, NOW)
        with pytest.raises(NotBelieved, match="not signed"):
            request.verify(message, NOW)
        reply = verified(request.wire, key).replies().sign(message, NOW)
        with pytest.raises(NotBelieved, match="signature of the reply is wrong"):
            request.verify(reply[:3] + b"\1" + reply[4:], NOW)
        with pytest.raises(NotBelieved, match="too old"):
            request.verify(reply, NOW + FUDGE_S + 1)


class TestReplay:
    def test_a_copy_is_not_new_until_its_time_is_over(self) -> None:
        key = make_key()
        found = verified(asked(key)[1], key)
        obeyed = Obeyed()
        assert obeyed.is_new(found, NOW)
        assert not obeyed.is_new(found, NOW + FUDGE_S)
        assert obeyed.reply(found) is None
        obeyed.done(found, b"reply")
        assert obeyed.reply(found) == b"reply"
        assert obeyed.is_new(verified(asked(key, NOW + 1)[1], key), NOW + FUDGE_S + 1)
        assert len(obeyed) == 1

    def test_remembers_no_more_than_its_limit(self) -> None:
        key = make_key()
        obeyed = Obeyed(limit=3)
        for moment in range(10):
            assert obeyed.is_new(verified(asked(key, NOW + moment)[1], key), NOW)
        assert len(obeyed) == 3
