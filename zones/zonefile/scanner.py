"""Reads the plainest lines of a zone file at the speed of C where this module is compiled (Cython, pure-Python mode).

It takes `$TTL`, and entries of one record of a common type without escapes, whose parentheses open behind the type. It
stops before the first entry that is anything else or has a fault: the parser reads that one, and says what is wrong. So
every entry means what the parser makes of it; a test compares the two. Uncompiled it is slower than the parser, which
then does without.
"""

import cython

from zones import name as names
from zones import rdtypes
from zones.arena import pack_place
from zones.zone import ZoneBuilder
from zones.zonefile.dnssec_scanner import DnssecScanner
from zones.zonefile.rdata_scanner import FOLD, MAX_ENTRY

if not cython.compiled:
    from zones.octets import cut

COMPILED: bool = cython.compiled
_TAB, _NEWLINE, _RETURN, _BLANK, _DOLLAR, _DOT, _SEMICOLON = 9, 10, 13, 32, 36, 46, 59
_MAX_ENTRY = MAX_ENTRY
_FOLD = FOLD
_MNEMONICS = """
    A AAAA NS CNAME DNAME PTR MX SRV TXT SOA CAA SSHFP TLSA SMIMEA DS CDS DNSKEY CDNSKEY RRSIG NSEC NSEC3 NSEC3PARAM
"""
_TYPES = {mnemonic.encode(): rdtypes.NUMBERS[mnemonic] for mnemonic in _MNEMONICS.split()}


class Scanner(DnssecScanner):
    """Reads lines of one file into a zone builder."""

    def __init__(self, text: bytes, zone: bytes) -> None:
        super().__init__(text)
        self.position = 0
        """Where the next line begins."""
        self.line = 1
        """Number of that line."""
        self.owner = b""
        """Owner of the last record, folded; empty before the first."""
        self.ttl = -1
        """TTL of the last record; -1 before the first."""
        self.default_ttl = -1
        """That of `$TTL`; -1 where there is none."""
        self._zone = zone
        self._is_inside = False
        """Whether names relative to the origin are in the zone."""

    def scan(
        self,
        builder: ZoneBuilder,
        file: cython.Py_ssize_t,
        origin: bytes,
        budget: cython.Py_ssize_t,
    ) -> cython.Py_ssize_t:
        """Read about `budget` lines from `position` on; the number of those read.

        Fewer lines are read where the end or an entry for the parser comes first.
        """
        text: bytes = self._text
        end: cython.Py_ssize_t = len(text)
        lines: cython.Py_ssize_t = 0
        index: cython.Py_ssize_t
        column: cython.Py_ssize_t
        ttl: cython.longlong
        log = builder.log
        if origin is not self._origin:
            self._origin = origin
            self._is_inside = names.is_at_or_below(names.fold(origin), self._zone)
        if not self._is_inside:
            return 0
        while lines < budget and self.position < end:
            index = self.position
            self._limit = min(end, index + _MAX_ENTRY)
            if not self._take_line(index):
                break
            self._is_open = False
            self._more_lines = 0
            index = self._skip_blanks(index)
            if index < self._end and text[index] != _SEMICOLON and text[index] != _RETURN:
                column = index - self.position + 1
                owner: bytes = self.owner
                if column == 1 and text[index] == _DOLLAR:
                    ttl = self._read_default_ttl(index)
                    if ttl < 0:
                        break
                    self.default_ttl = ttl
                    self.position = self._end + 1
                    self.line += 1
                    lines += 1
                    continue
                if column == 1:
                    self._used = 0
                    index = self._read_name(index, _FOLD)
                    if index < 0:
                        break
                    owner = cut(self._out, 0, self._used)
                    if text[index - 1] == _DOT and not names.is_at_or_below(owner, self._zone):
                        break
                elif not owner:
                    break
                ttl = self.default_ttl
                seen_ttl: cython.bint = False
                seen_class: cython.bint = False
                rdtype: cython.int = 0
                while rdtype == 0:
                    index = self._skip_blanks(index)
                    after: cython.Py_ssize_t = self._end_of_word(index)
                    if text[after] != _BLANK and text[after] != _TAB:
                        break
                    if 48 <= text[index] <= 57 and not seen_ttl:
                        ttl = self._number(index, after, 0x7FFFFFFF)
                        if ttl < 0:
                            break
                        seen_ttl = True
                    elif not seen_class and after - index == 2 and text[index] == 73 and text[index + 1] == 78:
                        seen_class = True
                    elif after - index == 1 and text[index] == 65:
                        rdtype = 1
                    else:
                        rdtype = _TYPES.get(text[index:after], -1)
                    index = after
                if rdtype <= 0 or ttl < 0:
                    break
                self._used = 0
                index = self._read_rdata(rdtype, self._next(index))
                if index < 0:
                    break
                index = self._next(index)
                if self._is_open or not self._is_end(index):
                    break
                log.turn_to(owner)
                self.owner = owner
                log.append(rdtype, ttl, self._out, self._used, pack_place(file, self.line, column))
                self.ttl = ttl
            elif index < self._end and text[index] == _RETURN and index + 1 != self._end:
                break
            self.position = self._end + 1
            self.line += 1 + self._more_lines
            lines += 1 + self._more_lines
        return lines

    def _read_default_ttl(self, index: cython.Py_ssize_t) -> cython.longlong:
        """Seconds that the directive `$TTL` at `index` says; -1 where it is another one, or one for the parser."""
        after: cython.Py_ssize_t = self._end_of_word(index)
        seconds: cython.longlong
        if self._text[index:after] != b"$TTL":
            return -1
        index = self._skip_blanks(after)
        after = self._end_of_word(index)
        seconds = self._period(index, after)
        if seconds > 0x7FFFFFFF or not self._is_end(self._skip_blanks(after)):
            return -1
        return seconds
