"""Raising the serial of a zone in the text of its file, every other octet left alone."""

from typing import Final, NamedTuple

from zones.findings import Place
from zones.serial import is_newer, next_serial
from zones.zonefile.lexer import next_line, read_entry

_SERIAL_FIELD: Final = 3  # behind the type: MNAME, RNAME, SERIAL (RFC 1035 3.3.13)
_REVISIONS_A_DAY: Final = 100


class NoSerial(Exception):
    """The serial does not stand in the text as a number that can be replaced; says why and what to do."""


class Bumped(NamedTuple):
    """A text with another serial."""

    text: bytes
    before: int
    after: int


def bump(text: bytes, place: Place, today: int) -> Bumped:
    """`text` with a higher serial in the SOA whose entry begins at `place`; `today` is a date as in 20261121.

    A serial of the form YYYYMMDDnn (RFC 1912 2.2) becomes the first of today, or is raised by one where it is that
    already or later; any other is raised by one. NoSerial.
    """
    start = 0
    for _ in range(place.line - 1):
        start = next_line(text, start)
    entry = read_entry(text, start)
    offset, field = _serial(entry.fields, entry.offsets, starts_blank=text[start : start + 1] in (b" ", b"\t"))
    before = int(field)
    after = next_in_style(before, today)
    return Bumped(text[:offset] + str(after).encode() + text[offset + len(field) :], before, after)


def next_in_style(serial: int, today: int) -> int:
    """The serial after `serial`, in the style that it has."""
    first_of_today = today * _REVISIONS_A_DAY + 1
    if _is_date(serial // _REVISIONS_A_DAY) and is_newer(first_of_today, than=serial):
        return first_of_today
    return next_serial(serial)


def _is_date(number: int) -> bool:
    return 1980 <= number // 10000 <= 2100 and 1 <= number // 100 % 100 <= 12 and 1 <= number % 100 <= 31


def _serial(fields: list[bytes], offsets: list[int], *, starts_blank: bool) -> tuple[int, bytes]:
    """Where the serial stands, and its text. A first field at the line's begin is the owner, whatever it says."""
    for index in range(0 if starts_blank else 1, len(fields)):
        if fields[index].upper() == b"SOA":
            position = index + _SERIAL_FIELD
            if position < len(fields) and fields[position].isdigit():
                return offsets[position], fields[position]
            break
    raise NoSerial("the SOA has no serial that is a plain number; write it as SOA MNAME RNAME SERIAL ...")
