"""The part of the scanner that reads rdata of DNSSEC's types, and of others with hexadecimal or base64 data.

As everywhere in the scanner, -1 leaves the line to the parser: for mnemonics of algorithms, unknown types, and faults.
"""

import cython

from zones import rdtypes
from zones.zonefile.rdata_scanner import KEEP, RdataScanner

COMPILED: bool = cython.compiled
_NO_DIGIT = 255
_TAB, _BLANK, _QUOTE, _HYPHEN, _PAD = 9, 32, 34, 45, 61
_WINDOW = 32  # octets of a window of 256 types (RFC 4034 4.1.2)
_OCTETS = bytes(range(256))


def _values(digits: bytes, octets: bytes = _OCTETS) -> bytes:
    """What each octet stands for as a digit; `octets` has those whose value it takes."""
    return bytes(digits.index(octet) if octet in digits else _NO_DIGIT for octet in octets)


_BASE64 = _values(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_BASE32 = _values(b"0123456789ABCDEFGHIJKLMNOPQRSTUV", _OCTETS.upper())  # RFC 4648 7
_KEEP = KEEP
_NUMBERS = {mnemonic.encode(): number for mnemonic, number in rdtypes.NUMBERS.items()}


class DnssecScanner(RdataScanner):
    """Reads rdata of the lines of a file."""

    def _read_rdata(self, rdtype: cython.int, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Append the rdata at `index`; the index behind it, -1 for the parser."""
        self._group = self._bits = self._padding = 0
        if rdtype == 46:  # RRSIG
            return self._read_signature(index)
        if rdtype == 47:  # NSEC
            index = self._read_name(index, _KEEP)
            return self._read_bitmap(index) if index >= 0 else -1
        if rdtype == 50 or rdtype == 51:  # NSEC3, NSEC3PARAM
            index = self._read_row(index, 3, 2)
            if index >= 0:
                index = self._read_salt(index)
            if rdtype == 51 or index < 0:
                return index
            index = self._read_hash(index)
            return self._read_bitmap(index) if index >= 0 else -1
        if rdtype == 43 or rdtype == 59:  # DS, CDS
            index = self._read_row(index, 3, 0)
            return self._read_data(index, self._hex, 4) if index >= 0 else -1
        if rdtype == 48 or rdtype == 60:  # DNSKEY, CDNSKEY
            index = self._read_row(index, 3, 0)
            return self._read_data(index, _BASE64, 6) if index >= 0 else -1
        if rdtype == 52 or rdtype == 53:  # TLSA, SMIMEA
            index = self._read_row(index, 3, -1)
            return self._read_data(index, self._hex, 4) if index >= 0 else -1
        if rdtype == 44:  # SSHFP
            index = self._read_row(index, 2, -1)
            return self._read_data(index, self._hex, 4) if index >= 0 else -1
        if rdtype == 257:  # CAA
            index = self._read_row(index, 1, -1)
            return self._read_property(index) if index >= 0 else -1
        return self._read_common(rdtype, index)

    def _read_row(self, index: cython.Py_ssize_t, numbers: cython.Py_ssize_t, wide: cython.int) -> cython.Py_ssize_t:
        """Append so many numbers of one octet each, but of two octets for the one at `wide`, counted from 0."""
        place: cython.int
        for place in range(numbers):
            index = self._read_number(index, 2 if place == wide else 1)
            if index < 0:
                return -1
        return index

    def _read_number(self, index: cython.Py_ssize_t, octets: cython.int) -> cython.Py_ssize_t:
        after: cython.Py_ssize_t = self._end_of_word(index)
        one: cython.longlong = 1
        number: cython.longlong = self._number(index, after, (one << 8 * octets) - 1)
        if number < 0:
            return -1
        self._put(number, octets)
        return self._next(after)

    def _put(self, number: cython.longlong, octets: cython.int) -> cython.bint:
        place: cython.int
        for place in range(octets):
            self._out[self._used] = (number >> 8 * (octets - 1 - place)) & 255
            self._used += 1
        return True

    def _read_signature(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """RFC 4034 3.2."""
        after: cython.Py_ssize_t
        seconds: cython.longlong
        index = self._read_type(index)
        if index >= 0:
            index = self._read_row(index, 2, -1)
        if index < 0:
            return -1
        after = self._end_of_word(index)
        seconds = self._period(index, after)
        if seconds < 0:
            return -1
        self._put(seconds, 4)
        index = self._read_time(self._next(after))
        if index >= 0:
            index = self._read_time(index)
        if index >= 0:
            index = self._read_number(index, 2)
        if index >= 0:
            index = self._read_name(index, _KEEP)
        return self._read_data(self._next(index), _BASE64, 6) if index >= 0 else -1

    def _read_type(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        after: cython.Py_ssize_t = self._end_of_word(index)
        number: cython.longlong = _NUMBERS.get(self._text[index:after], -1)
        if number < 0:
            return -1
        self._put(number, 2)
        return self._next(after)

    def _read_time(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Append a signature time: YYYYMMDDHHmmSS, or seconds since 1970."""
        after: cython.Py_ssize_t = self._end_of_word(index)
        seconds: cython.longlong
        seconds = self._moment(index) if after - index == 14 else self._number(index, after, 0xFFFFFFFF)
        if seconds < 0:
            return -1
        self._put(seconds, 4)
        return self._next(after)

    def _moment(self, index: cython.Py_ssize_t) -> cython.longlong:
        """Seconds since 1970 of YYYYMMDDHHmmSS, as far as 32 bits hold them; -1 for a year before, or no such time."""
        year: cython.longlong = self._number(index, index + 4, 9999)
        month: cython.longlong = self._number(index + 4, index + 6, 12)
        day: cython.longlong = self._number(index + 6, index + 8, 31)
        hour: cython.longlong = self._number(index + 8, index + 10, 23)
        minute: cython.longlong = self._number(index + 10, index + 12, 59)
        second: cython.longlong = self._number(index + 12, index + 14, 59)
        if year < 1970 or month < 1 or day < 1 or hour < 0 or minute < 0 or second < 0:
            return -1
        is_leap: cython.bint = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        if month == 2 and day > (29 if is_leap else 28):
            return -1
        if day == 31 and (month == 4 or month == 6 or month == 9 or month == 11):
            return -1
        # Years begin in March here, so that the day that comes every four years is the last.
        if month < 3:
            year -= 1
            month += 12
        mask: cython.longlong = 0xFFFFFFFF
        days: cython.longlong = 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day
        return ((days - 719469) * 86400 + hour * 3600 + minute * 60 + second) & mask

    def _read_salt(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """RFC 5155 3.3."""
        after: cython.Py_ssize_t = self._end_of_word(index)
        size: cython.Py_ssize_t = (after - index) // 2
        if after - index == 1 and self._text[index] == _HYPHEN:
            size = 0
        elif after == index or (after - index) % 2 or size > 255:
            return -1
        self._put(size, 1)
        if size and not self._decode(index, after, self._hex, 4):
            return -1
        return self._next(after)

    def _read_hash(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Append octets of base32hex behind their number; whole groups of eight digits alone (RFC 5155 3.3)."""
        after: cython.Py_ssize_t = self._end_of_word(index)
        if after == index or (after - index) % 8 or after - index > 400:
            return -1
        self._put((after - index) // 8 * 5, 1)
        return self._next(after) if self._decode(index, after, _BASE32, 5) else -1

    def _read_bitmap(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Append the types up to the end of the line, which are below 512, as up to two windows."""
        out: bytearray = self._out
        begin: cython.Py_ssize_t = self._used
        after: cython.Py_ssize_t
        number: cython.longlong
        size: cython.Py_ssize_t
        place: cython.Py_ssize_t
        window: cython.Py_ssize_t
        for place in range(begin, begin + 2 * _WINDOW):
            out[place] = 0
        index = self._next(index)
        while not self._is_end(index):
            after = self._end_of_word(index)
            number = _NUMBERS.get(self._text[index:after], -1)
            if number < 0 or number > 511:
                return -1
            out[begin + (number >> 3)] |= 128 >> (number & 7)
            index = self._next(after)
        bits: bytes = bytes(out[begin : begin + 2 * _WINDOW])
        for window in range(2):
            size = _WINDOW
            while size and not bits[window * _WINDOW + size - 1]:
                size -= 1
            if size:
                self._put(window, 1)
                self._put(size, 1)
                for place in range(size):
                    self._put(bits[window * _WINDOW + place], 1)
        return index

    def _read_data(self, index: cython.Py_ssize_t, digits: bytes, size: cython.int) -> cython.Py_ssize_t:
        """Append what the digits of `size` bits up to the end of the entry stand for, blanks left out."""
        begin: cython.Py_ssize_t = self._used
        after: cython.Py_ssize_t
        while not self._is_end(index):
            after = self._end_of_word(index)
            if after == index or not self._decode(index, after, digits, size):
                return -1
            index = self._next(after)
        return -1 if self._bits or self._used == begin else index

    def _decode(
        self, index: cython.Py_ssize_t, after: cython.Py_ssize_t, digits: bytes, size: cython.int
    ) -> cython.bint:
        """Append what the digits of `size` bits between the indexes stand for; False where some octet is none.

        `digits` has the value of each. Those that don't make whole octets yet are kept for the next call. The last
        group of base64 may be padded (RFC 4648 4).
        """
        text: bytes = self._text
        group: cython.longlong = self._group
        bits: cython.int = self._bits
        octet: cython.int
        while index < after:
            octet = digits[text[index]]
            if octet == _NO_DIGIT or self._padding:
                if text[index] != _PAD or size != 6 or bits < 12:
                    return False
                self._padding += 1
                octet = 0
            group = group << size | octet
            bits += size
            if bits & 7 == 0:
                if self._padding and group & ((1 << 8 * self._padding) - 1):
                    return False
                self._put(group >> 8 * self._padding, (bits >> 3) - self._padding)
                group = 0
                bits = 0
            index += 1
        self._group = group
        self._bits = bits
        return True

    def _read_property(self, index: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The tag and the value of a CAA (RFC 8659 4.1)."""
        text: bytes = self._text
        plain: bytes = self._plain
        octet: cython.int
        after: cython.Py_ssize_t = self._end_of_word(index)
        if after == index or after - index > 255:
            return -1
        self._put(after - index, 1)
        while index < after:
            octet = text[index]
            if not (48 <= octet <= 57 or 65 <= octet <= 90 or 97 <= octet <= 122):
                return -1
            self._put(octet, 1)
            index += 1
        index = self._next(after)
        if text[index] != _QUOTE:
            after = self._end_of_word(index)
            if index == after:
                return -1
            while index < after:
                self._put(text[index], 1)
                index += 1
            return index
        index += 1
        while text[index] != _QUOTE:
            octet = text[index]
            if not (plain[octet] or octet in (_TAB, _BLANK, 40, 41, 59)):
                return -1
            self._put(octet, 1)
            index += 1
        return index + 1
