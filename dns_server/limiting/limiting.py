"""Rate limits as the service uses them: on batches, on single answers, and told in the log."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dns_server.answer.batch import Batch
from dns_server.limiting.rate_limiter import RateLimiter, network_of
from dns_server.tsig.records import split
from dns_server.values import Network
from stack import address
from stack.address import Address

SECRET_SIZE: Final = 24
_SINGLE: Final = 4160  # octets of a query that comes alone; no listener has room for longer ones


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What the operator asked for."""

    rate: int
    """Answers a second to one network and of one class."""
    slip: int
    """One in so many of the others leaves truncated; none with 0."""
    exempt: Sequence[Network]
    """For whom no rate holds."""


class Limiting:
    """One limiter for all that leaves over UDP."""

    def __init__(
        self,
        limits: RateLimits,
        secret: bytes,
        clock: Callable[[], float],
        report: Callable[..., None],
        room: Callable[[int], Any] = bytearray,
    ) -> None:
        """`secret` has `SECRET_SIZE` random octets, `clock` gives seconds and never goes back.

        `report` is called with an event and fields for what a peer can cause at will. `room` gives memory for the
        buckets.
        """
        exempt = [(network.network_address.packed, network.prefixlen) for network in limits.exempt]
        self.limiter: Final = RateLimiter(secret, float(limits.rate), limits.slip, exempt, room)
        self._clock = clock
        self._report = report
        self._single = Batch(1, _SINGLE)
        self._told = 0

    def again(self, report: Callable[..., None]) -> "Limiting":
        """The same for another process, whose `report` this is."""
        other = copy.copy(self)
        other._report = report
        return other

    def limit(self, batch: Batch, count: int) -> None:
        """Drop or truncate those of the first `count` replies of `batch` that are over the rate."""
        limiter = self.limiter
        limiter.limit(batch, count, self._clock())
        if limiter.limited != self._told:
            self._told = limiter.limited
            prefix, length, kind = network_of(limiter.last)
            network = f"{address.text(prefix)}/{length}"
            self._report("answers over the rate limit were dropped or truncated", client=network, kind=kind)

    def limit_one(self, query: bytes, reply: bytes, source: Address, *, trusted: bool) -> bytes | None:
        """What becomes of `reply` to `query` from `source`; `trusted` says that the client is known to be there."""
        single = self._single
        single.put_query(0, query)
        single.put_source(0, source)
        single.put_reply(0, reply)
        single.trusted[0] = trusted
        self.limit(single, 1)
        return single.reply(0)

    def limit_later(self, query: bytes, reply: bytes, source: Address) -> bytes | None:
        """As `limit_one`, for a reply that took its time. A signed one can't be truncated without breaking its
        signature: in the share that leaves truncated, it leaves as it is, as errors do.
        """
        limited = self.limit_one(query, reply, source, trusted=False)
        return limited if limited is None or split(reply) is None else reply
