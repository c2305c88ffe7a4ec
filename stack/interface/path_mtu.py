"""What is known of path MTUs.

Read first: RFC 1191, RFC 8201, RFC 5927 7 (attacks).
"""

from collections import OrderedDict

from stack.address import Address
from stack.interface.upper import Upper
from stack.transport import Unreachable
from stack.wire import ipv6
from stack.wire.ipv4 import Quoted

TIMEOUT_S = 600.0  # RFC 1191 6.3, RFC 8201 5.3: then the path may have got better
MINIMUM_IPV4 = 576
"""Deviation: RFC 1191 7.1 goes down to 68; no link of today is below 576, and smaller ones are attacks (RFC 5927 7)."""


class PathMtus:
    """Path MTUs below that of the link, for a bounded number of destinations."""

    def __init__(self, link_mtu: int, limit: int) -> None:
        self.link_mtu = link_mtu
        self._limit = limit
        self._entries: OrderedDict[Address, tuple[int, float]] = OrderedDict()

    def get(self, destination: Address, now: float) -> int:
        """Largest packet for `destination`."""
        entry = self._entries.get(destination)
        if entry is None:
            return self.link_mtu
        mtu, expiry = entry
        if now >= expiry:
            del self._entries[destination]
            return self.link_mtu
        return min(mtu, self.link_mtu)

    def believe(self, quoted: Quoted, mtu: int, upper: Upper, now: float) -> str | None:
        """A router says that `mtu` is the most for what it quotes: why that is not believed, None where it is.

        RFC 5927 7.2: it must be about what is on its way. Who sent that is told.
        """
        if not upper.accepts(quoted):
            return "path MTU for nothing of ours"
        known = self.reduce(quoted.destination, mtu, now)
        if known is None:
            return "path MTU brings nothing new"
        upper.unreachable(quoted, Unreachable.TOO_BIG, known, now)
        return None

    def reduce(self, destination: Address, mtu: int, now: float) -> int | None:
        """A router says that `mtu` is the most: the value taken, None when it brings nothing new."""
        minimum = ipv6.MINIMUM_MTU if len(destination) == 16 else MINIMUM_IPV4
        mtu = max(mtu, minimum)
        if mtu >= self.get(destination, now):
            return None  # RFC 8201 4: never increase because of a message
        if destination not in self._entries and len(self._entries) >= self._limit:
            self._entries.popitem(last=False)
        self._entries[destination] = mtu, now + TIMEOUT_S
        return mtu
