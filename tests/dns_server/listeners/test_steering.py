"""Linux gives queries that end with a server cookie to sockets of their own, and spreads all among processes."""

import socket
import struct
from collections import Counter

import pytest

from dns_server.endpoint import Endpoint
from dns_server.listeners.binding import CannotListen, bind_both
from dns_server.listeners.messages import is_available
from tests.support.network import HOST

if not is_available():
    pytest.skip("the filter is Linux's", allow_module_level=True)

_QUESTION = b"\x03www\x07example\x00\x00\x01\x00\x01"


def query(number: int, options: bytes) -> bytes:
    opt = b"\0\0\x29\x04\xd0\0\0\0\0" + struct.pack("!H", len(options)) + options
    return struct.pack("!HHHHHH", number, 0, 1, 0, 0, 1) + _QUESTION + opt


def cookie(size: int) -> bytes:
    return struct.pack("!HH", 10, size) + bytes(range(size))


WITH = {"cookie": cookie(24), "others before": struct.pack("!HH", 3, 0) + cookie(24)}
WITHOUT = {
    "no option": b"",
    "a client's half": cookie(8),
    "too long": cookie(40),
    "another option": struct.pack("!HH", 65001, 24) + bytes(24),
}


@pytest.fixture(params=["127.0.0.1", "0.0.0.0", "::1", "::"])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    return Endpoint(request.param, 0)


@pytest.mark.parametrize("readers", [1, 3])
def test_cookies_have_a_queue_of_their_own(endpoint: Endpoint, readers: int) -> None:
    told: list[str] = []
    try:
        tcp, shares = bind_both(endpoint, readers, lambda event, **_: told.append(event))
    except CannotListen as error:
        pytest.skip(str(error))
    target = (HOST.server_6 if endpoint.is_ipv6 else HOST.server, tcp.getsockname()[1])
    try:
        assert told == []
        assert [len(own) for own in shares] == [2] * readers
        with socket.socket(socket.AF_INET6 if endpoint.is_ipv6 else socket.AF_INET, socket.SOCK_DGRAM) as client:
            for number in range(6 * readers):
                for options in (*WITH.values(), *WITHOUT.values()):
                    client.sendto(query(number, options), target)
            client.sendto(b"", target)
            client.sendto(b"\0", target)
        plain, proven = ([received(own[place].socket) for own in shares] for place in (0, 1))
        assert [sum(each.values()) for each in proven] == [6 * len(WITH)] * readers
        assert sum(proven, Counter()) == Counter(dict.fromkeys(map(len_of, WITH.values()), 6 * readers))
        assert sum(sum(each.values()) for each in plain) == 6 * readers * len(WITHOUT) + 2
        assert all(sum(each.values()) >= 6 * len(WITHOUT) for each in plain)
    finally:
        tcp.close()
        for own in shares:
            for share in own:
                share.socket.close()


def len_of(options: bytes) -> int:
    return len(query(0, options))


def received(bound: socket.socket) -> "Counter[int]":
    """Datagrams in the queue of `bound`, by their length; on the loopback they are there at once."""
    lengths: Counter[int] = Counter()
    while True:
        try:
            lengths[len(bound.recv(4096))] += 1
        except BlockingIOError:
            return lengths
