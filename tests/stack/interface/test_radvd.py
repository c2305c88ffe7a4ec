"""radvd as the router: what it advertises is what we use."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dns_platform.unix.tap import TapDevice
from stack.address import Endpoint, parse
from stack.interface.interface import Interface
from stack.interface.settings import Settings
from tests.support.debian import Tree, need
from tests.support.namespaces import Namespace, daemon, plug, tap_namespace
from tests.support.station import Station

pytestmark = pytest.mark.netns

CONFIGURATION = """
interface {interface} {{
    AdvSendAdvert on;
    AdvLinkMTU 1420;
    AdvDefaultLifetime 1800;
    MinRtrAdvInterval 3;
    MaxRtrAdvInterval 4;
    prefix 2001:db8:7::/64 {{ AdvOnLink on; AdvAutonomous on; }};
}};
"""

ECHO = """
import socket
server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
server.bind(("2001:db8:8::1", 7))
message, peer = server.recvfrom(100)
server.sendto(message, peer)
"""


@pytest.fixture(scope="module")
def radvd() -> Tree:
    return need("radvd")


@pytest.fixture
def advertised(radvd: Tree, tmp_path: Path) -> Iterator[tuple[Namespace, TapDevice]]:
    with tap_namespace() as namespace:
        device = TapDevice(namespace.outside)
        plug(namespace, "2001:db8:7::1/64", "2001:db8:8::1/128")
        namespace.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
        configuration = tmp_path / "radvd.conf"
        configuration.write_text(CONFIGURATION.format(interface=namespace.inside))
        arguments = (f"--config={configuration}", f"--pidfile={tmp_path / 'pid'}", "--logmethod=none")
        with daemon(namespace, radvd, "radvd", "--nodaemon", *arguments):
            yield namespace, device


def test_address_router_and_mtu(advertised: tuple[Namespace, TapDevice]) -> None:
    namespace, device = advertised
    far = parse("2001:db8:8::1")
    with Station(device, Settings()) as station:
        station.wait(lambda interface: interface.source_for(far))
        ours = parse("2001:db8:7:0:75:6eff:fe69:7a00")

        def check(interface: Interface) -> None:
            assert interface.source_for(far) == ours
            assert interface.mtu_for(far) == 1420

        station.call(check)
        heard: list[bytes] = []
        server = namespace.start(sys.executable, "-c", ECHO)
        try:
            station.wait(lambda interface: _answered(interface, heard))
        finally:
            server.kill()
            server.wait()
        assert heard[0] == b"by router"


def _answered(interface: Interface, heard: list[bytes]) -> bool:
    """Ask the host behind the router once more; was there an answer before?"""
    socket = interface.udp.bind(Endpoint(bytes(16), 0), lambda payload, *_: heard.append(payload))
    socket.send(b"by router", Endpoint(parse("2001:db8:8::1"), 7), time.monotonic())
    return bool(heard)
