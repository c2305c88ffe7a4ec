"""The devices of unix, with Linux at the other end of the link."""

import sys
from collections.abc import Callable, Iterator

import pytest

from dns_platform.protocols import BATCH, DeviceError, Mark, NetworkDevice
from dns_platform.unix.packet import PacketDevice
from dns_platform.unix.tap import TapDevice
from dns_platform.unix.xdp import XdpDevice
from stack.address import IPV4_UNSPECIFIED, IPV6_UNSPECIFIED, Endpoint
from stack.interface.settings import Settings
from tests.support.namespaces import Namespace, need_namespaces, plug, tap_namespace, veth_namespace
from tests.support.station import Station, static

pytestmark = pytest.mark.netns

SETTINGS = Settings(ipv4=static("192.0.2.1/24"), ipv6=static("2001:db8::1/64"))
LINUX = "192.0.2.2/24", "2001:db8::2/64"

TCP = 6
MARK = Mark(len(b"mark last"), int.from_bytes(b"mark"))
MARKED = b"before mark last"
# More than any queue holds, and then what should not be lost by it.
FLOOD = """
import socket, subprocess, sys
address, other = sys.argv[1:3]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
client = socket.socket(family, socket.SOCK_DGRAM)
for number in range(4000):
    client.sendto(b"flood last", (other, 9))
for number in range(10):
    client.sendto(b"before mark last", (other, 7))
connecting = socket.socket(family, socket.SOCK_STREAM)
connecting.setblocking(False)
connecting.connect_ex((other, 7))
"""

ECHO = """
import socket, sys
address, size, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(20)
client.connect((address, 7))
for number in range(count):
    message = number.to_bytes(4, "big") + bytes(size - 4)
    client.send(message)
    assert client.recv(65535) == message, number
"""


def tap() -> Iterator[tuple[Namespace, NetworkDevice]]:
    with tap_namespace() as namespace:
        device = TapDevice(namespace.outside)
        plug(namespace, *LINUX)
        yield namespace, device


def packet() -> Iterator[tuple[Namespace, NetworkDevice]]:
    with veth_namespace(*LINUX) as namespace:
        yield namespace, PacketDevice(namespace.outside)


def xdp() -> Iterator[tuple[Namespace, NetworkDevice]]:
    with veth_namespace(*LINUX, offload=False) as namespace:
        yield namespace, XdpDevice(namespace.outside)


def packet_of_two_queues() -> Iterator[tuple[Namespace, NetworkDevice]]:
    with veth_namespace(*LINUX) as namespace:
        yield namespace, PacketDevice(namespace.outside, MARK)


def xdp_of_two_queues() -> Iterator[tuple[Namespace, NetworkDevice]]:
    with veth_namespace(*LINUX, offload=False) as namespace:
        yield namespace, XdpDevice(namespace.outside, MARK)


@pytest.fixture(params=[tap, packet, xdp, packet_of_two_queues, xdp_of_two_queues], ids=lambda kind: str(kind.__name__))
def linked(request: pytest.FixtureRequest) -> Iterator[tuple[Namespace, NetworkDevice]]:
    need_namespaces()
    make: Callable[[], Iterator[tuple[Namespace, NetworkDevice]]] = request.param
    yield from make()


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_datagrams_go_both_ways(linked: tuple[Namespace, NetworkDevice], address: str) -> None:
    namespace, device = linked
    with Station(device, SETTINGS) as station:
        station.echo(Endpoint(IPV4_UNSPECIFIED, 7))
        station.echo(Endpoint(IPV6_UNSPECIFIED, 7))
        # More than the slots of a ring, so that each is used again.
        for size, count in ((4, 3000), (1400, 50), (5000, 20)):
            namespace.run(sys.executable, "-c", ECHO, address, str(size), str(count))


def test_xdp_program_goes_away_with_the_device() -> None:
    with veth_namespace(*LINUX, offload=False) as namespace:
        first = XdpDevice(namespace.outside)
        first.close()
        second = XdpDevice(namespace.outside)
        with pytest.raises(DeviceError, match="busy"):
            XdpDevice(namespace.outside)
        second.close()
        second.close()


@pytest.mark.parametrize("device", [packet_of_two_queues, xdp_of_two_queues])
@pytest.mark.parametrize(("own", "address"), [("192.0.2.2", "192.0.2.9"), ("2001:db8::2", "2001:db8::9")])
def test_marked_frames_do_not_wait_behind_others(
    device: Callable[[], Iterator[tuple[Namespace, NetworkDevice]]], own: str, address: str
) -> None:
    need_namespaces()
    for namespace, opened in device():
        try:
            namespace.run("ip", "neighbour", "add", address, "lladdr", opened.mac.hex(":"), "dev", namespace.inside)
            namespace.run(sys.executable, "-c", FLOOD, own, address)
            frames: list[bytes] = []
            while batch := opened.receive():
                frames += map(bytes, batch)
            assert sum(frame.endswith(MARKED) for frame in frames) == 10
            assert any(frame[20 if ":" in address else 23] == TCP for frame in frames)
            assert BATCH < sum(frame.endswith(b"flood last") for frame in frames) < 4000
        finally:
            opened.close()


@pytest.mark.parametrize("device", [PacketDevice, XdpDevice])
def test_an_interface_that_is_not_there_is_refused(device: Callable[[str], NetworkDevice]) -> None:
    with pytest.raises(DeviceError, match="there is no interface none0"):
        device("none0")
