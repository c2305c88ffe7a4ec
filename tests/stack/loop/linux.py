"""Linux's TCP in a namespace as the other end: our loop on a tap, and programs on Linux's sockets."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from dns_platform.protocols import NetworkDevice
from dns_platform.unix.host import UnixClock, UnixEntropy
from dns_platform.unix.poller import UnixPoller
from dns_platform.unix.tap import TapDevice
from stack.address import parse
from stack.interface.settings import Settings
from stack.loop.loop import StackLoop
from stack.loop.turn import Platform
from stack.tcp.commons import Limits
from tests.support.namespaces import Namespace, plug, tap_namespace
from tests.support.station import static

OURS = {4: "192.0.2.1", 6: "2001:db8::1"}
THEIRS = {4: "192.0.2.2", 6: "2001:db8::2"}
SETTINGS = Settings(
    ipv4=static(f"{OURS[4]}/24"),
    ipv4_gateway=parse(THEIRS[4]),
    ipv6=static(f"{OURS[6]}/64"),
    ipv6_gateway=parse(THEIRS[6]),
)

# Programs for Linux's side. Each prints what the test compares, and ends by itself.
_COMMON = """
import hashlib, socket, sys
def serve(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, 0), family=family)
    listener.settimeout(120)
    print(listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    connection.settimeout(120)
    return connection
def pattern(length):
    block = hashlib.sha256(b"pattern").digest() * 2048
    while length > 0:
        yield block[:length]
        length -= len(block)
def take(connection):
    digest, total = hashlib.sha256(), 0
    while data := connection.recv(1 << 20):
        digest.update(data)
        total += len(data)
    print(total, digest.hexdigest(), flush=True)
"""
SINK = _COMMON + "take(serve(sys.argv[1]))"
"""Arguments: address. Prints its port, then octets received and their hash."""
SOURCE = (
    _COMMON
    + """
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=120)
for block in pattern(int(sys.argv[3])):
    connection.sendall(block)
connection.shutdown(socket.SHUT_WR)
take(connection)
"""
)
"""Arguments: address, port, octets. Sends the pattern, prints octets received in return and their hash."""

_T = TypeVar("_T")


@contextmanager
def linked(
    *,
    mtu: int = 1500,
    wrap: Callable[[NetworkDevice], NetworkDevice] = lambda device: device,
    limits: Limits | None = None,
) -> Iterator[tuple[Namespace, StackLoop]]:
    """A namespace with Linux, and our loop on the other end of its link; `wrap` may put faults in between."""
    with tap_namespace() as namespace:
        tap = TapDevice(namespace.outside)
        try:
            plug(namespace, f"{THEIRS[4]}/24", f"{THEIRS[6]}/64")
            namespace.run("ip", "link", "set", namespace.inside, "mtu", str(mtu))
            device = wrap(tap)
            poller = UnixPoller(device)
            loop = StackLoop(Platform(UnixClock(), UnixEntropy(), poller, device), SETTINGS, limits)
            try:
                yield namespace, loop
            finally:
                loop.close()
                poller.close()
        finally:
            tap.close()


def run(loop: StackLoop, main: Coroutine[Any, Any, _T], timeout: float = 120) -> _T:
    return loop.run_until_complete(asyncio.wait_for(main, timeout))


class Program:
    """A Python program in the namespace, whose lines are read while the loop runs."""

    def __init__(self, namespace: Namespace, source: str, *arguments: object) -> None:
        import subprocess

        self._process = namespace.start(
            sys.executable, "-c", source, *map(str, arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    async def line(self) -> str:
        """Its next line. AssertionError with what it said on standard error when there is none."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = await asyncio.to_thread(self._process.stdout.readline)
        assert line, await asyncio.to_thread(self._process.stderr.read)
        return line.strip()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@asynccontextmanager
async def program(namespace: Namespace, source: str, *arguments: object) -> AsyncIterator[Program]:
    """Run `source` in the namespace; it is ended with the block."""
    running = Program(namespace, source, *arguments)
    try:
        yield running
    finally:
        running.close()
