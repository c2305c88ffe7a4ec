"""Writes replies: the question with its own letter case, a kept answer with its pointers moved, the OPT record."""

import cython

from dns_server.answer import protocol
from dns_server.answer.core import cookies
from dns_server.answer.core.cookies import Cookies
from dns_server.answer.core.kept import Kept, Segment
from dns_server.answer.core.query import Query
from zones import rdtypes

_HEADER = protocol.HEADER_SIZE
_LARGEST = protocol.UDP_PAYLOAD
_OPT_SIZE = protocol.OPT_SIZE
_OPT = rdtypes.OPT
_NSID = protocol.Option.NSID
_COOKIE = protocol.Option.COOKIE
_EDE = protocol.Option.EDE
_NOT_AUTHORITATIVE = protocol.Ede.NOT_AUTHORITATIVE
_QR = protocol.QR
_TC = protocol.TC
_REFUSED = protocol.Rcode.REFUSED
_BADCOOKIE = protocol.Rcode.BADCOOKIE
_COOKIE_SIZE = cookies.REPLY_SIZE
_HEAD = 12  # octets of a kept answer before its pointers
_MARK = 8  # octets of each of its marks

# `stack.interface.express_core` has the like of the next three: Cython puts functions in line within one module alone,
# or from a .pxd, where they would be in its own language and stand beside what runs uncompiled.


@cython.cfunc
@cython.inline
@cython.exceptval(-1, check=False)
@cython.boundscheck(False)
def _copy(
    octets: cython.uchar[::1],
    to: cython.Py_ssize_t,
    source: cython.uchar[::1],
    begin: cython.Py_ssize_t,
    count: cython.Py_ssize_t,
) -> cython.int:
    """Copy `count` octets.

    Here and below bounds are looked at once a call, not once an octet, which lets the C compiler take many at a time.
    """
    if to < 0 or begin < 0 or count < 0 or to + count > len(octets) or begin + count > len(source):
        raise IndexError("copy past the end of a slot")
    index: cython.Py_ssize_t
    for index in range(count):
        octets[to + index] = source[begin + index]
    return 0


@cython.cfunc
@cython.inline
@cython.exceptval(-1, check=False)
@cython.boundscheck(False)
def _word(octets: cython.uchar[::1], at: cython.Py_ssize_t) -> cython.int:
    """The 16-bit number at `at`."""
    if at < 0 or at + 2 > len(octets):
        raise IndexError("number past the end of a slot")
    return octets[at] << 8 | octets[at + 1]


@cython.cfunc
@cython.inline
@cython.exceptval(-1, check=False)
@cython.boundscheck(False)
def _put(octets: cython.uchar[::1], at: cython.Py_ssize_t, number: cython.Py_ssize_t) -> cython.int:
    """Write the 16-bit `number`."""
    if at < 0 or at + 2 > len(octets):
        raise IndexError("number past the end of a slot")
    octets[at] = (number >> 8) & 0xFF
    octets[at + 1] = number & 0xFF
    return 0


@cython.cfunc
@cython.inline
@cython.exceptval(-1, check=False)
@cython.boundscheck(False)
def _put_opt(octets: cython.uchar[::1], at: cython.Py_ssize_t, extended: cython.int, do: cython.bint) -> cython.int:
    """Write an OPT record without options, with the rcode's high bits."""
    if at < 0 or at + _OPT_SIZE > len(octets):
        raise IndexError("record past the end of a slot")
    octets[at] = 0
    octets[at + 1] = 0
    octets[at + 2] = _OPT
    octets[at + 3] = (_LARGEST >> 8) & 0xFF
    octets[at + 4] = _LARGEST & 0xFF
    octets[at + 5] = extended
    octets[at + 6] = 0
    octets[at + 7] = 0x80 if do else 0
    octets[at + 8] = 0
    octets[at + 9] = 0
    octets[at + 10] = 0
    return 0


