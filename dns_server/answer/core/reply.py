"""Writes replies: the question with its own letter case, a kept answer with its pointers moved, the OPT record."""

import cython

from dns_server.answer import protocol
from dns_server.answer.core import cookies
from dns_server.answer.core.kept import Kept
from dns_server.answer.core.query import Query

_HEADER = protocol.HEADER_SIZE
_LARGEST = protocol.UDP_PAYLOAD
_OPT_SIZE = 11
_OPT = protocol.Type.OPT
_NSID = protocol.Option.NSID
_COOKIE = protocol.Option.COOKIE
_EDE = protocol.Option.EDE
_NOT_AUTHORITATIVE = protocol.Ede.NOT_AUTHORITATIVE
_QR = protocol.QR >> 8
_TC = protocol.TC >> 8
_REFUSED = protocol.Rcode.REFUSED
_BADCOOKIE = protocol.Rcode.BADCOOKIE
_COOKIE_SIZE = cookies.REPLY_SIZE
_HEAD = 12  # octets of a kept answer before its pointers
_MARK = 8  # octets of each of its marks


class Reply:
    """Writes into the replies of a batch."""

    def __init__(self, octets: bytearray, nsid: bytes) -> None:
        """`octets` is the buffer for the replies; `nsid` is told to whom asks for it, where it is not empty."""
        self._octets = octets
        self._nsid = bytearray(nsid + b"\0")
        self._nsid_size = len(nsid)
        self._cookie = bytearray(_COOKIE_SIZE)
        self.has_cookie = False
        """Whether the next reply has the cookie that was taken last."""

    def take_cookie(self, data: cython.uchar[::1]) -> cython.int:
        """Put a cookie into the next reply."""
        index: cython.Py_ssize_t
        for index in range(_COOKIE_SIZE):
            self._cookie[index] = data[index]
        self.has_cookie = True
        return 0

    def write(self, query: Query, kept: Kept, answer: cython.Py_ssize_t, to: cython.Py_ssize_t) -> cython.int:
        """Write the kept answer behind the question in hand; the reply's length."""
        octets: cython.uchar[::1] = self._octets
        pointers: cython.Py_ssize_t = kept.word(answer + 6)
        last: cython.Py_ssize_t = kept.word(answer + 8) - 1
        marks: cython.Py_ssize_t = answer + _HEAD + 2 * pointers
        mark: cython.Py_ssize_t = last
        size: cython.Py_ssize_t = kept.word(answer + 4)
        head: cython.Py_ssize_t = query.end - query.at
        room: cython.Py_ssize_t = query.limit - head - self._tail_size(query, 0)
        while size > room and mark:
            mark -= 1
            size = kept.word(marks + _MARK * mark)
        self._copy(to, query.octets, query.at, head)
        octets[to + 2] = kept.arena[answer] | (query.octets[query.at + 2] & 1)  # RD is copied
        if mark < kept.word(answer + 10):
            octets[to + 2] |= _TC
        octets[to + 3] = kept.arena[answer + 1]
        self._copy(to + 6, kept.arena, marks + _MARK * mark + 2, 6)
        first: cython.Py_ssize_t = to + head
        self._copy(first, kept.arena, marks + _MARK * (last + 1), size)
        shift: cython.int = head - _HEADER - 4 - kept.word(answer + 2)
        if shift:
            index: cython.Py_ssize_t
            for index in range(pointers):
                place: cython.Py_ssize_t = kept.word(answer + _HEAD + 2 * index)
                if place < size:
                    target: cython.int = (octets[first + place] << 8 | octets[first + place + 1]) + shift
                    octets[first + place] = target >> 8
                    octets[first + place + 1] = target & 0xFF
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
        octets: cython.uchar[::1] = self._octets
        head: cython.Py_ssize_t = query.end - query.at
        self._copy(to, query.octets, query.at, head)
        octets[to + 2] = flags | (query.octets[query.at + 2] & 1)  # RD is copied
        octets[to + 3] = rcode & 0xF
        octets[to + 11] = 0
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
        octets: cython.uchar[::1] = self._octets
        index: cython.Py_ssize_t
        for index in range(_OPT_SIZE):
            octets[end + index] = 0
        octets[end + 2] = _OPT
        octets[end + 3] = _LARGEST >> 8
        octets[end + 4] = _LARGEST & 0xFF
        octets[end + 5] = extended
        octets[end + 7] = 0x80 if query.do else 0
        additional: cython.int = (octets[to + 10] << 8 | octets[to + 11]) + 1
        octets[to + 10] = additional >> 8
        octets[to + 11] = additional & 0xFF
        length: cython.Py_ssize_t = self._tail_size(query, ede) - _OPT_SIZE
        octets[end + 9] = length >> 8
        octets[end + 10] = length & 0xFF
        end += _OPT_SIZE
        if query.wants_nsid and self._nsid_size:
            self._option(end, _NSID, self._nsid_size)
            self._copy(end + 4, self._nsid, 0, self._nsid_size)
            end += 4 + self._nsid_size
        if ede:
            self._option(end, _EDE, 2)
            octets[end + 4] = ede >> 8
            octets[end + 5] = ede & 0xFF
            end += 6
        if self.has_cookie:
            self._option(end, _COOKIE, _COOKIE_SIZE)
            self._copy(end + 4, self._cookie, 0, _COOKIE_SIZE)
            end += 4 + _COOKIE_SIZE
        return end - to

    def _option(self, at: cython.Py_ssize_t, code: cython.int, length: cython.Py_ssize_t) -> cython.int:
        """Write the head of an EDNS option."""
        self._octets[at] = code >> 8
        self._octets[at + 1] = code & 0xFF
        self._octets[at + 2] = length >> 8
        self._octets[at + 3] = length & 0xFF
        return 0

    @cython.boundscheck(False)
    def _copy(
        self, to: cython.Py_ssize_t, source: cython.uchar[::1], begin: cython.Py_ssize_t, count: cython.Py_ssize_t
    ) -> cython.int:
        """Copy `count` octets into the replies.

        Bounds are looked at once a call, not once an octet, which lets the C compiler take many at a time.
        """
        octets: cython.uchar[::1] = self._octets
        if to < 0 or begin < 0 or count < 0 or to + count > len(octets) or begin + count > len(source):
            raise IndexError("copy past the end of a slot")
        index: cython.Py_ssize_t
        for index in range(count):
            octets[to + index] = source[begin + index]
        return 0
