"""The part of the scanner that reads rdata of the most common types, and what all rdata is made of.

An index is a place in the text; what is read goes behind what is there in `_out`. -1 says that the parser must read
the line: it knows more forms, and what is wrong. See `Scanner`.
"""

import cython

from zones import name as names

COMPILED: bool = cython.compiled
MAX_ENTRY = 2048
"""Octets of an entry, which is a line, or the lines that parentheses make one of."""

_SCRATCH = 8192  # an entry makes less than twice its octets: names grow by the origin, everything else shrinks
_TAB, _NEWLINE, _RETURN, _BLANK, _QUOTE, _DOT, _COLON, _SEMICOLON, _AT = 9, 10, 13, 32, 34, 46, 58, 59, 64
_OPENING, _CLOSING = 40, 41
_NO_DIGIT = 255

_PLAIN = bytes(33 <= octet <= 126 and octet not in b'"();\\' for octet in range(256))
_HEX = bytes(int(chr(octet), 16) if chr(octet) in "0123456789abcdefABCDEF" else _NO_DIGIT for octet in range(256))
FOLD = names.fold(bytes(range(256)))
KEEP = bytes(range(256))
_KEEP = KEEP


class RdataScanner:
    """Reads rdata of the lines of a file."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._origin = b""
        self._out = bytearray(_SCRATCH)
        self._used = 0
        self._end = 0
        """Where the line in hand ends: the index of its newline."""
        self._limit = 0
        """Behind the last octet that the entry in hand may have."""
        self._more_lines = 0
        """Of the entry in hand, behind its first."""
        self._is_open = False
        """Whether a parenthesis is."""
        self._plain = _PLAIN
        self._hex = _HEX

    def _is_line_end(self, index: cython.Py_ssize_t) -> cython.bint:
        return self._text[index] == _RETURN and self._text[index + 1] == _NEWLINE

    def _is_end(self, index: cython.Py_ssize_t) -> cython.bint:
        """Whether the line, or what counts of it, ends at `index`."""
        return self._text[index] == _NEWLINE or self._text[index] == _SEMICOLON or self._is_line_end(index)

    def _skip_blanks(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        text: bytes = self._text
        while text[index] == _BLANK or text[index] == _TAB:
            index += 1
        return index

    def _next(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Index of the next field at or after `index`, or of the entry's end: behind blanks, and parentheses."""
        text: bytes = self._text
        while True:
            index = self._skip_blanks(index)
            if self._plain[text[index]]:
                return index
            if text[index] == _OPENING and not self._is_open:
                self._is_open = True
                index += 1
            elif not self._is_open:
                return index
            elif text[index] == _CLOSING:
                self._is_open = False
                index += 1
            elif not self._is_end(index):
                return index
            else:
                index = self._end + 1
                if not self._take_line(index):
                    return self._end
                self._more_lines += 1

    def _take_line(self, begin: cython.Py_ssize_t) -> cython.bint:
        """Take the line at `begin` in hand; False where it does not end within the limit of the entry."""
        text: bytes = self._text
        index: cython.Py_ssize_t = begin
        while index < self._limit and text[index] != _NEWLINE:
            index += 1
        if index >= self._limit:
            return False
        self._end = index
        return True

    def _end_of_word(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Index behind the plain octets from `index` on."""
        text: bytes = self._text
        plain: bytes = self._plain
        while plain[text[index]]:
            index += 1
        return index

    def _number(self, index: cython.Py_ssize_t, after: cython.Py_ssize_t, maximum: cython.longlong) -> cython.longlong:
        """The decimal number between the indexes, -1 when it is none of at most `maximum`."""
        text: bytes = self._text
        number: cython.longlong = 0
        if index == after or after - index > 10:
            return -1
        while index < after:
            if not 48 <= text[index] <= 57:
                return -1
            number = number * 10 + (text[index] - 48)
            index += 1
        return number if number <= maximum else -1

    def _read_name(self, index: cython.Py_ssize_t, fold: bytes) -> cython.Py_ssize_t:
        """Append the name at `index`, each octet as `fold` has it; the index behind it, -1 for the parser."""
        text: bytes = self._text
        plain: bytes = self._plain
        origin: bytes = self._origin
        out: bytearray = self._out
        begin: cython.Py_ssize_t = self._used
        used: cython.Py_ssize_t = begin + 1
        label: cython.Py_ssize_t = begin
        octet: cython.int
        place: cython.Py_ssize_t
        if text[index] == _AT and not plain[text[index + 1]]:
            used = begin
            index += 1
        else:
            while True:
                octet = text[index]
                if octet == _DOT:
                    if not 1 <= used - label - 1 <= 63:
                        return -1
                    out[label] = used - label - 1
                    label = used
                elif plain[octet]:
                    out[used] = fold[octet]
                else:
                    break
                used += 1
                index += 1
            if used - label - 1 > 63 or used == begin + 1:
                return -1
            out[label] = used - label - 1
        # A name that ends with a dot has its root label by now.
        if used == begin or out[label] != 0:
            for place in range(len(origin)):
                out[used] = fold[origin[place]]
                used += 1
        if used - begin > 255 or text[index] == _QUOTE:
            return -1
        self._used = used
        return index

    def _read_common(self, rdtype: cython.int, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Append the rdata at `index`; the index behind it, -1 for the parser."""
        if rdtype == 1:
            return self._read_ipv4(index)
        if rdtype == 28:
            return self._read_ipv6(index)
        if rdtype == 16:
            return self._read_strings(index)
        if rdtype == 6:
            return self._read_soa(index)
        if rdtype == 15:
            index = self._read_u16(index)
        elif rdtype == 33:
            index = self._read_u16(index)
            if index >= 0:
                index = self._read_u16(index)
            if index >= 0:
                index = self._read_u16(index)
        return self._read_name(index, _KEEP) if index >= 0 else -1

    def _read_u16(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        after: cython.Py_ssize_t = self._end_of_word(index)
        number: cython.longlong = self._number(index, after, 0xFFFF)
        if number < 0:
            return -1
        self._out[self._used] = number >> 8
        self._out[self._used + 1] = number & 255
        self._used += 2
        return self._next(after)

    def _read_soa(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        number: cython.longlong
        field: cython.int
        for _ in range(2):
            index = self._read_name(index, _KEEP)
            if index < 0:
                return -1
            index = self._next(index)
        after: cython.Py_ssize_t = index
        for field in range(5):
            index = self._next(after)
            after = self._end_of_word(index)
            number = self._period(index, after) if field else self._number(index, after, 0xFFFFFFFF)
            if number < 0:
                return -1
            self._out[self._used] = number >> 24
            self._out[self._used + 1] = number >> 16 & 255
            self._out[self._used + 2] = number >> 8 & 255
            self._out[self._used + 3] = number & 255
            self._used += 4
        return after

    def _period(self, index: cython.Py_ssize_t, after: cython.Py_ssize_t) -> cython.longlong:
        """Seconds of a time such as 3600 or 1h30m between the indexes, -1 when it is none of less than 2**32."""
        text: bytes = self._text
        total: cython.longlong = 0
        number: cython.longlong
        unit: cython.longlong
        smaller: cython.longlong = 1 << 32
        begin: cython.Py_ssize_t
        if index == after:
            return -1
        while index < after:
            number = 0
            begin = index
            while index < after and 48 <= text[index] <= 57 and index - begin < 10:
                number = number * 10 + (text[index] - 48)
                index += 1
            unit = 1
            if index < after:
                unit = self._unit(text[index] | 32)
                index += 1
            if index == begin or text[begin] > 57 or not 0 < unit < smaller:
                return -1
            smaller = unit
            total += number * unit
        return total if total <= 0xFFFFFFFF else -1

    def _unit(self, letter: cython.int) -> cython.longlong:
        """Seconds of a unit; 0: there is none of that letter."""
        if letter == 119:
            return 604800
        if letter == 100:
            return 86400
        if letter == 104:
            return 3600
        if letter == 109:
            return 60
        return 1 if letter == 115 else 0

    def _read_ipv4(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        text: bytes = self._text
        out: bytearray = self._out
        part: cython.int
        number: cython.int
        begin: cython.Py_ssize_t
        for part in range(4):
            number = 0
            begin = index
            while 48 <= text[index] <= 57 and index - begin < 4:
                number = number * 10 + (text[index] - 48)
                index += 1
            if index == begin or number > 255 or (text[begin] == 48 and index - begin > 1):
                return -1
            out[part] = number
            if part < 3:
                if text[index] != _DOT:
                    return -1
                index += 1
        self._used = 4
        return -1 if self._plain[text[index]] else index

    def _read_ipv6(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        text: bytes = self._text
        hexadecimal: bytes = self._hex
        out: bytearray = self._out
        used: cython.Py_ssize_t = 0
        gap: cython.Py_ssize_t = -1
        number: cython.int
        begin: cython.Py_ssize_t
        place: cython.Py_ssize_t
        if text[index] == _COLON:
            if text[index + 1] != _COLON:
                return -1
            gap = 0
            index += 2
        while True:
            begin = index
            number = 0
            while hexadecimal[text[index]] != _NO_DIGIT and index - begin < 5:
                number = number * 16 + hexadecimal[text[index]]
                index += 1
            if index == begin:
                if gap != used:  # nothing may stand behind a colon that is not one of two
                    return -1
                break
            if index - begin > 4 or used == 16:
                return -1
            out[used] = number >> 8
            out[used + 1] = number & 255
            used += 2
            if text[index] != _COLON:
                break
            index += 1
            if text[index] == _COLON:
                if gap >= 0:
                    return -1
                gap = used
                index += 1
        if (used != 16 if gap < 0 else used > 14) or self._plain[text[index]]:
            return -1
        if gap >= 0:
            for place in range(used - gap):
                out[15 - place] = out[used - 1 - place]
            for place in range(gap, 16 - used + gap):
                out[place] = 0
        self._used = 16
        return index

    def _read_strings(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        text: bytes = self._text
        plain: bytes = self._plain
        out: bytearray = self._out
        used: cython.Py_ssize_t = 0
        length: cython.Py_ssize_t
        after: cython.Py_ssize_t
        octet: cython.int
        while True:
            length = used
            used += 1
            if text[index] == _QUOTE:
                index += 1
                while text[index] != _QUOTE:
                    octet = text[index]
                    if not (plain[octet] or octet in (9, 32, 40, 41, 59)):
                        return -1
                    out[used] = octet
                    used += 1
                    index += 1
                index += 1
            else:
                while plain[text[index]]:
                    out[used] = text[index]
                    used += 1
                    index += 1
                if used == length + 1:
                    return -1
            if used - length > 256:
                return -1
            out[length] = used - length - 1
            after = index
            index = self._next(index)
            if self._is_end(index):
                self._used = used
                return index
            if index == after:
                return -1
