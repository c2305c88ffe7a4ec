"""The real program on its own stack under floods: another client goes on being answered, over UDP and TCP."""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.message
import pytest

from dns_platform.unix.packet import PacketDevice
from dns_platform.unix.tap import MAC
from stack.address import parse
from tests.stack.floods import FLOODS, Aim, Flood
from tests.support.namespaces import ip
from tests.support.network import OWN_STACK, TAP, own_stack
from tests.support.server import PATIENCE_S, Server, eventually, serve

pytestmark = pytest.mark.netns

ZONE = "$TTL 60\n@ SOA ns1 h 1 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.1\n"
ATTACKER = "192.0.2.66"
QUERIES = 30
FRAMES, PAUSE_S = 32, 0.002
"""The attacker sends so many at a time: some thousands a second, which leaves room on the link itself."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "example.test").write_text(ZONE)
    listen = (f"{OWN_STACK.server}:53", f"[{OWN_STACK.server_6}]:53")
    # A connection waits while all others are asked, which takes its time where the flood has the processor.
    with own_stack(), serve(f"--zones={tmp_path}", "--tcp-idle=5m", listen=listen) as own:
        yield own


def query(number: int) -> bytes:
    message = dns.message.make_query("ns1.example.test", "A")
    message.id = number
    return message.to_wire()


def ask(client: socket.socket, number: int) -> bool:
    """Ask as resolvers do, again and again for a while; whether the answer came."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        client.send(query(number))
        with contextlib.suppress(TimeoutError):
            while (reply := client.recv(4096))[:2] != number.to_bytes(2):
                pass
            return bool(dns.message.from_wire(reply).answer)
    return False


def ask_tcp(stream: socket.socket) -> bool:
    wire = query(1)
    stream.sendall(len(wire).to_bytes(2) + wire)
    with stream.makefile("rb") as file:
        return bool(dns.message.from_wire(file.read(int.from_bytes(file.read(2)))).answer)


def udp_client(address: str) -> socket.socket:
    client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(1)
    client.connect((address, 53))
    return client


@contextlib.contextmanager
def attacked(attack: Callable[[], object]) -> Iterator[list[int]]:
    """Call `attack` over and over from another thread; how often that was, in a list of one."""
    stop, rounds = threading.Event(), [0]

    def run() -> None:
        while not stop.wait(PAUSE_S):
            attack()
            rounds[0] += 1

    attacker = threading.Thread(target=run)
    attacker.start()
    try:
        yield rounds
    finally:
        stop.set()
        attacker.join()


def check_service(stream: socket.socket, rounds: list[int]) -> None:
    """Everything is answered to others, and to the client whose connection was there before."""
    eventually(lambda: rounds[0] > 10)
    for address in (OWN_STACK.server, OWN_STACK.server_6):
        with udp_client(address) as client:
            assert all(ask(client, number) for number in range(QUERIES))
    with socket.create_connection((OWN_STACK.server, 53), timeout=PATIENCE_S) as another:
        assert ask_tcp(another)
    assert ask_tcp(stream)


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_service_goes_on_under_a_flood_of(flood: Flood, server: Server) -> None:
    assert server.port == 53
    with (
        socket.create_connection((OWN_STACK.server, 53), timeout=PATIENCE_S) as stream,
        contextlib.closing(PacketDevice(TAP)) as device,
    ):
        assert ask_tcp(stream)
        client, port = stream.getsockname()
        aim = Aim(MAC, parse(OWN_STACK.server), parse(OWN_STACK.server_6), parse(client), port)
        frames = flood(aim, random.Random(3))
        with attacked(lambda: device.transmit([next(frames) for _ in range(FRAMES)])) as rounds:
            check_service(stream, rounds)


def test_service_goes_on_under_connections_that_say_nothing_or_little(server: Server) -> None:
    """More than the program takes: connections that stay silent, and such that send an octet now and then."""
    assert server.port == 53
    ip("address", "add", f"{ATTACKER}/24", "dev", TAP)
    with (
        socket.create_connection((OWN_STACK.server, 53), timeout=PATIENCE_S) as stream,
        contextlib.ExitStack() as held,
    ):
        assert ask_tcp(stream)
        slow: list[socket.socket] = []

        def attack() -> None:
            if len(slow) < 600:
                connection = held.enter_context(socket.socket())
                connection.bind((ATTACKER, 0))
                connection.setblocking(False)
                connection.connect_ex((OWN_STACK.server, 53))
                slow.append(connection)
            for connection in random.Random(len(slow)).sample(slow, min(4, len(slow))):
                with contextlib.suppress(OSError):
                    connection.send(b"\0")

        with attacked(attack) as rounds:
            check_service(stream, rounds)
