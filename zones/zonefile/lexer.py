r"""Cuts the text of a zone file into fields (RFC 1035 5.1).

A field is `bytes` as it stands in the file, escapes kept. A quoted field keeps its opening quote and loses the
closing one, so `b'"'` in front tells it from a plain one; `key="value"` (RFC 9460 2.1) is one field with both its
quotes.

Most lines have no parentheses, quotes, escapes or comments: `bytes.split` cuts those, which nothing in plain
Python beats. The others go through one compiled pattern over the octets, one match a field.
"""

import re
from typing import Final, NamedTuple

from zones.zonefile.errors import BadText, quote

MAX_ENTRY: Final = 400_000
r"""Octets of an entry: 65535 octets of rdata written as `\DDD`, and room for blanks and comments."""
MAX_FIELDS: Final = 2048

# What `bytes.split` may cut: printable ASCII without `"();\`, and blanks. Carriage returns are handled apart.
PLAIN: Final = bytes(octet for octet in range(33, 127) if octet not in b'"();\\') + b" \t"

# Escapes are \DDD up to 255, or a backslash and a printable character that is no digit.
_ESCAPE: Final = rb"\\(?:[01][0-9]{2}|2[0-4][0-9]|25[0-5]|[\x20-/:-~])"
_INSIDE_QUOTES: Final = rb"(?:[\t\x20!\#-\[\]-~]++|" + _ESCAPE + rb")*+"
_FIELD: Final = re.compile(
    rb"[ \t]*+(?:"
    rb"(?P<word>(?:[!#-\'*-:<-\[\]-~]|" + _ESCAPE + rb')++(?:(?<==)"' + _INSIDE_QUOTES + rb'")?)'
    rb'|(?P<quoted>"' + _INSIDE_QUOTES + rb'")'
    rb"|(?P<newline>\r?\n|\r?\Z)"
    rb"|(?P<comment>;[^\n]*+)"
    rb"|(?P<opening>\()"
    rb"|(?P<closing>\))"
    rb")"
)
_QUOTED_PART: Final = re.compile(b'"' + _INSIDE_QUOTES)
_QUOTE: Final = 34
_WORD, _QUOTED, _NEWLINE, _COMMENT, _OPENING, _CLOSING = range(1, 7)


class Entry(NamedTuple):
    """One entry that may run over several lines."""

    fields: list[bytes]
    offsets: list[int]
    """Where each field begins in the text."""
    end: int
    """Where the next entry begins."""


def read_entry(text: bytes, start: int) -> Entry:
    """The entry that begins at `start`. BadText when it cannot be cut into fields."""
    fields: list[bytes] = []
    offsets: list[int] = []
    opened = after = last = -1
    position = start
    limit = min(start + MAX_ENTRY, len(text))
    match = _FIELD.match
    while True:
        found = match(text, position, limit)
        if found is None:
            raise _unreadable(text, start, position, opened, limit)
        kind = found.lastindex
        position = found.end()
        if (position == limit < len(text)) or len(fields) > MAX_FIELDS:
            raise _too_long(text, start, opened)
        if kind in (_WORD, _QUOTED):
            field = found[kind]
            offset = found.start(kind)
            if offset == after and not kind == last == _QUOTED:
                hint = "quote the field as a whole, or put a blank between two fields"
                raise BadText(offset, next_line(text, offset), "quote inside a field", hint)
            fields.append(field if kind == _WORD else field[:-1])
            offsets.append(offset)
            after, last = position, kind
        elif kind == _NEWLINE:
            if opened < 0:
                return Entry(fields, offsets, position)
            if position == len(text):
                raise BadText(opened, next_line(text, opened), "parenthesis is never closed", "close it with ')'")
        elif kind == _OPENING:
            if opened >= 0:
                hint = "one level of parentheses is all that zone files have"
                raise BadText(position - 1, next_line(text, position), "parenthesis inside parentheses", hint)
            opened = position - 1
            if opened == start:
                hint = "begin the line with the owner, or with a blank to take the one before"
                raise BadText(start, next_line(text, start), "parenthesis in place of an owner", hint)
        elif kind == _CLOSING:
            if opened < 0:
                hint = "remove it, or open one before"
                raise BadText(
                    position - 1, next_line(text, position), "closing parenthesis without an opening one", hint
                )
            opened = -1


def next_line(text: bytes, position: int) -> int:
    """Index behind the next line end at or after `position`."""
    newline = text.find(b"\n", position)
    return len(text) if newline < 0 else newline + 1


def _too_long(text: bytes, start: int, opened: int) -> BadText:
    place = start if opened < 0 else opened
    hint = "write it in fewer and shorter fields" if opened < 0 else "is a closing parenthesis missing?"
    message = f"entry of more than {MAX_ENTRY} octets or {MAX_FIELDS} fields"
    return BadText(place, next_line(text, place), message, hint)


def _unreadable(text: bytes, start: int, position: int, opened: int, limit: int) -> BadText:
    """What is wrong at `position`, where no field matches."""
    while text[position] in b" \t":
        position += 1
    begin = position
    if text[position] == _QUOTE:
        found = _QUOTED_PART.match(text, position, limit)
        position = found.end() if found else position
        if position == limit < len(text):
            return _too_long(text, start, opened)
    resume = next_line(text, position)
    octet = text[position : position + 1]
    if octet in (b"", b"\n") or text[position : position + 2] == b"\r\n":
        message = f"quote is never closed: {quote(text[begin:position])}"
        return BadText(begin, resume, message, "end it with '\"' on the same line")
    if octet == b"\\":
        hint = "write \\DDD with three decimal digits up to 255, or \\ and a printable character"
        return BadText(position, resume, f"bad escape {quote(text[position:resume].rstrip()[:4])}", hint)
    if octet == b"\r":
        return BadText(position, resume, "carriage return inside a line", "end lines with LF or CR LF")
    if octet > b"~":
        hint = "write names of IDNs as A-labels (xn--...), and octets of strings as \\DDD"
        return BadText(position, resume, f"octet {quote(octet)} outside ASCII", hint)
    return BadText(position, resume, f"control character {quote(octet)}", "zone files are plain text")
