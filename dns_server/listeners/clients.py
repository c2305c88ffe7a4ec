"""Who is connected: how many connections each client has, and which one has been idle longest.

Sans-I/O: a connection is any object, and `now` is given in seconds.
"""

import ipaddress
from collections import Counter
from collections.abc import Hashable
from typing import Generic, TypeVar

Connection = TypeVar("Connection", bound=Hashable)

_IPV6_CLIENT_BITS = 64  # RFC 6177: a site has at least this; one address of it is no limit to anybody


class Clients(Generic[Connection]):
    """Open connections in the order of their last activity."""

    def __init__(self, per_client: int) -> None:
        self._per_client = per_client
        self._last: dict[Connection, float] = {}  # in the order of last activity: `touch` moves to the end
        self._client: dict[Connection, str] = {}
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._last)

    def __contains__(self, connection: Connection) -> bool:
        return connection in self._last

    def may_come(self, address: str) -> bool:
        """Whether the client at `address` may open one more."""
        return self._counts[client_of(address)] < self._per_client

    def add(self, connection: Connection, address: str, now: float) -> None:
        """`connection` of the client at `address` opened."""
        client = client_of(address)
        self._client[connection] = client
        self._counts[client] += 1
        self._last[connection] = now

    def touch(self, connection: Connection, now: float) -> None:
        """`connection` did something useful."""
        del self._last[connection]
        self._last[connection] = now

    def remove(self, connection: Connection) -> None:
        """`connection` closed. Nothing happens when it is not there."""
        if self._last.pop(connection, None) is None:
            return
        client = self._client.pop(connection)
        self._counts[client] -= 1
        if not self._counts[client]:
            del self._counts[client]

    def longest_idle(self) -> tuple[Connection, float] | None:
        """The connection whose last activity is oldest, and when that was."""
        return next(iter(self._last.items()), None)

    def all(self) -> list[Connection]:
        """All of them, the longest idle first."""
        return list(self._last)


def client_of(address: str) -> str:
    """What limits count as one client: an IPv4 address, or the /64 of an IPv6 address."""
    if ":" not in address:
        return address
    bits = int(ipaddress.IPv6Address(address.partition("%")[0]))
    return f"{bits >> (128 - _IPV6_CLIENT_BITS):x}/{_IPV6_CLIENT_BITS}"
