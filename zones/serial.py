"""Serial number arithmetic (RFC 1982), and the serial to serve for a new version of a zone."""

from typing import Final

_HALF: Final = 1 << 31
_MASK: Final = (1 << 32) - 1


def is_newer(serial: int, than: int) -> bool:
    """Whether `serial` is greater `than` the other (RFC 1982 3.2); False where the RFC leaves it undefined."""
    return 0 < (serial - than) & _MASK < _HALF


def next_serial(serial: int) -> int:
    """The serial after `serial`. 0 is skipped: some servers read it as no serial at all."""
    return (serial + 1) & _MASK or 1
