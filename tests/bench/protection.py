"""What guard rails cost: rate limits, cookies and counting; and logging while every query is refused."""

import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.bench.harness import contest, generator
from tests.bench.harness.contest import Contender
from tests.bench.harness.figure import Figure
from tests.bench.harness.questions import ORIGIN, queries, zone_text
from tests.support.server import PATIENCE_S, Server, serve

GOAL: Final = 1.05
_COOKIE: Final = bytes.fromhex("000a00080123456789abcdef")  # RFC 7873 4: a client's half
_BOTH_HALVES: Final = 24
# The program without counting, limits and cookies: what listeners ask is the engine alone, whose core has none to make.
_BARE: Final = """\
import sys
from dns_server.answer import engine
from dns_server.answer.protocol import Transport
from dns_server.answering import Answering
from dns_server.cli import main
def batches(self):
    answer = lambda query, source: self._dispatch(query, Transport.UDP, source)
    return lambda batch, count: self._engine.respond_batch(batch, count, answer, 0.0)
Answering.batches = batches
new_responder = engine.new_responder
engine.new_responder = lambda directory, batch, nsid, cookies: new_responder(directory, batch, nsid, None)
sys.exit(main(sys.argv[sys.argv.index("serve"):]))
"""
# No network is exempt, and nobody is over the rate: each answer goes all the way through the table.
_LIMITED: Final = ("--rate-limit=10000000", "--rate-limit-exempt=198.51.100.0/24")


def run(*, quick: bool) -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ORIGIN.rstrip(".")).write_text(zone_text())
        plain = queries(negative=0.1, do=False)
        with_cookie = [_with_cookie(wire) for wire in plain]
        with ExitStack() as stack:
            bare = stack.enter_context(_bare(folder))
            full = stack.enter_context(serve(f"--zones={folder}", *_LIMITED, "--http=127.0.0.1:0"))
            found = [_contender("with guard rails", full, plain), _contender("without", bare, plain)]
            contest.compete(found, quick=quick)
            yield Figure("CPU a query with limits and counting, of that without", found[0].ratio_to(found[1]), "", GOAL)
            found = [_contender("cookies", full, with_cookie), _contender("without", bare, with_cookie)]
            contest.compete(found, quick=quick)
            yield Figure("the same, and each query has a client cookie", found[0].ratio_to(found[1]), "", GOAL)
            proven = [_with_cookie(wire, _cookie_of(full, with_cookie[0])) for wire in plain]
            found = [_contender("proven", full, proven), _contender("without", bare, proven)]
            contest.compete(found, quick=quick)
            yield Figure("the same, and each query has a valid server cookie", found[0].ratio_to(found[1]), "", GOAL)
        refused = [wire.replace(b"\x05bench", b"\x05other") for wire in plain]
        with ExitStack() as stack:
            quiet = stack.enter_context(serve(f"--zones={folder}", "--rate-limit=off"))
            storm = stack.enter_context(
                serve(f"--zones={folder}", "--logs=debug", "--rate-limit=1", "--rate-limit-slip=1", *_LIMITED[1:])
            )
            found = [_contender("storm", storm, refused), _contender("quiet", quiet, refused)]
            contest.compete(found, quick=quick)
            name = "CPU a refused query that is over the rate and told, of one that is not"
            yield Figure(name, found[0].ratio_to(found[1]), "", GOAL)


def _contender(name: str, server: Server, wires: list[bytes]) -> Contender:
    return Contender(name, server.process.pid, generator.loader(server.port, wires))


@contextmanager
def _bare(folder: Path) -> Iterator[Server]:
    arguments: Sequence[str] = ["serve", "--log-format=json", "--listen=127.0.0.1:0", f"--zones={folder}"]
    server = Server([*arguments, "--rate-limit=off"], within=[sys.executable, "-c", _BARE])
    try:
        server.wait_for("ready")
        yield server
    finally:
        server.stop()


def _with_cookie(wire: bytes, option: bytes = _COOKIE) -> bytes:
    """A query with an OPT record at its end, and a cookie in that: a client's half by itself, or with the server's."""
    assert wire[-2:] == b"\0\0", "the OPT record has no options yet"
    return wire[:-2] + len(option).to_bytes(2, "big") + option


def _cookie_of(server: Server, query: bytes) -> bytes:
    """The option with which the server answers `query`, whose sender it knows by that from now on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", server.port))
        client.settimeout(PATIENCE_S)
        client.send(query)
        reply = client.recv(4096)
    at = reply.index(_COOKIE[4:])  # behind code and length comes the client's half
    assert reply[at - 4 : at] == _COOKIE[:2] + _BOTH_HALVES.to_bytes(2, "big")
    return reply[at - 4 : at + _BOTH_HALVES]
