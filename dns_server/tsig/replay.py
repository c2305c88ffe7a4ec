"""Requests that were obeyed, so that a copy of one is not obeyed again.

A signed request can be recorded and sent again while its time is within the fudge. Its MAC tells it apart; a sender
that repeats it because the reply was lost gets the same reply. Sans-I/O. Read first: RFC 8945 5.2.3, 10.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from dns_server.tsig.verify import Verified

MAX_REMEMBERED: Final = 10_000


class Obeyed:
    """Replies to requests whose time is not over; the oldest go when there are too many."""

    def __init__(self, limit: int = MAX_REMEMBERED) -> None:
        self._limit = limit
        self._replies: OrderedDict[bytes, tuple[float, bytes | None]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._replies)

    def is_new(self, request: Verified, now: float) -> bool:
        """Whether `request` was not seen before; from now on it was."""
        for mac in list(self._over(now)):
            del self._replies[mac]
        mac = request.tsig.mac
        if mac in self._replies:
            return False
        self._replies[mac] = request.tsig.time_signed + request.tsig.fudge, None
        if len(self._replies) > self._limit:
            self._replies.popitem(last=False)
        return True

    def done(self, request: Verified, reply: bytes) -> None:
        """`reply`, without a signature, is what came of `request`."""
        known = self._replies.get(request.tsig.mac)
        if known is not None:
            self._replies[request.tsig.mac] = known[0], reply

    def reply(self, request: Verified) -> bytes | None:
        """The reply to what `request` is a copy of, without a signature; None if there is none (yet)."""
        known = self._replies.get(request.tsig.mac)
        return None if known is None else known[1]

    def _over(self, now: float) -> Iterator[bytes]:
        """The oldest, as far as their time is over."""
        for mac, (until, _) in self._replies.items():
            if until >= now:
                return
            yield mac
