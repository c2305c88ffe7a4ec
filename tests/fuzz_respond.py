"""Mutated packets through the engine: no exception, no answer to a response, every reply well formed.

`python -m tests.fuzz_respond --count 1000000 --seed 1`; a packet that breaks a rule is printed in hexadecimal.
"""

import argparse
import random
import sys
from pathlib import Path

from dns_server.answer.batch import Batch
from dns_server.answer.chaos import Identity
from dns_server.answer.engine import Engine
from dns_server.answer.protocol import HEADER_SIZE, Transport
from tests.dns_server.answer.questions import queries
from tests.dns_server.answer.replies import read
from tests.support.served import catalogue_of, zone_from_text

CORPUS = Path(__file__).parent / "corpus" / "zones"
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


def make_engine() -> Engine:
    """An engine with every zone of the corpus."""
    zones = [
        zone_from_text(path.read_text(), "." if path.stem == "root" else f"{path.stem}.")
        for path in sorted(CORPUS.glob("*.zone"))
    ]
    return Engine(IDENTITY, catalogue_of(*zones, revision="0" * 40))


def seeds() -> list[bytes]:
    """Well-formed queries to begin with."""
    zones = [zone_from_text(path.read_text(), f"{path.stem}.") for path in sorted(CORPUS.glob("*.example.zone"))]
    return [wire for zone in zones for wire in queries(zone)]


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
        reply = engine.respond(packet, transport, 0.0)
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


def run(count: int, seed: int) -> dict[int, int]:
    """Put `count` packets through an engine; how many got which rcode, -1 for none. Broken at the first bad one.

    Those over UDP go through the compiled core too, where there is one, which must reply the same.
    """
    rng = random.Random(seed)
    engine, wires = make_engine(), seeds()
    rcodes: dict[int, int] = {}
    batch = Batch(BATCH, MAX_PACKET)
    expected: list[bytes | None] = []
    for _ in range(count):
        packet = mutate(rng.choice(wires), wires, rng)
        transport = Transport.TCP if rng.random() < 0.1 else Transport.UDP
        reply = examine(engine, packet, transport)
        rcode = -1 if reply is None else reply[3] & 0xF
        rcodes[rcode] = rcodes.get(rcode, 0) + 1
        if transport is Transport.UDP and len(packet) <= MAX_PACKET:
            batch.put_query(len(expected), packet)
            expected.append(reply)
            if len(expected) == BATCH:
                compare(engine, batch, expected)
                expected.clear()
    return rcodes


def compare(engine: Engine, batch: Batch, expected: list[bytes | None]) -> None:
    """Broken if the replies to a batch are not the expected ones."""
    engine.respond_batch(batch, len(expected), lambda wire, _: engine.respond(wire, Transport.UDP, 0.0), 0.0)
    for index, reply in enumerate(expected):
        if batch.reply(index) != reply:
            raise Broken(f"{batch.query(index).hex()}: in a batch the reply is another one")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        rcodes = run(options.count, options.seed)
    except Broken as broken:
        print(broken)
        return 1
    print(f"{options.count} packets; replies by rcode (-1: none): {dict(sorted(rcodes.items()))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
