"""Serials: arithmetic (RFC 1982), the next one, and where they stand in the rdata of an SOA (RFC 1035 3.3.13)."""

from typing import Final

_HALF: Final = 1 << 31
_MASK: Final = (1 << 32) - 1
_FROM_END: Final = -20  # SERIAL is the first of five 32-bit fields that end the SOA
_END: Final = -16


def is_newer(serial: int, than: int) -> bool:
    """Whether `serial` is greater `than` the other (RFC 1982 3.2); False where the RFC leaves it undefined."""
    return 0 < (serial - than) & _MASK < _HALF


def next_serial(serial: int) -> int:
    """The serial after `serial`. 0 is skipped: some servers read it as no serial at all."""
    return (serial + 1) & _MASK or 1


def serial_in(soa: bytes) -> int:
    """The serial in the rdata `soa`."""
    return int.from_bytes(soa[_FROM_END:_END], "big")


def with_serial(soa: bytes, serial: int) -> bytes:
    """The rdata `soa` with another serial."""
    return soa[:_FROM_END] + serial.to_bytes(4, "big") + soa[_END:]


def without_serial(soa: bytes) -> bytes:
    """What the rdata `soa` says beside its serial."""
    return soa[:_FROM_END] + soa[_END:]
