"""Network namespaces with an interface in them, cleaned up always; Linux in them is the other end of our link."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.support.debian import Tree

_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Namespace:
    """A namespace; `outside` is the interface of this process, `inside` that of Linux in the namespace."""

    name: str
    outside: str
    inside: str

    def run(self, *command: str, timeout: float = 60, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `command` in the namespace."""
        return subprocess.run(
            ["ip", "netns", "exec", self.name, *command],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=check,
        )

    def start(self, *command: str, **options: object) -> "subprocess.Popen[str]":
        """Start `command` in the namespace."""
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            ["ip", "netns", "exec", self.name, *command], text=True, **options
        )

    def configure(self, *addresses: str) -> None:
        """Give Linux `addresses` (with prefix lengths) and no wait for duplicate address detection."""
        for address in addresses:
            nodad = ["nodad"] if ":" in address else []
            self.run("ip", "address", "add", address, "dev", self.inside, *nodad)


_OFFLOAD_OFF = """
import array, fcntl, socket, struct, sys
any_socket = socket.socket()
for command in (0x17, 0x1F, 0x24):  # ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO
    value = array.array("B", struct.pack("II", command, 0))
    request = struct.pack("16sQ16x", sys.argv[1].encode(), value.buffer_info()[0])
    fcntl.ioctl(any_socket, 0x8946, request)  # SIOCETHTOOL
"""


def ip(*arguments: str) -> None:
    """Run ip(8)."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=30)


def stop_offload(interface: str) -> None:
    """Have Linux make all checksums itself for what leaves by `interface` of this namespace."""
    subprocess.run([sys.executable, "-c", _OFFLOAD_OFF, interface], check=True, timeout=30)


def need_namespaces() -> None:
    """Skip the test where namespaces can't be made."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    if shutil.which("ip") is None:
        pytest.skip("ip(8) is missing: apt-get install iproute2")
    if subprocess.run(["ip", "netns", "list"], check=False, capture_output=True).returncode:
        pytest.skip("ip netns does not work here")


def _name(prefix: str) -> str:
    return f"{prefix}{os.getpid() % 100000}x{next(_NUMBERS)}"


@contextmanager
def _made(outside: str, inside: str) -> Iterator[Namespace]:
    name = _name("uz")
    ip("netns", "add", name)
    try:
        yield Namespace(name, outside, inside)
    finally:
        ip("netns", "delete", name)


@contextmanager
def daemon(namespace: Namespace, tree: Tree, program: str, *arguments: str) -> Iterator[None]:
    """Run `program` of `tree` in `namespace` until the block ends."""
    process = namespace.start(str(tree.path(program)), *arguments, env=tree.environment, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def tap_namespace() -> Iterator[Namespace]:
    """A namespace with a tap interface whose other end is open to this process by its name `outside`.

    The tap is made persistent before it is opened, and goes away with the namespace.
    """
    need_namespaces()
    tap = _name("uzt")
    with _made(tap, tap) as namespace:
        yield namespace


def plug(namespace: Namespace, *addresses: str) -> None:
    """Move the kernel's end of the tap that this process has opened into `namespace`, and bring it up."""
    ip("link", "set", namespace.outside, "netns", namespace.name)
    namespace.configure(*addresses)
    namespace.run("ip", "link", "set", "lo", "up")
    namespace.run("ip", "link", "set", namespace.inside, "up")


@contextmanager
def veth_namespace(*addresses: str, offload: bool = True) -> Iterator[Namespace]:
    """A namespace with one end of a veth pair, with `addresses`; the other end, without any, is ours.

    Without `offload` Linux makes all checksums itself, which the way by XDP needs: nobody would make them there.
    """
    need_namespaces()
    outside, inside = _name("uzo"), _name("uzi")
    with _made(outside, inside) as namespace:
        ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", namespace.name)
        try:
            with open(f"/proc/sys/net/ipv6/conf/{outside}/disable_ipv6", "w") as switch:
                switch.write("1")
            namespace.configure(*addresses)
            namespace.run("ip", "link", "set", "lo", "up")
            namespace.run("ip", "link", "set", inside, "up")
            if not offload:
                namespace.run(sys.executable, "-c", _OFFLOAD_OFF, inside)
            ip("link", "set", outside, "up")
            yield namespace
        finally:
            subprocess.run(["ip", "link", "delete", outside], check=False, capture_output=True)
