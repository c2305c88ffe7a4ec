"""Mutated packets through the engine: no exception, no answer to a response, every reply well formed.

Those over UDP go through the compiled core too, which must reply the same octet for octet and say the same of cookies.
`python -m tests.fuzz_respond --count 1000000 --seed 1`; a packet that breaks a rule is printed in hexadecimal. With
`--signer` (see tests/support/signing.py) the zones are signed first: bind-nsec, bind-nsec3, bind-nsec3-optout, ...
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from dns_server.answer.batch import Batch
from dns_server.answer.chaos import Identity
from dns_server.answer.core.cookies import Cookies
from dns_server.answer.engine import Engine
from dns_server.answer.protocol import HEADER_SIZE, Transport
from tests.dns_server.answer.questions import queries
from tests.dns_server.answer.replies import read
from tests.support.served import catalogue_of, zone_from_text
from tests.support.signing import SIGNERS
from zones.zone import Zone

CORPUS = Path(__file__).parent / "corpus" / "zones"
EXAMPLE = b"\x07example\0"
SOURCE = bytes((192, 0, 2, 7))
NOW = 1_700_000_000
MAX_UDP_REPLY = 1232
MAX_PACKET = 600
BATCH = 64
INTERESTING = (0x00, 0x01, 0x0C, 0x29, 0x3F, 0x40, 0x41, 0x5A, 0x7F, 0x80, 0xBF, 0xC0, 0xFA, 0xFC, 0xFF)
TAILS = (
    b"\0\0\x29\x04\xd0\0\0\x80\0\0\0",  # OPT with DO
    b"\0\0\x29\x02\0\0\x01\0\0\0\0",  # OPT of version 1
    b"\0\0\x29\xff\xff\0\0\0\0\0\x04\0\x03\0\0",  # OPT with NSID
    b"\0\0\x29\0\0\0\0\0\0\0\x08\0\x0a\0\x04abcd",  # OPT with a short cookie
    b"\x01k\0\0\xfa\0\xff\0\0\0\0\0\0",  # TSIG
)


IDENTITY = Identity("fuzz", "0")


class Broken(Exception):
    """A packet made the engine break a rule."""


def corpus(signer: str = "") -> list[Zone]:
    """The zones of the corpus, those below `example.` signed if a signer is named. Unavailable if it is not there."""
    zones = []
    for path in sorted(CORPUS.glob("*.zone")):
        origin = "." if path.stem == "root" else f"{path.stem}."
        if signer and origin.endswith(".example."):
            with tempfile.TemporaryDirectory() as folder:
                zones.append(zone_from_text(SIGNERS[signer](path, origin, Path(folder)).read_text(), origin))
        else:
            zones.append(zone_from_text(path.read_text(), origin))
    return zones


def engine_of(zones: list[Zone]) -> Engine:
    return Engine(IDENTITY, catalogue_of(*zones, revision="0" * 40), cookies=Cookies([bytes(16)]))


def make_engine() -> Engine:
    """An engine with every zone of the corpus."""
    return engine_of(corpus())


def seeds(zones: list[Zone]) -> list[bytes]:
    """Well-formed queries to begin with: with and without DO, and with a cookie that is valid."""
    inner = [zone for zone in zones if zone.origin.endswith(EXAMPLE)]
    plain = [wire for zone in inner for do in (False, True) for wire in queries(zone, do=do)]
    cookies = Cookies([bytes(16)])
    cookies.judge(b"client!!", 0, 8, SOURCE, 0, len(SOURCE), NOW)
    option = b"\0\x0a\0\x18" + bytes(cookies.reply)
    with_cookies = [
        wire[:-2] + len(option).to_bytes(2, "big") + option for wire in plain[::10] if wire[11] and wire[-2:] == b"\0\0"
    ]
    return plain + with_cookies


def mutate(wire: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """`wire` with a few changes."""
    packet = bytearray(wire)
    for _ in range(rng.randrange(4)):
        place = rng.randrange(len(packet) + 1)
        match rng.randrange(8):
            case 0 if place < len(packet):
                packet[place] ^= 1 << rng.randrange(8)
            case 1 if place < len(packet):
                packet[place] = rng.choice(INTERESTING)
            case 2:
                del packet[place:]
            case 3:
                packet[place:place] = bytes((rng.choice(INTERESTING),)) * rng.randrange(1, 5)
            case 4:
                other = rng.choice(others)
                packet[place:] = other[place:]
            case 5 if len(packet) >= HEADER_SIZE:
                packet[rng.randrange(2, HEADER_SIZE)] = rng.choice(INTERESTING)
            case 6 if len(packet) >= HEADER_SIZE:
                packet += rng.choice(TAILS)
                packet[11] = (packet[11] + 1) & 0xFF
            case _:
                packet += rng.randbytes(rng.randrange(40))
    return bytes(packet)


def examine(engine: Engine, packet: bytes, transport: Transport) -> bytes | None:
    """The reply to `packet`; Broken if a rule is broken."""
    try:
        reply = engine.respond(packet, transport, NOW, 0, SOURCE)
        if len(packet) < HEADER_SIZE or packet[2] & 0x80:
            if reply is not None:
                raise Broken("a response or a short packet was answered")
            return None
        if reply is None:
            raise Broken("a query was not answered")
        read(reply, distinct=True)
        if reply[:2] != packet[:2] or not reply[2] & 0x80:
            raise Broken("the id is another one, or QR is missing")
        if transport is Transport.UDP and len(reply) > MAX_UDP_REPLY:
            raise Broken(f"{len(reply)} octets over UDP")
        if engine.respond(reply, transport, 0.0) is not None:
            raise Broken("the engine answers its own reply")
    except Exception as error:
        raise Broken(f"{packet.hex()} over {transport.value}: {error}") from error
    return reply


def run(count: int, seed: int, signer: str = "") -> dict[int, int]:
    """Put `count` packets through an engine; how many got which rcode, -1 for none. Broken at the first bad one."""
    rng = random.Random(seed)
    zones = corpus(signer)
    engine, wires = engine_of(zones), seeds(zones)
    with_core = engine_of(zones)  # with tables of its own, so that neither answers from what the other keeps
    rcodes: dict[int, int] = {}
    batch = Batch(BATCH, MAX_PACKET)
    for index in range(BATCH):
        batch.put_source(index, SOURCE)
    expected: list[tuple[bytes | None, bool]] = []
    for _ in range(count):
        packet = mutate(rng.choice(wires), wires, rng)
        transport = Transport.TCP if rng.random() < 0.1 else Transport.UDP
        reply = examine(engine, packet, transport)
        rcode = -1 if reply is None else reply[3] & 0xF
        rcodes[rcode] = rcodes.get(rcode, 0) + 1
        if transport is Transport.UDP and len(packet) <= MAX_PACKET:
            proven = False
            if reply is not None:
                engine.respond(packet, transport, NOW, 0, SOURCE)
                proven = engine.proven
            batch.put_query(len(expected), packet)
            expected.append((reply, proven))
            if len(expected) == BATCH:
                compare(with_core, batch, expected)
                expected.clear()
    return rcodes


def compare(engine: Engine, batch: Batch, expected: list[tuple[bytes | None, bool]]) -> None:
    """Broken if the replies to a batch, first and when they are ready, are not the expected ones."""
    for _ in range(2):
        engine.respond_batch(
            batch, len(expected), lambda wire, peer: engine.respond(wire, Transport.UDP, NOW, 0, peer), NOW
        )  # fmt: skip
        for index, (reply, proven) in enumerate(expected):
            if batch.reply(index) != reply or bool(batch.trusted[index]) is not proven:
                raise Broken(f"{batch.query(index).hex()}: in a batch the reply is another one")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_respond", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--signer", choices=sorted(SIGNERS), default="")
    options = parser.parse_args()
    try:
        rcodes = run(options.count, options.seed, options.signer)
    except Broken as broken:
        print(broken)
        return 1
    print(f"{options.count} packets; replies by rcode (-1: none): {dict(sorted(rcodes.items()))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
