"""On which network the program under test is: the host's, or its own stack on a tap in a namespace of the test.

A test that asks for the fixture `network` runs on both, on the host's with the program as a unix image, and on a tap
with the program as a virtual machine. With a tap the thread of the test moves into a new network namespace, and with it
all that it starts: clients, git servers, collectors. Linux has one end of the tap there, the program the other.
"""

import ctypes
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from tests.support.namespaces import ip, need_namespaces

_CLONE_NEWNET: Final = 0x40000000
TAP: Final = "unizone0"
"""The interface in the namespace."""


@dataclass(frozen=True)
class Network:
    """Where the program can be asked, and where it finds the servers of a test."""

    name: str
    server: str
    """An address of the program's."""
    server_6: str
    here: str
    """An address of the test's own servers."""
    here_name: str
    """What to call it in URLs."""
    here_too: str
    """Another address that a test's clients may have."""
    arguments: tuple[str, ...] = ()
    """What `unizone serve` needs to be there."""
    program: tuple[str, ...] = (sys.executable, "-m", "dns_server")
    """How the program is started."""
    is_machine: bool = False
    """Whether it is a virtual machine: no signals but one, no files of the host (see tests/support/virtual.py)."""

    def need_process(self, why: str) -> None:
        """Skip a test that virtual machines are not for."""
        if self.is_machine:
            pytest.skip(f"not with a virtual machine: {why}")

    @property
    def listen(self) -> str:
        """Any free port at `server`."""
        return f"{self.server}:0"

    @property
    def http(self) -> tuple[str, str]:
        """Parameters that have the program speak HTTP to the test."""
        return f"--http={self.listen}", f"--http-allow={self.here}"


HOST: Final = Network("host", "127.0.0.1", "::1", "127.0.0.1", "localhost", "127.0.0.2")
OWN_STACK: Final = Network(
    "own stack",
    "192.0.2.53",
    "2001:db8::53",
    "192.0.2.1",
    "192.0.2.1",
    "192.0.2.2",
    (
        "--net=direct",
        "--link=tap",
        f"--interface={TAP}",
        "--ipv4=192.0.2.53/24",
        "--ipv6=2001:db8::53/64",
        "--ipv4-gateway=192.0.2.1",
    ),
)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST.server_6, 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")

_current = HOST


def current() -> Network:
    """The network of the test that runs."""
    return _current


@contextmanager
def in_image(image: Path) -> Iterator[Network]:
    """Have the program of a unix image in place of the one that is installed here."""
    global _current
    _current = replace(HOST, name="unix image", program=(str(image),))
    try:
        yield _current
    finally:
        _current = HOST


def own_stack() -> AbstractContextManager[Network]:
    """Be in a namespace with a tap for the program; skip the test where there are no namespaces."""
    return _on_tap(OWN_STACK)


def in_machine(image: Path) -> AbstractContextManager[Network]:
    """As `own_stack`, with a virtual machine of a virtio image in place of the program that is installed here."""
    program = (sys.executable, "-m", "tests.support.virtual", str(image))
    addressing = tuple(word for word in OWN_STACK.arguments if word.startswith("--ip"))
    return _on_tap(replace(OWN_STACK, name="virtio image", arguments=addressing, program=program, is_machine=True))


@contextmanager
def _on_tap(network: Network) -> Iterator[Network]:
    global _current
    need_namespaces()
    libc = ctypes.CDLL(None, use_errno=True)
    outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.unshare(_CLONE_NEWNET):
            pytest.skip(f"no network namespace can be made: {os.strerror(ctypes.get_errno())}")
        try:
            _configure()
            _current = network
            yield network
        finally:
            _current = HOST
            assert not libc.setns(outside, _CLONE_NEWNET), os.strerror(ctypes.get_errno())
    finally:
        os.close(outside)


def _configure() -> None:
    ip("link", "set", "lo", "up")
    try:
        ip("tuntap", "add", TAP, "mode", "tap")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no tap interface can be made: {error.stderr.decode().strip()}")
    for address in (OWN_STACK.here, OWN_STACK.here_too):
        ip("address", "add", f"{address}/24", "dev", TAP)
    ip("address", "add", "2001:db8::1/64", "dev", TAP, "nodad")
    ip("link", "set", TAP, "up")
