"""Random numbers drawn from the platform's entropy, in stock, so that a small draw costs no system call."""

from dns_platform.protocols import Entropy

_STOCK = 512  # octets fetched at a time


class Draw:
    """Unpredictable numbers; what is drawn is used once."""

    __slots__ = ("_at", "_entropy", "_stock")

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._stock = b""
        self._at = 0

    def octets(self, count: int) -> bytes:
        """`count` random octets."""
        if count > _STOCK:
            return self._entropy.random(count)
        if self._at + count > len(self._stock):
            self._stock, self._at = self._entropy.random(_STOCK), 0
        drawn = self._stock[self._at : self._at + count]
        self._at += count
        return drawn

    def number(self, bits: int) -> int:
        """A number of `bits` bits, a multiple of 8."""
        return int.from_bytes(self.octets(bits // 8))

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1; for a limit far below 2**64, where the bias is too small to matter."""
        return self.number(64) % limit

    def uniform(self, low: float, high: float) -> float:
        """A number from `low` to `high`, as the RFCs want delays spread."""
        return low + (high - low) * self.number(32) / 0xFFFFFFFF
