"""The retransmission timeout (RFC 6298): how long to wait for an acknowledgment."""

from typing import Final

INITIAL: Final = 1.0  # seconds, (2.1)
MAXIMUM: Final = 60.0  # seconds, (2.5)
GRANULARITY: Final = 0.001  # seconds, the G of (2.3): the clock itself is finer, the peer's timestamps are not
MINIMUM_VARIANCE: Final = 0.2
"""Seconds that are added to the round trip at least.

Deviation: (2.4) rounds the RTO up to 1 second. Like Linux we keep 200 ms above the round-trip time instead, more than
the delayed ACKs that are met in the field; a second makes each lost tail of an answer a visible pause.
"""
_ALPHA: Final = 1 / 8
_BETA: Final = 1 / 4
_K: Final = 4


class RetransmissionTimeout:
    """Round-trip time, its variation, and the timeout that follows from them."""

    __slots__ = ("_base", "_variation", "backoff", "smoothed")

    def __init__(self) -> None:
        self.smoothed: float | None = None
        """SRTT, seconds; None before the first sample."""
        self.backoff = 0
        """How often the timer went off since the last progress."""
        self._variation = 0.0
        self._base = INITIAL

    @property
    def interval(self) -> float:
        """RTO in seconds, backed off."""
        # RFC 6298 (5.5): the RTO doubles each time; the exponent is held so that the shift stays a small number.
        return min(self._base * (1 << min(self.backoff, 10)), MAXIMUM)

    def sample(self, round_trip: float) -> None:
        """A segment that was sent once took `round_trip` seconds to be acknowledged."""
        if self.smoothed is None:
            # RFC 6298 (2.2)
            self.smoothed = round_trip
            self._variation = round_trip / 2
        else:
            # RFC 6298 (2.3), in this order
            self._variation += _BETA * (abs(self.smoothed - round_trip) - self._variation)
            self.smoothed += _ALPHA * (round_trip - self.smoothed)
        self._base = min(self.smoothed + max(GRANULARITY, _K * self._variation, MINIMUM_VARIANCE), MAXIMUM)

    def restore(self, interval: float) -> None:
        """RFC 6298 (5.7): a handshake that needed a retransmission starts the data phase with 3 seconds."""
        if self.smoothed is None:
            self._base = interval
