"""Syslog collectors that misbehave, in threads of the test: they reset, stall, hang up, lie, or talk without end."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from tests.support import network

Manner = Callable[["Hostile", socket.socket], None]


@dataclass
class Hostile:
    """What a collector does with each connection, and what it saw."""

    port: int
    stopping: threading.Event = field(default_factory=threading.Event)
    connections: int = 0
    received: bytes = b""


def resets(_: Hostile, connection: socket.socket) -> None:
    """A reset at once."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def stalls(collector: Hostile, connection: socket.socket) -> None:
    """Nothing is ever read, or said in a handshake."""
    with connection:
        collector.stopping.wait()


def closes_after_each_message(collector: Hostile, connection: socket.socket) -> None:
    """One read, and the connection is over."""
    with connection:
        collector.received += connection.recv(200)


def talks_without_end(collector: Hostile, connection: socket.socket) -> None:
    """Sends instead of reading; no collector does."""
    with connection, suppress(OSError):
        while not collector.stopping.is_set():
            connection.sendall(b"\x15\x03\x03 lies " * 1000)


MANNERS: Final[dict[str, Manner]] = {
    manner.__name__: manner for manner in (resets, stalls, closes_after_each_message, talks_without_end)
}


def in_tls(manner: Manner, context: ssl.SSLContext) -> Manner:
    """The same behind a handshake."""

    def after_handshake(collector: Hostile, connection: socket.socket) -> None:
        connection.settimeout(60)
        with suppress(OSError):  # the client may not like the certificate
            manner(collector, context.wrap_socket(connection, server_side=True))

    return after_handshake


@contextmanager
def collector(manner: Manner) -> Iterator[Hostile]:
    """Such a collector, at a port of the test's own address."""
    with socket.create_server((network.current().here, 0)) as listener:
        found = Hostile(listener.getsockname()[1])
        threads = []

        def accept() -> None:
            while True:
                connection, _ = listener.accept()
                if found.stopping.is_set():
                    connection.close()
                    return
                found.connections += 1
                thread = threading.Thread(target=meet, args=(connection,))
                threads.append(thread)
                thread.start()

        def meet(connection: socket.socket) -> None:
            with suppress(OSError):
                manner(found, connection)

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield found
        finally:
            found.stopping.set()
            socket.create_connection((network.current().here, found.port)).close()
            for thread in (accepting, *threads):
                thread.join()
