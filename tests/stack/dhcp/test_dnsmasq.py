"""dnsmasq as the DHCP server."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dns_platform.unix.tap import TapDevice
from stack.address import parse
from stack.dhcp.service import DhcpService
from stack.dhcp.table import State
from stack.interface.interface import Interface
from stack.interface.settings import Settings
from tests.support.debian import Tree, need
from tests.support.namespaces import Namespace, daemon, plug, tap_namespace
from tests.support.station import Station

pytestmark = pytest.mark.netns


@pytest.fixture(scope="module")
def dnsmasq() -> Tree:
    return need("dnsmasq-base")


@pytest.fixture
def served(dnsmasq: Tree, tmp_path: Path) -> Iterator[tuple[Namespace, TapDevice]]:
    with tap_namespace() as namespace:
        device = TapDevice(namespace.outside)
        plug(namespace, "192.0.2.1/24")
        with daemon(
            namespace,
            dnsmasq,
            "dnsmasq",
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--port=0",
            "--user=root",
            "--no-ping",
            "--dhcp-authoritative",
            "--dhcp-range=192.0.2.50,192.0.2.60,255.255.255.0,2m",
            "--dhcp-option=option:mtu,1400",
            "--dhcp-option=option:dns-server,192.0.2.9",
            f"--dhcp-leasefile={tmp_path / 'leases'}",
            f"--pid-file={tmp_path / 'pid'}",
        ):
            yield namespace, device


def test_address_router_mtu_and_name_servers(served: tuple[Namespace, TapDevice], tmp_path: Path) -> None:
    _, device = served
    with Station(device, Settings(ipv6_enabled=False)) as station:
        service = station.call(lambda interface: DhcpService(interface, time.monotonic(), "unizone-test"))
        station.wait(lambda _: service.lease)
        lease = service.lease
        assert lease is not None
        assert lease.address in [parse(f"192.0.2.{host}") for host in range(50, 61)]
        assert lease.routers == (parse("192.0.2.1"),)
        assert lease.name_servers == (parse("192.0.2.9"),)
        assert lease.mtu == 1400

        def settled(interface: Interface) -> bool:
            assert interface.is_local(lease.address)
            assert interface.mtu_for(parse("192.0.2.1")) == 1400
            return interface.source_for(parse("198.51.100.1")) == lease.address

        assert station.call(settled)
        assert "unizone-test" in (tmp_path / "leases").read_text()
        assert service.client.state is State.BOUND
        station.call(lambda interface: service.close(interface.now))
        station.wait(lambda _: not (tmp_path / "leases").read_text())
