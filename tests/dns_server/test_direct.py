"""The real program on its own network stack, asked by dig on Linux at the other end of the link."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from scapy.layers.dns import DNSQR
from scapy.utils import rdpcap

from tests.support import git, namespaces
from tests.support.debian import Tree, need
from tests.support.namespaces import Namespace, need_namespaces, plug, tap_namespace, veth_namespace
from tests.support.server import Server, eventually, serve, start

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.netns

LINUX = "192.0.2.1/24", "2001:db8::1/64"
OURS = "--ipv4=192.0.2.53/24", "--ipv6=2001:db8::53/64"
ZONE = """\
$TTL 1h
@ SOA ns1 hostmaster 1 4h 1h 14d 5m
@ NS ns1
ns1 A 192.0.2.53
ns1 AAAA 2001:db8::53
big TXT {big}
"""


@pytest.fixture(scope="module")
def dig() -> Tree:
    return need("bind9-dnsutils")


@pytest.fixture(params=["tap", "packet", "xdp"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Namespace, Server]]:
    """The program on a link of each kind."""
    need_namespaces()
    big = " ".join(f'"{"x" * 250}"' for _ in range(40))
    (tmp_path / "example.test").write_text(ZONE.format(big=big))
    with ExitStack() as stack:
        if request.param == "tap":
            namespace = stack.enter_context(tap_namespace())
        else:
            namespace = stack.enter_context(veth_namespace(*LINUX, offload=request.param != "xdp"))
        server = stack.enter_context(
            serve(
                f"--zones={tmp_path}",
                "--net=direct",
                f"--link={request.param}",
                f"--interface={namespace.outside}",
                *OURS,
                listen=("0.0.0.0:53", "[::]:53"),
            )
        )
        if request.param == "tap":
            plug(namespace, *LINUX)
        yield namespace, server


def ask(served: tuple[Namespace, Server], dig: Tree, address: str, *question: str) -> str:
    namespace, _ = served
    result = subprocess.run(
        [
            "ip",
            "netns",
            "exec",
            namespace.name,
            str(dig.path("dig")),
            "+timeout=20",
            "+short",
            f"@{address}",
            *question,
        ],
        env=dig.environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return result.stdout


def test_dig_over_udp_and_tcp(served: tuple[Namespace, Server], dig: Tree) -> None:
    for address in ("192.0.2.53", "2001:db8::53"):
        for transport in ("+notcp", "+tcp"):
            assert ask(served, dig, address, transport, "ns1.example.test", "A") == "192.0.2.53\n"
        # Truncated over UDP, whole over TCP: several segments
        assert ask(served, dig, address, "big.example.test", "TXT").count("x" * 250) == 40
    _, server = served
    eventually(lambda: server.has("address claimed"))


def test_zones_are_first_asked_for_when_their_host_can_be_reached(tmp_path: Path) -> None:
    """A router gives an IPv6 address at once; a DHCP server asks for three seconds whether its address is taken."""
    need_namespaces()
    repository = git.Origin(tmp_path)
    repository.push({"example.test": ZONE.format(big="x").encode()})
    with ExitStack() as stack:
        namespace = stack.enter_context(tap_namespace())
        server = start(
            f"--remote=git://192.0.2.1/{repository.bare.name}",
            "--net=direct",
            "--link=tap",
            f"--interface={namespace.outside}",
            listen=("0.0.0.0:53", "[::]:53"),
        )
        stack.callback(server.stop)
        server.wait_for("listening")  # it has opened the tap
        plug(namespace, *LINUX)
        options = ("--export-all", f"--base-path={tmp_path}", "--reuseaddr")
        daemon = namespace.start("git", "daemon", *options, env=git.ENVIRONMENT)
        stack.callback(daemon.wait)
        stack.callback(daemon.terminate)
        stack.enter_context(
            namespaces.daemon(
                namespace,
                need("dnsmasq-base"),
                "dnsmasq",
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--port=0",
                "--user=root",
                "--enable-ra",
                "--dhcp-range=2001:db8::,ra-only",
                "--dhcp-range=192.0.2.50,192.0.2.60,255.255.255.0,2m",
                f"--dhcp-leasefile={tmp_path / 'leases'}",
                f"--pid-file={tmp_path / 'pid'}",
            )
        )
        server.wait_for("zones in service")
        assert not server.has("sync failed"), server.events


def test_an_interface_that_is_not_there(tmp_path: Path) -> None:
    need_namespaces()
    line = ["serve", "--log-format=json", f"--zones={tmp_path}", "--net=direct", "--link=packet", "--interface=none0"]
    server = Server(line)
    assert server.process.wait(60) == 69
    assert "there is no interface none0" in server.wait_for("stopped")["reason"]


def test_example_on_the_own_stack_ends_when_its_network_cannot_be_made(tmp_path: Path) -> None:
    need_namespaces()
    ip = tmp_path / "ip"  # as on a machine whose root may make namespaces and not enter them
    ip.write_text(f'#!/bin/sh\n[ "$1" = -netns ] && {{ echo no entry >&2; exit 1; }}\nexec {shutil.which("ip")} "$@"\n')
    ip.chmod(0o755)
    result = subprocess.run(
        [sys.executable, "-m", "dns_server", "example", "--net=direct"],
        cwd=ROOT,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 69
    said = result.stderr.splitlines()[-1]
    found = re.fullmatch(r"unizone: --net=direct makes a .* takes root: `ip -netns (\S+) .*` failed: no entry", said)
    assert found, said
    assert "fault of the server" not in result.stderr
    assert found[1] not in subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout


def test_example_on_the_own_stack_makes_its_network_and_says_how_to_ask(dig: Tree, tmp_path: Path) -> None:
    need_namespaces()
    pcap = tmp_path / "frames.pcap"
    command = [sys.executable, "-m", "dns_server", "example", "--net=direct", f"--pcap={pcap}"]
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None
        line = next(line.strip() for line in process.stdout if line.startswith("    ip netns exec"))
        path = f"{dig.path('dig').parent}:{os.environ['PATH']}"
        result = subprocess.run(
            line.split(), env={**dig.environment, "PATH": path}, capture_output=True, text=True, timeout=60, check=False
        )
        namespace = line.split()[3]
        process.terminate()
        assert process.wait(60) == 0, (tmp_path / "log").read_text()
    assert result.stdout == "192.0.2.80\n", result
    assert namespace not in subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    questions = [packet for packet in rdpcap(str(pcap)) if DNSQR in packet]
    assert {packet[DNSQR].qname for packet in questions} == {b"www.garden.example."}
