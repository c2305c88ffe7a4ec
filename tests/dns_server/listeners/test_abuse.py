"""Queries that can only do harm get no answer: from port 0, and to broadcast and multicast addresses.

Where they come from is forged more often than not, and everybody on the link would answer those to a group.
"""

import os
import socket
import struct
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import dns.message
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.namespaces import ip
from tests.support.network import HOST, OWN_STACK, TAP, Network, needs_ipv6, own_stack
from tests.support.server import Server, eventually, serve

ZONE: Final = "$TTL 60\n@ SOA ns1 h 1 1h 10m 7d 1m\n@ NS ns1\nns1 A 192.0.2.1\n"
INTERFACE: Final = {HOST: "lo", OWN_STACK: TAP}
BROADCAST: Final = {HOST: "127.255.255.255", OWN_STACK: "192.0.2.255"}
ALL_HOSTS: Final = "224.0.0.1"  # RFC 1112 4
ALL_NODES: Final = "ff02::1"  # RFC 4291 2.7.1
LINK: Final = "group0"
IPV6_CHECKSUM: Final = 7  # linux/in6.h
FROM_PORT_0: Final = {HOST: "from port 0", OWN_STACK: "request from port 0"}
ALL: Final = ("0.0.0.0:0", "[::]:0")
TO_A_GROUP: Final = {HOST: "to a group", OWN_STACK: "request to a group"}
# The program where datagrams can't be read in batches.
ONE_BY_ONE: Final = """\
import sys
from dns_server.cli import main
from dns_server.listeners import host
host.is_available = lambda: False
sys.exit(main(sys.argv[sys.argv.index("serve"):]))
"""


@contextmanager
def of_the_host(folder: Path, *, batches: bool) -> Iterator[Server]:
    """A server at all addresses of Linux."""
    (folder / "example.test").write_text(ZONE)
    line = ["serve", "--log-format=json", f"--zones={folder}", *HOST.http, *(f"--listen={one}" for one in ALL)]
    server = Server(line, within=() if batches else [sys.executable, "-c", ONE_BY_ONE])
    try:
        server.wait_for("ready")
        yield server
    finally:
        assert server.stop() == 0


@pytest.fixture(params=["batches", "one by one", "own stack"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, Network]]:
    """A server at all addresses, and where it is."""
    with ExitStack() as stack:
        if request.param == "own stack":
            network = stack.enter_context(own_stack())
            (tmp_path / "example.test").write_text(ZONE)
            yield stack.enter_context(serve(f"--zones={tmp_path}", *network.http, listen=ALL)), network
        else:
            yield stack.enter_context(of_the_host(tmp_path, batches=request.param == "batches")), HOST


def query(number: int) -> bytes:
    message = dns.message.make_query("ns1.example.test.", "A")
    message.id = number
    return message.to_wire()


def dropped(server: Server, reason: str) -> float:
    port = server.port_for("HTTP")
    with urllib.request.urlopen(f"http://{server.address}:{port}/metrics", timeout=60) as response:
        families = text_string_to_metric_families(response.read().decode())
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name in ("unizone_udp_dropped_total", "unizone_stack_events_total")
        and sample.labels["reason"] == reason
    )


def check_group(server: Server, reason: str, group: str, own: str, link: str) -> None:
    """A query to `group` on `link` is counted and gets no answer; one to the server's `own` address does.

    The kernel gives one to a group to each socket of that port: to that for cookies, too.
    """
    six = ":" in group
    port = server.ports["::" if six else "0.0.0.0"]
    with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(60)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if not six:
            client.setsockopt(
                socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("@8xi", socket.if_nametoindex(link))
            )
        client.sendto(query(1), (group, port, 0, socket.if_nametoindex(link)) if six else (group, port))
        eventually(lambda: dropped(server, reason) >= 1)
        client.sendto(query(2), (own, port))
        reply = dns.message.from_wire(client.recv(4096))
    assert (reply.id, len(reply.answer)) == (2, 1)


def check_port_0(server: Server, reason: str, own: str) -> None:
    """A query from port 0 is counted; what would go back can't be sent or seen by anybody."""
    six = ":" in own
    wire = query(1)
    with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
        if six:
            raw.setsockopt(socket.IPPROTO_IPV6, IPV6_CHECKSUM, 6)
        port = server.ports["::" if six else "0.0.0.0"]
        header = struct.pack("!HHHH", 0, port, 8 + len(wire), 0)  # no checksum: IPv4 needs none
        raw.sendto(header + wire, (own, 0))
        eventually(lambda: dropped(server, reason) == 1)


@pytest.mark.parametrize("group", ["broadcast", ALL_HOSTS])
def test_queries_to_a_group_get_no_answer(group: str, served: tuple[Server, Network]) -> None:
    server, network = served
    address = BROADCAST[network] if group == "broadcast" else group
    check_group(server, TO_A_GROUP[network], address, network.server, INTERFACE[network])


@pytest.mark.netns
def test_queries_to_all_nodes_get_no_answer_from_the_own_stack(tmp_path: Path) -> None:
    (tmp_path / "example.test").write_text(ZONE)
    with own_stack() as network, serve(f"--zones={tmp_path}", *network.http, listen=ALL) as server:
        check_group(server, TO_A_GROUP[network], ALL_NODES, network.server_6, TAP)


@pytest.mark.netns
@pytest.mark.parametrize("batches", [True, False], ids=["batches", "one by one"])
def test_queries_to_all_nodes_get_no_answer_from_the_host(batches: bool, tmp_path: Path) -> None:
    with own_stack():  # a namespace, in which Linux sends to its own groups by an interface that is not the loopback
        ip("link", "add", LINK, "type", "veth", "peer", "name", f"{LINK}p")
        for end in (LINK, f"{LINK}p"):
            ip("link", "set", end, "up")
        ip("address", "add", "fe80::53/64", "dev", LINK, "nodad")  # the kernel's own is tentative for a while
        with of_the_host(tmp_path, batches=batches) as server:
            server.address = HOST.server
            check_group(server, TO_A_GROUP[HOST], ALL_NODES, HOST.server_6, LINK)


@pytest.mark.skipif(os.geteuid() != 0, reason="raw sockets need root")
@pytest.mark.parametrize("version", [4, pytest.param(6, marks=needs_ipv6)])
def test_queries_from_port_0_get_no_answer(version: int, served: tuple[Server, Network]) -> None:
    server, network = served
    check_port_0(server, FROM_PORT_0[network], network.server if version == 4 else network.server_6)
