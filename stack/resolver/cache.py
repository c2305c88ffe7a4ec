"""What servers said, for as long as they said, for a bounded number of names."""

from collections import OrderedDict
from typing import NamedTuple

from stack.wire.dns import Type

LIMIT = 256
LONGEST_S = 3600.0
LONGEST_NEGATIVE_S = 300.0


class Answer(NamedTuple):
    """What a name stands for: records' data, or nothing. `exists` is False after NXDOMAIN."""

    data: tuple[bytes, ...]
    exists: bool


class Cache:
    """Answers by folded wire name and type; the least recently used one makes room."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._entries: OrderedDict[tuple[bytes, Type], tuple[Answer, float]] = OrderedDict()

    def get(self, name: bytes, kind: Type, now: float) -> Answer | None:
        """The answer for `name`, None when it is not known or too old."""
        key = name, kind
        entry = self._entries.get(key)
        if entry is None:
            return None
        answer, expiry = entry
        if now >= expiry:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return answer

    def put(self, name: bytes, kind: Type, answer: Answer, ttl_s: float, now: float) -> None:
        """Remember `answer` for `ttl_s`, within bounds (RFC 2308 5 for negative ones)."""
        lifetime = min(ttl_s, LONGEST_S if answer.data else LONGEST_NEGATIVE_S)
        if lifetime <= 0:
            return
        self._entries[name, kind] = answer, now + lifetime
        self._entries.move_to_end((name, kind))
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def __len__(self) -> int:
        return len(self._entries)
