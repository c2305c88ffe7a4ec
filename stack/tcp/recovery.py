"""What is in flight and what was lost: loss recovery after RFC 6675 (with SACK) and RFC 6582 (without).

Both recoveries, and the one after a retransmission timeout, are the same few numbers here. `lost` is the position
below which whatever is not acknowledged counts as lost; `resent` is how far lost octets were sent again; what is in
flight follows. A duplicate ACK without SACK says that one segment has left the network, no more: RFC 6582 adds it to
the window, we take it from the flight, which is the same sum.

Positions are unwrapped sequence numbers; `una` and `nxt` are SND.UNA and SND.NXT.
"""

import enum
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

DUPLICATE_THRESHOLD: Final = 3  # DupThresh of RFC 6675 2, and of RFC 5681 3.2
MAX_BLOCKS: Final = 256
"""Blocks that the scoreboard keeps: a peer that acknowledges every other octet costs no more than this."""


class Scoreboard:
    """The octets above SND.UNA that the peer says it has (RFC 6675 3): blocks that neither touch nor overlap."""

    __slots__ = ("_lefts", "_rights", "octets")

    def __init__(self) -> None:
        self.octets = 0
        """Octets in all blocks."""
        self._lefts: list[int] = []
        self._rights: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._lefts)

    @property
    def highest(self) -> int:
        """Right edge of the highest block. IndexError when there is none."""
        return self._rights[-1]

    def add(self, left: int, right: int) -> bool:
        """Take a block. Did it say anything new? Not when it would be one block too many."""
        lefts, rights = self._lefts, self._rights
        first = bisect_left(rights, left)  # the first block that ends at `left` or later
        last = bisect_right(lefts, right)  # behind the last block that begins at `right` or earlier
        if first == last:
            if len(lefts) >= MAX_BLOCKS:
                return False
        elif lefts[first] <= left and rights[first] >= right:
            return False
        else:
            left = min(left, lefts[first])
            right = max(right, rights[last - 1])
        self.octets += right - left - sum(rights[i] - lefts[i] for i in range(first, last))
        lefts[first:last] = [left]
        rights[first:last] = [right]
        return True

    def forget_below(self, position: int) -> None:
        """Everything before `position` is acknowledged."""
        count = bisect_right(self._rights, position)
        self.octets -= sum(self._rights[i] - self._lefts[i] for i in range(count))
        del self._lefts[:count], self._rights[:count]
        if self._lefts and self._lefts[0] < position:
            self.octets -= position - self._lefts[0]
            self._lefts[0] = position

    def below(self, position: int) -> int:
        """Octets of the blocks that are before `position`."""
        if not self._lefts or position <= self._lefts[0]:
            return 0
        if position >= self._rights[-1]:
            return self.octets
        total = 0
        for left, right in zip(self._lefts, self._rights, strict=True):
            if left >= position:
                break
            total += min(right, position) - left
        return total

    def gap(self, position: int, end: int) -> tuple[int, int] | None:
        """The first octets from `position` to before `end` that are in no block: left and right edge."""
        at = bisect_right(self._lefts, position)
        if at and self._rights[at - 1] > position:
            position = self._rights[at - 1]
        if position >= end:
            return None
        return position, min(end, self._lefts[at]) if at < len(self._lefts) else end

    def lost_below(self, mss: int) -> int | None:
        """RFC 6675 4, IsLost(): what is before this position and in no block is lost. None: nothing is."""
        octets = 0
        for count in range(1, len(self._lefts) + 1):
            octets += self._rights[-count] - self._lefts[-count]
            if count >= DUPLICATE_THRESHOLD or octets > (DUPLICATE_THRESHOLD - 1) * mss:
                return self._lefts[-count]
        return None


class Phase(enum.Enum):
    """What a sender believes about its path."""

    OPEN = "nothing is missing, or not for long"
    FAST = "loss recovery: duplicate ACKs say that something is lost (RFC 6675 5, RFC 6582)"
    LOSS = "the retransmission timer went off: all that was in flight counts as lost"


