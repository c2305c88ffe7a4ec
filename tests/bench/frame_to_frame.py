"""Compute alone from frame to reply frame, checksums included."""

import time
from array import array
from collections.abc import Callable, Iterator, Sequence

from dns_platform.frames import Frames, copied
from dns_platform.protocols import BATCH
from dns_server.answer.batch import Batch
from dns_server.answer.catalogue import Catalogue
from dns_server.answer.engine import Engine
from dns_server.answer.protocol import Transport
from dns_server.answer.table import build
from stack.address import Endpoint
from tests.bench.harness.figure import Figure, NotHere
from tests.stack.interface.lan import STRANGER_6, US_6, Host, datagram, ip4, ip6
from zones.slices import run_to_end
from zones.zonefile import parse

GOAL_NS = 600
NAMES = 10_000
BATCHES_A_TURN = 4
"""See `stack.loop.turn`."""
_SLOT = 2048
_OUT = memoryview(bytearray(_SLOT * BATCH))
_PLACES = array("Q", [_SLOT * index for index in range(BATCH)])
ROUNDS = 5
"""The best of these is told: the others were disturbed."""


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures."""
    engine = Engine()
    zone = run_to_end(parse(_zone(), b"\x05bench\x04test\x00", "bench.test", _no_include)).zone
    assert zone is not None
    engine.catalogue = Catalogue().updated({zone.origin: run_to_end(build(zone))})
    host = Host()
    for size in (4, 16):
        host.interface.udp.serve(Endpoint(bytes(size), 53), lambda query, _: engine.respond(query, Transport.UDP, 0.0))
    host.know_stranger()
    queries = [_query(number % NAMES) for number in range((4 if quick else 64) * BATCH)]
    four = _batches([ip4(17, datagram(query)) for query in queries])
    six = _batches([ip6(17, datagram(query, source=STRANGER_6, destination=US_6)) for query in queries])
    for version, frames in ((4, four), (6, six)):
        yield Figure(f"IPv{version}, plain Python, a frame at a time", _measure(host, frames), "ns")
    batch = Batch(BATCH, 512)

    def respond(count: int) -> None:
        engine.respond_batch(batch, count, lambda query, _: engine.respond(query, Transport.UDP, 0.0), 0.0)

    compiled = host.interface.serve_batches(batch, respond)
    if not compiled:
        raise NotHere("nothing is compiled here: there was no compiler")
    for version, frames in ((4, four), (6, six)):
        yield Figure(f"IPv{version}, compiled, batches of {BATCH}", _measure(host, frames), "ns", GOAL_NS)


def _measure(host: Host, batches: Sequence[Frames]) -> float:
    """CPU nanoseconds a frame."""
    _serve(host, batches)  # so that the answers are ready
    return min(_timed(lambda: _serve(host, batches)) for _ in range(ROUNDS)) / (len(batches) * BATCH) * 1e9


def _timed(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _serve(host: Host, batches: Sequence[Frames]) -> None:
    """As a turn of the loop does it, with devices that have the frames of a batch in one memory."""
    for number, frames in enumerate(batches):
        host.interface.receive(frames, host.now)
        made = len(copied(host.interface.take_replies(), _OUT, _PLACES))
        if not made or number % BATCHES_A_TURN == 0:
            made += len(host.interface.transmit(host.now))
        assert made == BATCH


def _batches(frames: list[bytes]) -> list[Frames]:
    return [_in_one_memory(frames[at : at + BATCH]) for at in range(0, len(frames), BATCH)]


def _in_one_memory(frames: list[bytes]) -> Frames:
    memory = memoryview(bytearray(_SLOT * len(frames)))
    starts = array("Q", range(0, len(memory), _SLOT))
    return Frames(memory, starts, copied(frames, memory, starts))


def _query(number: int) -> bytes:
    """A query for an A record, with EDNS."""
    label = b"host%05d" % number
    name = bytes((len(label),)) + label + b"\x05bench\x04test\x00"
    return (
        number.to_bytes(2)
        + bytes.fromhex("00000001000000000001")
        + name
        + bytes.fromhex("0001000100002904d0000000000000")
    )


def _zone() -> bytes:
    lines = ["$TTL 300", "@ SOA ns1 hostmaster 1 4h 1h 14d 5m", "@ NS ns1", "ns1 A 192.0.2.1"]
    lines += [f"host{number:05} A 192.0.2.{number % 250}" for number in range(NAMES)]
    return "\n".join([*lines, ""]).encode()


def _no_include(path: str) -> bytes:
    raise FileNotFoundError(path)
