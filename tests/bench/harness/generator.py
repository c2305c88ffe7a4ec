"""A batching client of the host's sockets: queries and answers by many in a system call."""

import contextlib
import socket
import struct
import time
from collections.abc import Callable

from dns_server.listeners.messages import BATCH, MessageQueue
from tests.bench.harness.contest import Turn

OUTSTANDING = 256
"""Queries on their way at a time."""
_PATIENCE_S = 0.2
"""What has not been answered for so long is lost."""


def loader(port: int, wires: list[bytes]) -> Callable[[float], Turn]:
    """Ask the server at `port` of 127.0.0.1 the queries `wires`, over and over."""
    return lambda seconds: _load(port, wires, seconds)


def _load(port: int, wires: list[bytes], seconds: float) -> Turn:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        client.bind(("127.0.0.1", 0))
        client.settimeout(_PATIENCE_S)
        senders = [_sender(client, port, wires[begin : begin + BATCH]) for begin in range(0, len(wires), BATCH)]
        receiver = MessageQueue(client, 4160, is_wildcard=False)
        answered = sent = lost = turn = 0
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            while sent - answered - lost <= OUTSTANDING - BATCH:
                sent += senders[turn % len(senders)].send(BATCH)
                turn += 1
            count = receiver.receive()
            answered += count
            if not count:
                try:
                    client.recv(4096)  # wait
                    answered += 1
                except TimeoutError:
                    lost = sent - answered
        with contextlib.suppress(TimeoutError):
            while answered < sent:
                client.recv(4096)
                answered += 1
    return Turn(answered, sent, time.perf_counter() - started)


def _sender(client: socket.socket, port: int, wires: list[bytes]) -> MessageQueue:
    """A queue whose replies are the queries to send."""
    queue = MessageQueue(client, 512, is_wildcard=False)
    address = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s24x", port, socket.inet_aton("127.0.0.1"))
    queue.batch.peers[:] = address * BATCH
    for index, wire in enumerate(wires):
        queue.batch.put_reply(index, wire)
    return queue
