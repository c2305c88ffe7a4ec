"""Server cookies are those of RFC 9018, and clients with them are known."""

import random
import struct
from pathlib import Path
from typing import Final

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from dns_server.answer.batch import Batch
from dns_server.answer.core.cookies import PROVEN, UNPROVEN, Cookies
from dns_server.answer.core.siphash import siphash
from dns_server.answer.engine import Engine
from dns_server.answer.protocol import Transport
from tests.support.dig import Client
from tests.support.dig import ask as ask_with
from tests.support.served import catalogue_of, zone_from_text
from tests.support.server import serve

ZONE: Final = "$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"
ADDRESS: Final = bytes((192, 0, 2, 7))
NOW: Final = 1_700_000_000
OLD: Final = bytes(range(16))
NEW: Final = bytes(range(16, 32))
CLIENT: Final = b"client!!"

# RFC 9018 appendix A: secret, address, COOKIE option of the query, time, whether it is valid, option of the reply.
FIRST = "e5e973e5a6b2a43f48e7dc849e37bfcf"
VECTORS = (
    (FIRST, "c6336464", "2464c4abcf10c957", 1559731985, False, "2464c4abcf10c957010000005cf79f111f8130c3eee29480"),
    (
        FIRST, "c6336464", "2464c4abcf10c957010000005cf79f111f8130c3eee29480", 1559734385, True,
        "2464c4abcf10c957010000005cf7a871d4a564a1442aca77",
    ),
    (
        FIRST, "cb0071cb", "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", 1559727985, True,
        "fc93fc62807ddb86010000005cf78f71a314227b6679ebf5",
    ),
    (
        "445536bcd2513298075a5d379663c962", "20010db8022000 01 59de d0 f4 8769 82b8".replace(" ", ""),
        "22681ab97d52c298010000005cf7c57926556bd0934c72f8", 1559741961, True,
        "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
    ),
)  # fmt: skip


def judge(cookies: Cookies, option: bytes, address: bytes = ADDRESS, now: int = NOW) -> tuple[int, bytes]:
    state = cookies.judge(option, 0, len(option), address, 0, len(address), now)
    return state, bytes(cookies.reply)


def test_siphash_gives_the_value_of_its_paper() -> None:
    first, second = struct.unpack("<QQ", OLD)
    assert siphash(first, second, bytes(range(15)), 15) == 0xA129CA6149BE45E5


@pytest.mark.parametrize(("secret", "address", "option", "now", "valid", "reply"), VECTORS)
def test_cookies_are_those_of_the_rfc(
    secret: str, address: str, option: str, now: int, valid: bool, reply: str
) -> None:
    secrets = [bytes.fromhex(secret)]
    if valid and secret != FIRST:  # appendix A.4 is a roll-over
        secrets.append(bytes.fromhex("dd3bdf9344b678b185a6f5cb60fca715"))
    state, made = judge(Cookies(secrets), bytes.fromhex(option), bytes.fromhex(address), now)
    assert (state == PROVEN) is valid
    if reply[24:32] == option[24:32]:  # a fresh one is given back as it came, reserved octets and all
        reply = option
    assert made.hex() == reply


def test_cookies_of_many_clients_do_not_get_mixed_up() -> None:
    """Hashes are remembered in fewer places than there are clients here, whose addresses and cookies differ little."""
    cookies, rng = Cookies([OLD]), random.Random(1)
    first, second = struct.unpack("<QQ", OLD)
    addresses = [ADDRESS, bytes((192, 0, 7, 2)), bytes(15) + b"\1", ADDRESS + bytes(12)]
    clients = [(rng.choice(addresses), bytes(rng.choices(range(2), k=8))) for _ in range(300)]
    for address, client in [*clients, *clients[:50] * 2]:
        for now in (NOW, NOW + 1):
            head = client + struct.pack("!B3xI", 1, now)
            cookie = head + siphash(first, second, head + address, 16 + len(address)).to_bytes(8, "little")
            assert judge(cookies, client, address, now) == (UNPROVEN, cookie)
            assert judge(cookies, cookie, address, now) == (PROVEN, cookie)
            assert judge(cookies, cookie[:-1] + bytes((cookie[-1] ^ 1,)), address, now) == (UNPROVEN, cookie)


def test_a_cookie_is_valid_for_its_address_secret_and_hour_alone() -> None:
    _, cookie = judge(Cookies([OLD]), CLIENT)
    assert judge(Cookies([OLD]), cookie) == (PROVEN, cookie)
    for address, secret, now in (
        (bytes((192, 0, 2, 8)), OLD, NOW),
        (ADDRESS, NEW, NOW),
        (ADDRESS, OLD, NOW + 3601),
        (ADDRESS, OLD, NOW - 301),
    ):
        assert judge(Cookies([secret]), cookie, address, now)[0] == UNPROVEN
    for index in range(len(cookie)):
        changed = bytearray(cookie)
        changed[index] ^= 1
        assert judge(Cookies([OLD]), bytes(changed))[0] == UNPROVEN


def test_a_cookie_is_renewed_in_its_second_half_hour_and_when_the_secret_rolls_over() -> None:
    _, cookie = judge(Cookies([OLD]), CLIENT)
    state, renewed = judge(Cookies([OLD]), cookie, now=NOW + 1801)
    assert state == PROVEN
    assert renewed == judge(Cookies([OLD]), CLIENT, now=NOW + 1801)[1]
    assert judge(Cookies([NEW, OLD]), cookie) == (PROVEN, judge(Cookies([NEW]), CLIENT)[1])


