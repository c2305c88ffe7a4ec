"""Linux as the other end of the link: what it says to us, and what it makes of our answers."""

import sys
import time
from collections.abc import Iterator

import pytest

from dns_platform.unix.tap import TapDevice
from stack.address import IPV4_UNSPECIFIED, IPV6_UNSPECIFIED, Endpoint, parse
from stack.interface.interface import Interface
from stack.interface.settings import Settings
from stack.transport import Unreachable
from tests.support.debian import Tree, need
from tests.support.namespaces import Namespace, plug, tap_namespace
from tests.support.station import Station, static

pytestmark = pytest.mark.netns

OUR_4, OUR_6 = "192.0.2.1", "2001:db8::1"
SETTINGS = Settings(
    ipv4=static(f"{OUR_4}/24"),
    ipv4_gateway=parse("192.0.2.2"),
    ipv6=static(f"{OUR_6}/64"),
    ipv6_gateway=parse("2001:db8::2"),
)

Both = tuple[Namespace, Station]


@pytest.fixture(scope="module")
def tools() -> Tree:
    return need("iputils-ping", "iputils-arping", "iputils-tracepath")


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    with tap_namespace() as namespace:
        device = TapDevice(namespace.outside)
        plug(namespace, "192.0.2.2/24", "2001:db8::2/64", "198.51.100.1/32")
        with Station(device, SETTINGS) as station:
            station.echo(Endpoint(IPV4_UNSPECIFIED, 7))
            station.echo(Endpoint(IPV6_UNSPECIFIED, 7))
            yield namespace, station


@pytest.mark.parametrize("address", [OUR_4, OUR_6])
@pytest.mark.parametrize("size", [0, 56, 1452, 4000, 30000])
def test_ping(both: Both, tools: Tree, address: str, size: int) -> None:
    namespace, _ = both
    ping = str(tools.path("ping"))
    result = namespace.run(ping, "-c", "3", "-i", "0.05", "-W", "10", "-s", str(size), address, check=False)
    assert "3 received" in result.stdout, result


def test_arping(both: Both, tools: Tree) -> None:
    namespace, station = both
    arping = str(tools.path("arping"))
    result = namespace.run(arping, "-c", "2", "-I", namespace.inside, OUR_4, check=False)
    assert station.interface.mac.hex(":").upper() in result.stdout, result


CLIENT = """
import socket, sys
address, port, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
client = socket.socket(family, socket.SOCK_DGRAM)
client.settimeout(20)
client.connect((address, port))
client.send(bytes(size))
try:
    print(len(client.recv(65535)))
except OSError as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize("address", [OUR_4, OUR_6])
@pytest.mark.parametrize("size", [0, 1, 1453, 9000])
def test_udp_echo(both: Both, address: str, size: int) -> None:
    namespace, _ = both
    assert namespace.run(sys.executable, "-c", CLIENT, address, "7", str(size)).stdout.strip() == str(size)


@pytest.mark.parametrize("address", [OUR_4, OUR_6])
def test_port_unreachable_is_told(both: Both, address: str) -> None:
    namespace, _ = both
    result = namespace.run(sys.executable, "-c", CLIENT, address, "9", "1")
    assert result.stdout.strip() == "ConnectionRefusedError"


def heard_of(station: Station, target: Endpoint) -> list[tuple[Endpoint, Unreachable]]:
    """What the sender of a datagram to `target` is told of it."""
    heard: list[tuple[Endpoint, Unreachable]] = []

    def send(interface: Interface) -> None:
        local = Endpoint(bytes(len(target.address)), 0)
        socket = interface.udp.bind(local, lambda *_: None, lambda remote, why: heard.append((remote, why)))
        socket.send(b"anyone?", target, time.monotonic())

    station.call(send)
    station.wait(lambda _: heard)
    return heard


@pytest.mark.parametrize("address", ["192.0.2.2", "2001:db8::2"])
def test_port_unreachable_is_heard(both: Both, address: str) -> None:
    target = Endpoint(parse(address), 9)
    assert heard_of(both[1], target) == [(target, Unreachable.PORT)]


@pytest.mark.parametrize("address", ["192.0.2.77", "2001:db8::77"])
def test_silent_neighbour_is_told_to_the_sender(both: Both, address: str) -> None:
    target = Endpoint(parse(address), 9)
    assert heard_of(both[1], target) == [(target, Unreachable.HOST)]


def test_a_router_between(both: Both, tools: Tree) -> None:
    """Linux pings from an address that is off the link for us: the answer goes by way of the default router."""
    namespace, _ = both
    ping = str(tools.path("ping"))
    result = namespace.run(ping, "-c", "2", "-i", "0.05", "-W", "10", "-I", "198.51.100.1", OUR_4, check=False)
    assert "2 received" in result.stdout, result


@pytest.mark.parametrize("address", [OUR_4, OUR_6])
def test_tracepath_ends_here(both: Both, tools: Tree, address: str) -> None:
    namespace, _ = both
    result = namespace.run(str(tools.path("tracepath")), "-n", address, check=False)
    assert "reached" in result.stdout, result