class Reply:
    """Writes into the replies of a batch."""

    def __init__(self, octets: bytearray, nsid: bytes, jar: Cookies | None) -> None:
        """`octets` is the buffer for the replies; `nsid` is told to whom asks for it, where it is not empty.

        `jar` makes cookies, where there are any.
        """
        self._octets = octets
        self._nsid = bytearray(nsid + b"\0")
        self._nsid_size = len(nsid)
        self._cookie = bytearray(_COOKIE_SIZE) if jar is None else jar.reply
        self.has_cookie = False
        """Whether the next reply has the cookie that was made last."""

    def write(self, query: Query, kept: Kept, answer: cython.Py_ssize_t, to: cython.Py_ssize_t) -> cython.int:
        """Write the kept answer behind the question in hand; the reply's length."""
        segment: Segment = kept.segment(answer)
        at: cython.Py_ssize_t = kept.place(answer)
        size: cython.Py_ssize_t = _word(segment.octets, at + 4)
        pointers: cython.Py_ssize_t = _word(segment.octets, at + 6)
        last: cython.Py_ssize_t = _word(segment.octets, at + 8) - 1
        marks: cython.Py_ssize_t = at + _HEAD + 2 * pointers
        mark: cython.Py_ssize_t = last
        head: cython.Py_ssize_t = query.end - query.at
        room: cython.Py_ssize_t = query.limit - head - self._tail_size(query, 0)
        while size > room and mark:
            mark -= 1
            size = _word(segment.octets, marks + _MARK * mark)
        flags: cython.int = _word(segment.octets, at)
        if mark < _word(segment.octets, at + 10):
            flags |= _TC
        _copy(self._octets, to, query.octets, query.at, head)
        _put(self._octets, to + 2, flags | (query.octets[query.at + 2] & 1) << 8)  # RD is copied
        _copy(self._octets, to + 6, segment.octets, marks + _MARK * mark + 2, 6)
        first: cython.Py_ssize_t = to + head
        _copy(self._octets, first, segment.octets, marks + _MARK * (last + 1), size)
        shift: cython.int = head - _HEADER - 4 - _word(segment.octets, at + 2)
        if shift:
            index: cython.Py_ssize_t
            for index in range(pointers):
                place: cython.Py_ssize_t = _word(segment.octets, at + _HEAD + 2 * index)
                if place < size:
                    _put(self._octets, first + place, _word(self._octets, first + place) + shift)
        return self._close(query, to, first + size, 0, 0)

    def refuse(self, query: Query, to: cython.Py_ssize_t) -> cython.int:
        """Write the reply to a query for what no zone has; its length."""
        return self._bare(query, to, _QR, _REFUSED, _NOT_AUTHORITATIVE)

    def demand(self, query: Query, to: cython.Py_ssize_t) -> cython.int:
        """Write the reply to a query whose client is to prove its address first; its length."""
        return self._bare(query, to, _QR, _BADCOOKIE, 0) if self.has_cookie else self._bare(query, to, _QR | _TC, 0, 0)

    def _bare(
        self, query: Query, to: cython.Py_ssize_t, flags: cython.int, rcode: cython.int, ede: cython.int
    ) -> cython.int:
        """Write a reply without records; its length."""
        head: cython.Py_ssize_t = query.end - query.at
        _copy(self._octets, to, query.octets, query.at, head)
        _put(self._octets, to + 2, flags | (query.octets[query.at + 2] & 1) << 8 | rcode & 0xF)  # RD is copied
        self._octets[to + 11] = 0
        return self._close(query, to, to + head, rcode >> 4, ede)

    def _tail_size(self, query: Query, ede: cython.int) -> cython.Py_ssize_t:
        """Octets of the OPT record."""
        if not query.has_edns:
            return 0
        size: cython.Py_ssize_t = _OPT_SIZE
        if query.wants_nsid and self._nsid_size:
            size += 4 + self._nsid_size
        if ede:
            size += 6
        if self.has_cookie:
            size += 4 + _COOKIE_SIZE
        return size

    def _close(
        self, query: Query, to: cython.Py_ssize_t, end: cython.Py_ssize_t, extended: cython.int, ede: cython.int
    ) -> cython.int:
        """Write the OPT record at `end`, with the rcode's high bits and the extended error `ede` or 0; the length."""
        if not query.has_edns:
            return end - to
        _put_opt(self._octets, end, extended, query.do)
        _put(self._octets, to + 10, _word(self._octets, to + 10) + 1)
        length: cython.Py_ssize_t = self._tail_size(query, ede) - _OPT_SIZE
        end += _OPT_SIZE
        if not length:
            return end - to
        _put(self._octets, end - 2, length)
        if query.wants_nsid and self._nsid_size:
            self._option(end, _NSID, self._nsid_size)
            _copy(self._octets, end + 4, self._nsid, 0, self._nsid_size)
            end += 4 + self._nsid_size
        if ede:
            self._option(end, _EDE, 2)
            _put(self._octets, end + 4, ede)
            end += 6
        if self.has_cookie:
            self._option(end, _COOKIE, _COOKIE_SIZE)
            _copy(self._octets, end + 4, self._cookie, 0, _COOKIE_SIZE)
            end += 4 + _COOKIE_SIZE
        return end - to

    def _option(self, at: cython.Py_ssize_t, code: cython.int, length: cython.Py_ssize_t) -> cython.int:
        """Write the head of an EDNS option."""
        _put(self._octets, at, code)
        _put(self._octets, at + 2, length)
        return 0