class Recovery:
    """The sender's picture of its flight."""

    __slots__ = ("_duplicates", "_mss", "_rescued", "_scoreboard", "lost", "phase", "recover", "resent", "urgent")

    def __init__(self, mss: int, position: int) -> None:
        self.phase = Phase.OPEN
        self.recover = position
        """RecoveryPoint: the phase ends when this is acknowledged, and RFC 6582 starts no other before."""
        self.lost = position
        """What is before this and was not acknowledged is lost."""
        self.resent = position
        """HighRxt: what was lost before this was sent again."""
        self.urgent = False
        """The first retransmission of a recovery is due: it waits for no window (RFC 6675 5 (4.3))."""
        self._duplicates = 0
        self._rescued = False
        self._mss = mss
        self._scoreboard = Scoreboard()

    def resize(self, mss: int) -> None:
        """The path carries `mss` octets a segment only."""
        self._mss = mss

    def in_flight(self, una: int, nxt: int) -> int:
        """RFC 6675 4, SetPipe(): octets that are believed to be in the network."""
        if self.phase is Phase.OPEN and not self._scoreboard and not self._duplicates:
            return nxt - una
        known = self._scoreboard
        lost = max(self.lost, una)
        resent = max(self.resent, una)
        flight = (nxt - lost) - (known.octets - known.below(lost))
        if not known:
            flight = max(0, flight - self._duplicates * self._mss)
        return flight + (resent - una) - known.below(resent)

    def selective(self, blocks: Iterable[tuple[int, int]], una: int, nxt: int) -> bool:
        """Take the blocks of a SACK option. Did they say anything new?"""
        news = False
        for left, right in blocks:
            # Blocks about what was never sent, or is acknowledged (RFC 2883), are passed over.
            if una < right <= nxt and left < right:
                news |= self._scoreboard.add(max(left, una + 1), right)
        if news and (lost := self._scoreboard.lost_below(self._mss)) is not None:
            self.lost = max(self.lost, lost)
        return news

    def duplicate(self, una: int, nxt: int) -> bool:
        """A duplicate ACK has come. Does loss recovery begin with it?"""
        self._duplicates += 1
        if self.phase is not Phase.OPEN:
            return False
        # RFC 6675 5 (1), (2); RFC 6582 3.2 (1): not for what was in flight when the last recovery began
        if (self._duplicates < DUPLICATE_THRESHOLD and self.lost <= una) or una < self.recover:
            return False
        self.phase = Phase.FAST
        self.recover = nxt  # (4.1)
        self.lost = max(self.lost, una + self._mss)
        self.resent = una
        self.urgent = True
        self._rescued = False
        return True

    def acknowledge(self, una: int, count: int) -> bool:
        """SND.UNA has advanced by `count` to `una`. Is a recovery over with it?"""
        if self._scoreboard:
            self._scoreboard.forget_below(una)
        if self._duplicates:
            # Of the segments acknowledged now all but the one that was sent again were counted as duplicate ACKs.
            recovering = self.phase is Phase.FAST
            self._duplicates = max(0, self._duplicates - max(0, count // self._mss - 1)) if recovering else 0
        self.lost = max(self.lost, una)
        self.resent = max(self.resent, una)
        if self.phase is Phase.OPEN:
            return False
        if una >= self.recover:
            self.phase = Phase.OPEN
            self._duplicates = 0
            self.urgent = False
            return True
        if self.phase is Phase.FAST and not self._scoreboard:
            # RFC 6582 3.2 (3): a partial ACK says that the segment which follows it is lost too
            self.lost = max(self.lost, una + self._mss)
        return False

    def timed_out(self, una: int, nxt: int) -> None:
        """The retransmission timer went off."""
        # RFC 2018 8: the peer may have dropped what it had acknowledged selectively
        self._scoreboard = Scoreboard()
        self._duplicates = 0
        self.phase = Phase.LOSS
        self.recover = self.lost = nxt
        self.resent = una
        self.urgent = True

    def retransmission(self, una: int, nxt: int) -> tuple[int, int] | None:
        """RFC 6675 4, NextSeg() (1): the first lost octets that were not sent again, left and right edge."""
        if self.phase is Phase.OPEN:
            return None
        start = max(self.resent, una)
        return self._scoreboard.gap(start, min(self.lost, nxt))

    def speculation(self, una: int) -> tuple[int, int] | None:
        """NextSeg() (3): octets with later ones acknowledged, for when nothing is lost for sure or new."""
        if self.phase is not Phase.FAST or not self._scoreboard:
            return None
        return self._scoreboard.gap(max(self.resent, una), self._scoreboard.highest)

    def rescue(self, una: int) -> tuple[int, int] | None:
        """NextSeg() (4): once in a recovery the last segment of its window, so that something comes back."""
        if self.phase is not Phase.FAST or not self._scoreboard or self._rescued:
            return None
        self._rescued = True
        return self._scoreboard.gap(max(self.resent, una, self.recover - self._mss), self.recover)

    def resend(self, right: int) -> None:
        """What was lost before `right` has been sent again."""
        self.resent = max(self.resent, right)
        self.urgent = False
