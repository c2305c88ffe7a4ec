"""The stub resolver against servers on loopback, made of dnspython, that behave or misbehave."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from dns_platform.unix.host import UnixEntropy
from stack.address import Endpoint, parse
from stack.draw import Draw
from stack.resolver import exchange, resolver
from stack.resolver.cache import Answer, Cache
from stack.resolver.resolver import NameNotFound, ResolveError, Resolver
from stack.wire.dns import Type, parse_name

Result = TypeVar("Result")
Answerer = Callable[[dns.message.Message, bool], list[bytes]]

RECORDS = {
    ("www.test.", "A"): ["192.0.2.1", "192.0.2.2"],
    ("www.test.", "AAAA"): ["2001:db8::1"],
    ("alias.test.", "CNAME"): ["second.test."],
    ("second.test.", "CNAME"): ["www.test."],
    ("loop.test.", "CNAME"): ["loop.test."],
    ("only4.test.", "A"): ["192.0.2.4"],
}


def honest(query: dns.message.Message, tcp: bool, *, whole_chains: bool = True) -> list[bytes]:
    """What a good server says."""
    response = dns.message.make_response(query)
    question = query.question[0]
    name = question.name
    kind = dns.rdatatype.to_text(question.rdtype)
    while True:
        owner = name.to_text().lower()
        data, alias = RECORDS.get((owner, kind)), RECORDS.get((owner, "CNAME"))
        if data:
            response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *data))
            break
        if not alias or len(response.answer) > 4:
            if not any(owner == known for known, _ in RECORDS):
                response.set_rcode(dns.rcode.NXDOMAIN)
            if not alias:
                response.authority.append(dns.rrset.from_text("test.", 60, "IN", "SOA", ". . 1 2 3 4 60"))
            break
        response.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", *alias))
        name = dns.name.from_text(alias[0])
        if not whole_chains:
            break
    return [response.to_wire()]


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, answer: Answerer, asked: list[str]) -> None:
        self._answer, self._asked = answer, asked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        self._asked.append(query.question[0].to_text())
        for response in self._answer(query, False):
            self._transport.sendto(response, addr)


@asynccontextmanager
async def server(answer: Answerer) -> AsyncIterator[tuple[Resolver, list[str]]]:
    """A resolver that asks a server on loopback; what it asked over UDP."""
    asked: list[str] = []

    async def over_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        for response in answer(dns.message.from_wire(await reader.readexactly(length)), True):
            writer.write(struct.pack("!H", len(response)) + response)
        writer.close()

    tcp = await asyncio.start_server(over_tcp, "127.0.0.1", 0)
    port = tcp.sockets[0].getsockname()[1]
    udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Udp(answer, asked), local_addr=("127.0.0.1", port)
    )
    try:
        yield Resolver([Endpoint(parse("127.0.0.1"), port)], Draw(UnixEntropy())), asked
    finally:
        udp.close()
        tcp.close()


def run(answer: Answerer, use: Callable[[Resolver, list[str]], Awaitable[Result]]) -> Result:
    async def main() -> Result:
        async with server(answer) as (made, asked):
            return await use(made, asked)

    return asyncio.run(main())


def test_rfc_8305_section_3_addresses_of_one_family_do_not_wait_long_for_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resolver, "TIMEOUTS_S", (3600.0,))

    def silent_for_aaaa(query: dns.message.Message, tcp: bool) -> list[bytes]:
        return [] if query.question[0].rdtype == dns.rdatatype.AAAA else honest(query, tcp)

    assert lookup(silent_for_aaaa, "www.test") == [parse("192.0.2.1"), parse("192.0.2.2")]


def lookup(answer: Answerer, name: str) -> list[bytes]:
    """Sorted, as dnspython shuffles what it sends; only the families keep their order."""
    found = run(answer, lambda made, _: made.lookup(name))
    assert sorted(found, key=len, reverse=True) == found
    return sorted(found, key=lambda address: (-len(address), address))


WWW = [parse("2001:db8::1"), parse("192.0.2.1"), parse("192.0.2.2")]


@pytest.mark.parametrize("name", ["www.test", "www.test.", "WWW.Test", "alias.test"])
def test_addresses_of_both_families(name: str) -> None:
    assert lookup(honest, name) == WWW


def test_aliases_whose_targets_have_to_be_asked_for() -> None:
    assert lookup(lambda query, tcp: honest(query, tcp, whole_chains=False), "alias.test") == WWW


@pytest.mark.parametrize("address", ["192.0.2.9", "2001:db8::9"])
def test_an_address_is_its_own_name(address: str) -> None:
    assert lookup(honest, address) == [parse(address)]


def test_one_family_is_enough() -> None:
    assert lookup(honest, "only4.test") == [parse("192.0.2.4")]


@pytest.mark.parametrize("name", ["none.test", "none.test."])
def test_no_such_name(name: str) -> None:
    with pytest.raises(NameNotFound, match="no such host"):
        lookup(honest, name)


def test_aliases_that_go_round() -> None:
    with pytest.raises(ResolveError):
        lookup(honest, "loop.test")


def test_rfc_7766_truncated_answers_are_asked_for_over_tcp() -> None:
    def answer(query: dns.message.Message, tcp: bool) -> list[bytes]:
        if tcp:
            return honest(query, tcp)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC
        return [response.to_wire()]

    assert lookup(answer, "www.test") == WWW


def test_a_server_that_changes_letter_case_is_asked_over_tcp() -> None:
    def answer(query: dns.message.Message, tcp: bool) -> list[bytes]:
        (wire,) = honest(query, tcp)
        end = wire.index(b"\0", 12)
        return [wire if tcp else wire[:12] + wire[12:end].swapcase() + wire[end:]]

    assert lookup(answer, "www.test") == WWW


def test_rfc_5452_forged_answers_are_ignored() -> None:
    def answer(query: dns.message.Message, tcp: bool) -> list[bytes]:
        (wire,) = honest(query, tcp)
        forged = bytearray(wire.replace(bytes((192, 0, 2)), bytes((198, 51, 100))))
        forged[0] ^= 0xFF
        return [b"not dns", bytes(forged), wire]

    assert lookup(answer, "www.test") == WWW


def test_a_flood_of_forged_answers_leads_to_tcp() -> None:
    def answer(query: dns.message.Message, tcp: bool) -> list[bytes]:
        (wire,) = honest(query, tcp)
        return [wire] if tcp else [b"not dns"] * exchange.FORGERIES_LIMIT

    assert lookup(answer, "www.test") == WWW


def test_the_cache_answers_the_second_time() -> None:
    async def twice(made: Resolver, asked: list[str]) -> int:
        assert set(await made.lookup("alias.test")) == set(WWW)
        before = len(asked)
        assert set(await made.lookup("Alias.test")) == set(WWW)
        for _ in range(2):
            with pytest.raises(NameNotFound):
                await made.lookup("none.test")
        return len(asked) - before

    assert run(honest, twice) == 2


def test_server_failure_names_the_server() -> None:
    def answer(query: dns.message.Message, tcp: bool) -> list[bytes]:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.SERVFAIL)
        return [response.to_wire()]

    with pytest.raises(ResolveError, match=r"127\.0\.0\.1:\d+ answers with response code 2"):
        lookup(answer, "www.test")


def test_silence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "TIMEOUTS_S", (0.01, 0.02))
    with pytest.raises(ResolveError, match="does not answer"):
        lookup(lambda *_: [], "www.test")


def test_without_a_server() -> None:
    with pytest.raises(ResolveError, match="no resolver is configured"):
        asyncio.run(Resolver([], Draw(UnixEntropy())).lookup("www.test"))


def test_names_get_random_case() -> None:
    name = parse_name("abcdefghijklmnopqrstuvwxyz.test")
    made = {exchange.randomise_case(name, Draw(UnixEntropy())) for _ in range(20)}
    assert len(made) == 20
    assert {each.lower() for each in made} == {name}


def test_cache_is_bounded_and_forgets() -> None:
    cache = Cache(limit=2)
    for number in range(5):
        cache.put(bytes((number,)), Type.A, Answer((b"1234",), True), 10, 0.0)
    assert len(cache) == 2
    assert cache.get(b"\x04", Type.A, 9.9) is not None
    assert cache.get(b"\x04", Type.A, 10.0) is None
    cache.put(b"none", Type.A, Answer((), False), 0, 0.0)
    assert cache.get(b"none", Type.A, 0.0) is None
