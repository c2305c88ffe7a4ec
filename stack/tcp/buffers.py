"""What a connection holds: octets sent and not acknowledged, and octets received and not read.

Positions are unwrapped sequence numbers (see `sequence`).
"""

from bisect import bisect_left
from collections import deque
from typing import Final

_SMALL: Final = 512
"""Octets: a segment with less is joined to the one before it while nobody reads, ..."""
_JOINED: Final = 4096
"""... which has grown to this at most: joining copies it."""


class SendBuffer:
    """Octets that the user has sent, from the first that is not acknowledged on."""

    __slots__ = ("_data", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        """Position of the first octet that is kept."""
        self._data = bytearray()

    def __len__(self) -> int:
        return len(self._data)

    @property
    def end(self) -> int:
        """Position behind the last octet."""
        return self.start + len(self._data)

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Keep `data` until it is acknowledged."""
        self._data += data

    def read(self, left: int, right: int) -> bytes:
        """The octets from position `left` to before `right`."""
        with memoryview(self._data) as view:
            return bytes(view[left - self.start : right - self.start])

    def acknowledge(self, position: int) -> int:
        """Forget what is before `position`; how many octets that were."""
        count = min(position - self.start, len(self._data))
        if count > 0:
            del self._data[:count]
            self.start += count
            return count
        return 0

    def clear(self) -> int:
        """Forget everything; how many octets that were."""
        count = len(self._data)
        self._data = bytearray()
        return count


class Assembler:
    """Octets received: those in order wait to be read, those behind a gap wait for the gap to be filled.

    Where segments overlap, the octets that came first stay (RFC 9293 3.10.7.4: trim what was received before).
    """

    __slots__ = ("_pieces", "_ready", "_starts", "finish", "latest", "next", "unread", "waiting")

    def __init__(self, position: int) -> None:
        self.next = position
        """RCV.NXT without a FIN: position of the next octet in order."""
        self.finish: int | None = None
        """Position of the peer's FIN, when it has come, in order or not."""
        self.unread = 0
        """Octets in order that the user has not read."""
        self.waiting = 0
        """Octets behind a gap."""
        self.latest: int | None = None
        """A position in the piece that grew last, for the first block of a SACK option."""
        self._ready: deque[bytes] = deque()
        self._starts: list[int] = []  # of the pieces, ascending; no two overlap
        self._pieces: list[bytes] = []

    def add(self, position: int, data: bytes, end: int, most_pieces: int) -> int | None:
        """Take `data`, which is at `position`, up to `end`, the right edge of the window; how many octets were new.

        None when it would be one piece more than `most_pieces` behind gaps: it is dropped.
        """
        if position < self.next:
            data = data[self.next - position :]
            position = self.next
        if position + len(data) > end:
            data = data[: max(0, end - position)]
        if not data:
            return 0
        if position == self.next and not self._starts:  # the common case
            self._deliver(data)
            return len(data)
        before = self.unread + self.waiting
        if position > self.next and len(self._pieces) >= most_pieces:
            return None
        self._insert(position, data)
        self._advance()
        return self.unread + self.waiting - before

    def read(self, limit: int) -> bytes:
        """Up to `limit` octets in order, which are forgotten."""
        ready = self._ready
        if not ready:
            return b""
        if len(ready) == 1 and len(ready[0]) <= limit:
            data = ready.popleft()
        else:
            parts = []
            room = limit
            while ready and room:
                part = ready.popleft()
                if len(part) > room:
                    ready.appendleft(part[room:])
                    part = part[:room]
                parts.append(part)
                room -= len(part)
            data = b"".join(parts)
        self.unread -= len(data)
        return data

    def ranges(self) -> list[tuple[int, int]]:
        """Left and right positions of what waits behind gaps, adjacent pieces joined, the one that grew last first."""
        joined: list[tuple[int, int]] = []
        for start, piece in zip(self._starts, self._pieces, strict=True):
            if joined and joined[-1][1] == start:
                joined[-1] = (joined[-1][0], start + len(piece))
            else:
                joined.append((start, start + len(piece)))
        latest = self.latest
        if latest is not None:
            # A stable sort: the others stay in order.
            joined.sort(key=lambda block: not block[0] <= latest < block[1])
        return joined

    def clear(self) -> int:
        """Forget everything; how many octets that were."""
        count = self.unread + self.waiting
        self.unread = self.waiting = 0
        self._ready.clear()
        self._starts.clear()
        self._pieces.clear()
        return count

    def _deliver(self, data: bytes) -> None:
        ready = self._ready
        if len(data) < _SMALL and ready and len(ready[-1]) < _JOINED:
            # An object for each of many tiny segments would take twenty times the memory that is counted.
            ready[-1] += data
        else:
            ready.append(data)
        self.unread += len(data)
        self.next += len(data)

    def _insert(self, position: int, data: bytes) -> None:
        """Put those parts of `data` between the pieces which they leave free."""
        end = position + len(data)
        self.latest = position
        at = bisect_left(self._starts, position)
        if at and (before_end := self._starts[at - 1] + len(self._pieces[at - 1])) > position:
            data = data[before_end - position :]
            position = before_end
        while position < end:
            following = self._starts[at] if at < len(self._starts) else end
            if free := data[: following - position]:
                self._starts.insert(at, position)
                self._pieces.insert(at, free)
                self.waiting += len(free)
                at += 1
            if at >= len(self._starts):
                return
            following_end = self._starts[at] + len(self._pieces[at])
            data = data[following_end - position :]
            position = following_end
            at += 1

    def _advance(self) -> None:
        """Deliver the pieces that no gap precedes any more."""
        count = 0
        for start, piece in zip(self._starts, self._pieces, strict=True):
            if start != self.next:
                break
            self._deliver(piece)
            self.waiting -= len(piece)
            count += 1
        del self._starts[:count], self._pieces[:count]
