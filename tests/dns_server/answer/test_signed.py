"""Zones signed by BIND, ldns, Knot and dnspython are answered as NSD, Knot and BIND answer them, and delv agrees."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

import dns.message
import pytest

from dns_server.answer.engine import Engine
from dns_server.answer.protocol import Transport
from tests.dns_server.answer.compare import Bench, report
from tests.dns_server.answer.conftest import corpus
from tests.dns_server.answer.questions import queries
from tests.support.debian import Unavailable, need
from tests.support.served import catalogue_of, zone_from_text
from tests.support.servers import NAMES, free_port, running
from tests.support.signing import SIGNERS
from zones import rdtypes

ZONES = ("wild.example.", "dname.example.", "parent.example.", "alias.example.", "plain.example.", "big.example.")
EVERY = 37  # of the questions is asked of each signer's zones, beginning at another one; all of them take minutes
VALIDATED = (
    ("wild.example.", "host1", "A"),
    ("wild.example.", "any.name", "TXT"),
    ("wild.example.", "any.name", "A"),
    ("wild.example.", "a.ent", "TXT"),
    ("wild.example.", "x.cname", "A"),
    ("wild.example.", "x.cnx", "A"),
    ("wild.example.", "nx.host1", "A"),
    ("dname.example.", "a.src", "A"),
    ("dname.example.", "nx.src", "A"),
    ("dname.example.", "b.a.chain1", "A"),
    ("parent.example.", "child", "DS"),
    ("parent.example.", "outside", "DS"),
    ("parent.example.", "nx", "A"),
    ("parent.example.", "nx.ent", "A"),
    ("parent.example.", "ent", "A"),
    ("plain.example.", "b.c.d.e", "A"),
    ("plain.example.", "www", "MX"),
    ("plain.example.", "@", "DNSKEY"),
    ("big.example.", "txtlarge", "TXT"),
)


@pytest.fixture(scope="module", params=SIGNERS)
def signed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of the zones, signed by one signer."""
    files = {}
    for origin in ZONES:
        try:
            files[origin] = SIGNERS[request.param](corpus("zones")[origin], origin, tmp_path_factory.mktemp("signed"))
        except Unavailable as unavailable:
            pytest.skip(str(unavailable))
    return files


@pytest.fixture(scope="module")
def bench(signed: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Our engine and the other servers on the signed zones."""
    with ExitStack() as stack:
        try:
            servers = [stack.enter_context(running(name, tmp_path_factory.mktemp(name), signed)) for name in NAMES]
        except Unavailable as unavailable:
            pytest.skip(str(unavailable))
        zones = [zone_from_text(path.read_text(), origin) for origin, path in signed.items()]
        yield Bench(Engine(catalogue=catalogue_of(*zones)), zones, servers)


def test_signed_answers_equal_those_of_other_servers(bench: Bench, request: pytest.FixtureRequest) -> None:
    offset = list(SIGNERS).index(request.node.callspec.params["signed"])
    found = [
        difference
        for zone in bench.zones
        for difference in bench.differences(zone, list(queries(zone, do=True))[offset::EVERY])
    ]
    assert not found, report(found)


def test_without_do_there_are_no_signatures_and_denials(bench: Bench) -> None:
    for zone in bench.zones:
        for wire in list(queries(zone))[::EVERY]:
            query = dns.message.from_wire(wire)
            if query.question[0].rdtype in (rdtypes.RRSIG, rdtypes.NSEC, rdtypes.NSEC3, rdtypes.ANY):
                continue
            reply = bench.engine.respond(wire, Transport.TCP, 0.0)
            assert reply is not None
            message = dns.message.from_wire(reply)
            sections = (*message.answer, *message.authority, *message.additional)
            assert not {rdtypes.RRSIG, rdtypes.NSEC, rdtypes.NSEC3} & {int(rrset.rdtype) for rrset in sections}


def test_delv_validates(signed: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest) -> None:
    tree = need("bind9-dnsutils")
    zones = {origin: zone_from_text(path.read_text(), origin) for origin, path in signed.items()}
    engine = Engine(catalogue=catalogue_of(*zones.values()))
    anchors = tmp_path / "anchors"
    anchors.write_text(_anchors(signed))
    opt_out = "optout" in request.node.callspec.params["signed"]
    asyncio.run(_validate(engine, str(tree.path("delv")), anchors, dict(tree.environment), opt_out=opt_out))


def _anchors(signed: dict[str, Path]) -> str:
    """The keys of all zones, as delv wants them."""
    lines = ["trust-anchors {"]
    for origin, path in signed.items():
        zone = zone_from_text(path.read_text(), origin)
        keys = zone.rrset(zone.origin, rdtypes.DNSKEY)
        assert keys is not None
        for rdata in keys.rdatas:
            if rdata[1] & 1:  # the secure entry point
                flags, protocol, algorithm = int.from_bytes(rdata[:2], "big"), rdata[2], rdata[3]
                text = subprocess.run(["base64", "-w0"], input=rdata[4:], capture_output=True, check=True).stdout
                lines.append(f'  {origin} static-key {flags} {protocol} {algorithm} "{text.decode()}";')
    return "\n".join([*lines, "};\n"])


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # In Python 3.11 the transport is no instance of asyncio.DatagramTransport.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._engine.respond(data, Transport.UDP, 0.0)
        if reply is not None:
            self._transport.sendto(reply, addr)


@contextmanager
def _closing(transport: asyncio.BaseTransport) -> Iterator[asyncio.BaseTransport]:
    try:
        yield transport
    finally:
        transport.close()


async def _validate(engine: Engine, delv: str, anchors: Path, environment: dict[str, str], *, opt_out: bool) -> None:
    loop = asyncio.get_running_loop()
    port = free_port()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(engine), local_addr=("127.0.0.1", port))

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while prefix := await reader.read(2):
            reply = engine.respond(await reader.readexactly(int.from_bytes(prefix, "big")), Transport.TCP, 0.0)
            assert reply is not None
            writer.write(len(reply).to_bytes(2, "big") + reply)
        writer.close()

    server = await asyncio.start_server(stream, "127.0.0.1", port)
    with _closing(transport):
        async with server:
            for origin, owner, rdtype in VALIDATED:
                name = origin if owner == "@" else f"{owner}.{origin}"
                process = await asyncio.create_subprocess_exec(
                    delv, "@127.0.0.1", "-p", str(port), "-a", str(anchors), f"+root={origin}", name, rdtype,
                    stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=environment,
                )  # fmt: skip
                output = (await process.communicate())[0].decode()
                # RFC 5155 9.2: what an opt-out span proves is not secure.
                expected = ("fully validated", "; unsigned answer") if opt_out else ("fully validated",)
                assert any(text in output for text in expected), f"{name} {rdtype}: {output}"