def test_the_clock_may_pass_the_end_of_its_32_bits() -> None:
    _, cookie = judge(Cookies([OLD]), CLIENT, now=(1 << 32) - 10)
    assert judge(Cookies([OLD]), cookie, now=(1 << 32) + 10)[0] == PROVEN


@pytest.mark.parametrize("secrets", [[], [b"short"], [OLD, b""]])
def test_secrets_of_another_length_are_no_secrets(secrets: list[bytes]) -> None:
    with pytest.raises(ValueError, match="16 octets"):
        Cookies(secrets)


def engine(load: int = 0) -> Engine:
    return Engine(catalogue=catalogue_of(zone_from_text(ZONE, "a.test.")), cookies=Cookies([OLD]), cookie_load=load)


def query(*options: bytes, name: str = "ns.a.test.") -> bytes:
    message = dns.message.make_query(name, "A", id=7)
    if options:
        message.use_edns(
            0, 0, 1232, options=[dns.edns.GenericOption(dns.edns.OptionType.COOKIE, option) for option in options]
        )
    return message.to_wire()


def ask(server: Engine, wire: bytes, transport: Transport = Transport.UDP) -> dns.message.Message:
    reply = server.respond(wire, transport, NOW, 0, ADDRESS)
    assert reply is not None
    return dns.message.from_wire(reply)


def cookie_of(message: dns.message.Message) -> bytes:
    (option,) = message.options
    return option.to_wire() or b""


def test_a_client_gets_a_cookie_and_is_known_by_it() -> None:
    server = engine()
    reply = ask(server, query(CLIENT))
    assert reply.answer
    known = []
    for wire in (query(CLIENT), query(cookie_of(reply)), query()):
        ask(server, wire)
        known.append(server.proven)
    assert known == [False, True, False]
    assert cookie_of(ask(server, query(cookie_of(reply), b"another!"))) == cookie_of(reply)


def test_who_sends_no_cookie_gets_none() -> None:
    assert not ask(engine(), query()).options
    assert not ask(Engine(catalogue=engine().catalogue), query(CLIENT)).options


@pytest.mark.parametrize("length", [0, 7, 9, 15, 41])
def test_cookies_of_odd_lengths_are_malformed(length: int) -> None:
    assert ask(engine(), query(bytes(length))).rcode() == dns.rcode.FORMERR


def overloaded(load: int = 3) -> Engine:
    server = engine(load)
    for moment in (NOW - 1.5, NOW - 0.4):
        for _ in range(4):
            server.respond(query(), Transport.UDP, moment, 0, ADDRESS)
    return server


def test_a_flood_makes_the_server_demand_cookies_over_udp() -> None:
    server = overloaded()
    reply = ask(server, query(CLIENT))
    assert reply.rcode() == dns.rcode.BADCOOKIE
    assert not reply.answer
    assert ask(server, query(cookie_of(reply))).answer
    plain = ask(server, query())
    assert plain.flags & dns.flags.TC
    assert plain.rcode() == dns.rcode.NOERROR
    assert not plain.answer
    assert ask(server, query(CLIENT), Transport.TCP).answer


def test_a_flood_that_ends_is_forgotten() -> None:
    server = overloaded()
    for seconds in (1, 2):
        server.respond(query(), Transport.UDP, NOW + seconds, 0, ADDRESS)
    reply = server.respond(query(), Transport.UDP, NOW + 2.5, 0, ADDRESS)
    assert reply is not None
    assert dns.message.from_wire(reply).answer


@pytest.mark.parametrize("make", [engine, overloaded])
@pytest.mark.parametrize("source", [ADDRESS, bytes(range(16))])
def test_batches_are_answered_alike_and_say_who_is_known(make: type[Engine], source: bytes) -> None:
    cookie = judge(Cookies([OLD]), CLIENT, source)[1]
    rng = random.Random(1)
    wires = [query(), query(CLIENT), query(cookie), query(cookie[:-1] + b"?"), query(cookie, name="nx.a.test.")] * 3
    wires += [query(rng.randbytes(rng.choice((8, 16, 24, 24, 40)))) for _ in range(20)]
    wires += [query(CLIENT, name="elsewhere."), query(cookie, name="elsewhere."), query(cookie, CLIENT)]
    one, many = make(), make()
    batch = Batch(len(wires), 600)
    for index, wire in enumerate(wires):
        batch.put_query(index, wire)
        batch.put_source(index, source)
    expected = []
    for wire in wires:
        expected.append((one.respond(wire, Transport.UDP, NOW, 0, source), one.proven))
    for _ in range(2):
        many.respond_batch(
            batch, len(wires), lambda wire, peer: many.respond(wire, Transport.UDP, NOW, 0, peer), NOW
        )  # fmt: skip
        for index, (reply, proven) in enumerate(expected):
            assert batch.reply(index) == reply, wires[index].hex()
            assert batch.trusted[index] == proven


def test_messages_without_a_reply_are_counted_by_reason() -> None:
    server = engine()
    for wire in (b"short", query()[:2] + b"\x80" + query()[3:], b""):
        assert server.respond(wire, Transport.UDP, NOW, 0, ADDRESS) is None
    assert (server.drops.short, server.drops.response) == (1, 1)


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(("client", "said"), [("dig", "(good)"), ("kdig", "COOKIE")])
def test_dig_and_kdig_take_the_cookie(client: Client, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.test").write_text(ZONE)
    with serve(f"--zones={tmp_path}", f"--cookie-secret={OLD.hex()}") as server:
        printed = ask_with(client, server.address, server.port, "ns.a.test.", "A", "+cookie")
    assert "192.0.2.1" in printed
    assert said in printed
