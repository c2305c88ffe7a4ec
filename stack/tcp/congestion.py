"""How much may be in flight: congestion control after RFC 5681 (Reno) and RFC 9438 (CUBIC).

What was lost is `recovery`'s business; here are the windows. All windows are in octets.
"""

from typing import Final

_INITIAL_SEGMENTS: Final = 10  # RFC 6928 2
_MAX_INITIAL: Final = 14600  # octets, RFC 6928 2
_SLOW_START_LIMIT: Final = 8  # segments that one ACK may open the window by (RFC 9406 4.2, L)
MAX_WINDOW: Final = 1 << 30  # RFC 7323 2.3: no receive window is larger


def initial_window(mss: int) -> int:
    """IW of RFC 6928 2."""
    return min(_INITIAL_SEGMENTS * mss, max(2 * mss, _MAX_INITIAL))


class Reno:
    """Slow start and congestion avoidance of RFC 5681."""

    __slots__ = ("mss", "ssthresh", "window")

    def __init__(self, mss: int) -> None:
        self.mss = mss
        self.window = initial_window(mss)
        """cwnd"""
        self.ssthresh = MAX_WINDOW
        # RFC 5681 3.1: "as high as possible"

    def acknowledged(self, count: int, now: float, round_trip: float) -> None:
        """`count` octets were acknowledged while the window was full; `round_trip` is SRTT in seconds."""
        if self.window < self.ssthresh:
            # RFC 5681 3.1 (2), with the limit of RFC 9406 in place of SMSS: peers acknowledge many segments at once.
            self.window = min(self.window + min(count, _SLOW_START_LIMIT * self.mss), MAX_WINDOW)
        else:
            self._avoid(count, now, round_trip)

    def congested(self, in_flight: int, now: float) -> None:
        """Loss was detected by duplicate ACKs: lower the window, once for each window of data."""
        self._reduce(in_flight, now)
        self.window = self.ssthresh

    def timed_out(self, in_flight: int, now: float) -> None:
        """The retransmission timer went off for a segment the first time."""
        self._reduce(in_flight, now)
        self.window = self.mss  # RFC 5681 3.1: the loss window LW

    def idle(self) -> None:
        """Nothing was sent for one RTO: RFC 5681 4.1, the restart window."""
        self.window = min(self.window, initial_window(self.mss))

    def resize(self, mss: int) -> None:
        """The path turned out to carry `mss` octets a segment only."""
        self.mss = mss

    def _avoid(self, count: int, _now: float, _round_trip: float) -> None:
        # RFC 5681 (3), by octets as RFC 3465 2.1 counts them
        self.window = min(self.window + max(1, self.mss * min(count, self.window) // self.window), MAX_WINDOW)

    def _reduce(self, in_flight: int, _now: float) -> None:
        self.ssthresh = max(in_flight // 2, 2 * self.mss)  # RFC 5681 (4)


class Cubic(Reno):
    """CUBIC (RFC 9438): the window grows with the time since the last loss, not with the round trips."""

    __slots__ = ("_epoch", "_estimate", "_k", "_origin", "_prior")

    _C: Final = 0.4  # segments per second cubed, 5.1
    _BETA: Final = 0.7  # 4.6
    _ALPHA: Final = 3 * (1 - _BETA) / (1 + _BETA)  # 4.3

    def __init__(self, mss: int) -> None:
        super().__init__(mss)
        self._epoch: float | None = None  # when the current stage of congestion avoidance began
        self._origin = 0.0  # W_max, segments
        self._prior = 0.0  # cwnd_prior, segments
        self._k = 0.0  # seconds from the epoch until the window is W_max again
        self._estimate = 0.0  # W_est, segments: what Reno would have

    def timed_out(self, in_flight: int, now: float) -> None:
        """As Reno, and a new stage of congestion avoidance."""
        super().timed_out(in_flight, now)
        self._epoch = None  # RFC 9438 4.8: the next stage begins when slow start ends

    def idle(self) -> None:
        """As Reno, and a new stage of congestion avoidance."""
        super().idle()
        self._epoch = None  # RFC 9438 5.8: time without sending does not open the window

    def _avoid(self, count: int, now: float, round_trip: float) -> None:
        window = self.window / self.mss
        if self._epoch is None:
            self._begin(window, now)
        assert self._epoch is not None
        acknowledged = count / self.mss
        # RFC 9438 4.2 (1) and (2): where the cubic curve is one round trip from now
        target = self._C * (now - self._epoch + round_trip - self._k) ** 3 + self._origin
        target = min(max(target, window), 1.5 * window)
        # RFC 9438 4.3: never less than Reno would have
        alpha = self._ALPHA if self._estimate < self._prior else 1.0
        self._estimate += alpha * acknowledged / window
        grown = window + (target - window) / window * acknowledged
        self.window = min(round(max(grown, self._estimate) * self.mss), MAX_WINDOW)

    def _begin(self, window: float, now: float) -> None:
        self._epoch = now
        self._estimate = window
        if window < self._origin:
            self._k = float(((self._origin - window) / self._C) ** (1 / 3))
        else:
            self._origin = window
            self._k = 0.0

    def _reduce(self, in_flight: int, _now: float) -> None:
        window = self.window / self.mss
        # RFC 9438 4.7: fast convergence
        self._origin = window * (1 + self._BETA) / 2 if window < self._origin else window
        self._prior = window
        self.ssthresh = max(round(in_flight * self._BETA), 2 * self.mss)  # RFC 9438 4.6
        self._epoch = None
