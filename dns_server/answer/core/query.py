"""Reads a datagram as far as answering needs: header, question and OPT record.

Names are found by a hash that runs from their end, so that one pass over a name gives that of every ancestor too.
"""

from array import array

import cython

from dns_server.answer import protocol
from dns_server.answer.core.cookies import is_size
from zones import name as names
from zones import rdtypes

COMPILED: bool = cython.compiled

# With their C types in query.pxd: what is not named so, or does not fit a C int, would make Python objects of all that
# it meets.
_HEADER = protocol.HEADER_SIZE
_NAME_LIMIT = names.MAX_NAME
_LABEL_LIMIT = 128
_SMALLEST = protocol.UDP_MINIMUM
_LARGEST = protocol.UDP_PAYLOAD
_OPT_SIZE = protocol.OPT_SIZE
_OPT = rdtypes.OPT
_IN = protocol.CLASS_IN
_META_FIRST = rdtypes.META_FIRST
_META_LAST = rdtypes.META_LAST
_NSID = protocol.Option.NSID
_COOKIE = protocol.Option.COOKIE
_EXPIRE = protocol.Option.EXPIRE
_ZONEVERSION = protocol.Option.ZONEVERSION
# The hash of bytes is keyed anew in each process: nobody can choose names that collide.
_START = hash(b"names") & 0xFFFFFFFF


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _mix(state: cython.uint, octet: cython.uint) -> cython.uint:
    """FNV-1a, one octet."""
    mask: cython.uint = 0xFFFFFFFF  # variables of the function are constants to the C compiler
    prime: cython.uint = 16777619
    return ((state ^ octet) * prime) & mask


def hash_octets(octets: cython.uchar[::1], begin: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.uint:
    """Hash of the folded wire name `octets[begin:end]`, from its last octet to its first."""
    state: cython.uint = _START
    while end > begin:
        end -= 1
        state = _mix(state, octets[end])
    return state


@cython.cfunc
@cython.inline
@cython.boundscheck(False)
def _find_labels(
    octets: cython.uchar[::1], start: cython.Py_ssize_t, end: cython.Py_ssize_t, labels: cython.int[::1]
) -> cython.Py_ssize_t:
    """Put where the labels of the name at `start` begin, and where its root does, into `labels`; how many labels.

    -1 if the name is malformed or goes past `end`. Here and below bounds are looked at once a call, not once an octet.
    """
    if start < 0 or end > len(octets) or len(labels) <= _LABEL_LIMIT:
        raise IndexError("a name past the end of its buffer")
    position: cython.Py_ssize_t = start
    count: cython.Py_ssize_t = 0
    octet: cython.int
    while position < end and count < _LABEL_LIMIT:
        octet = octets[position]
        labels[count] = position - start
        if not octet:
            return count if position - start < _NAME_LIMIT else -1
        if octet > 63:
            return -1
        count += 1
        position += 1 + octet
    return -1


@cython.cfunc
@cython.inline
@cython.exceptval(-1, check=False)
@cython.boundscheck(False)
def _fold(
    octets: cython.uchar[::1], start: cython.Py_ssize_t, length: cython.Py_ssize_t, folded: cython.uchar[::1]
) -> cython.int:
    """Put `length` octets at `start` into `folded`, in lower case."""
    if start < 0 or length < 0 or start + length > len(octets) or length > len(folded):
        raise IndexError("a name past the end of its buffer")
    index: cython.Py_ssize_t
    octet: cython.uchar
    for index in range(length):
        octet = octets[start + index]
        folded[index] = octet + 32 if 65 <= octet <= 90 else octet
    return 0


@cython.cfunc
@cython.inline
@cython.exceptval(-1, check=False)
@cython.boundscheck(False)
def _hash_labels(
    folded: cython.uchar[::1], labels: cython.int[::1], count: cython.Py_ssize_t, states: cython.uint[::1]
) -> cython.int:
    """Put the hash of the name from each of its `count` labels on, and that of the root behind them, into `states`."""
    if count < 0 or count >= len(labels) or count >= len(states) or labels[count] >= len(folded):
        raise IndexError("a label past the end of its name")
    state: cython.uint = _mix(_START, 0)
    index: cython.Py_ssize_t = labels[count]
    states[count] = state
    while count:
        count -= 1
        while index > labels[count]:
            index -= 1
            state = _mix(state, folded[index])
        states[count] = state
    return 0


@cython.cfunc
@cython.inline
@cython.exceptval(-1, check=False)
@cython.boundscheck(False)
def _is_plain(octets: cython.uchar[::1], at: cython.Py_ssize_t) -> cython.bint:
    """Has the header at `at` the marks of a query with one question, and at most one record behind that?"""
    if at < 0 or at + _HEADER > len(octets):
        raise IndexError("a header past the end of its buffer")
    odd: cython.int = octets[at + 2] & 0xF8  # QR, or another opcode than QUERY
    odd |= octets[at + 4] | octets[at + 5] ^ 1  # QDCOUNT
    odd |= octets[at + 6] | octets[at + 7] | octets[at + 8] | octets[at + 9]  # ANCOUNT, NSCOUNT
    return not odd | octets[at + 10] | octets[at + 11] & 0xFE  # ARCOUNT


class Query:
    """The datagram in hand; `read` takes the next one."""

    def __init__(self, octets: bytearray) -> None:
        """`octets` is the buffer that the datagrams are in."""
        self.octets = octets
        self.at = 0
        """Where the datagram begins."""
        self.end = 0
        """Where its question ends."""
        self.is_plain = False
        """Whether it is a query as is answered here."""
        self.qtype = 0
        self.has_edns = False
        self.do = False
        self.wants_nsid = False
        self.cookie_at = 0
        """Where the data of its COOKIE option begins."""
        self.cookie_size = 0
        """Their octets; 0 for none."""
        self.limit = 0
        """Octets that the reply may have."""
        self.length = 0
        """Octets of the name asked for."""
        self.count = 0
        """Its labels."""
        self.folded = bytearray(_NAME_LIMIT + 1)
        """The name, folded."""
        self.labels = array("i", bytes(4 * (_LABEL_LIMIT + 1)))
        """Where its labels begin, and where its root does."""
        self.states = array("I", bytes(4 * (_LABEL_LIMIT + 1)))
        """Hash of the name from each label on."""
        # What others found out about the name:
        self.apex = 0
        """The label that its zone begins at."""
        self.zone = 0
        """The number of that zone; -1 for none."""
        self.node = 0
        """The number that it most likely has in the zone."""

    def read(self, at: cython.Py_ssize_t, length: cython.Py_ssize_t) -> cython.bint:
        """Take the `length` octets at `at` in hand; whether they are a plain query, as is answered here."""
        self.at = at
        if length < _HEADER + 5 or not _is_plain(self.octets, at):
            return False
        end: cython.Py_ssize_t = self._read_name(at + _HEADER, at + length)
        if not end or end + 4 > at + length:
            return False
        self.qtype = self.octets[end] << 8 | self.octets[end + 1]
        if self.octets[end + 2] or self.octets[end + 3] != _IN:
            return False
        if _META_FIRST <= self.qtype <= _META_LAST or self.qtype == _OPT:
            return False
        self.end = end + 4
        self.has_edns = self.octets[at + 11] == 1
        self.do = False
        self.wants_nsid = False
        self.cookie_size = 0
        self.limit = _SMALLEST
        if self.has_edns:
            return self._read_opt(at + length)
        return self.end == at + length

    def _read_name(self, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Take the name at `start` in hand. Where it ends; 0 if it is malformed."""
        count: cython.Py_ssize_t = _find_labels(self.octets, start, end, self.labels)
        if count < 0:
            return 0
        self.count = count
        self.length = self.labels[count] + 1
        _fold(self.octets, start, self.length, self.folded)
        _hash_labels(self.folded, self.labels, count, self.states)
        return start + self.length

    def _read_opt(self, end: cython.Py_ssize_t) -> cython.bint:
        """Read the OPT record behind the question, which must end the datagram; whether it is one to answer here."""
        start: cython.Py_ssize_t = self.end
        if start + _OPT_SIZE > end or self.octets[start] or self.octets[start + 1] or self.octets[start + 2] != _OPT:
            return False
        position: cython.Py_ssize_t = start + _OPT_SIZE
        if self.octets[start + 6] or position + (self.octets[start + 9] << 8 | self.octets[start + 10]) != end:
            return False
        while position < end:
            if position + 4 > end:
                return False
            if not self.octets[position]:
                code: cython.int = self.octets[position + 1]
                size: cython.int = self.octets[position + 2] << 8 | self.octets[position + 3]
                if code == _NSID:
                    self.wants_nsid = True
                elif code == _COOKIE:
                    if not is_size(size):
                        return False
                    if not self.cookie_size:
                        self.cookie_at = position + 4
                        self.cookie_size = size
                elif code in (_EXPIRE, _ZONEVERSION):
                    return False
            position += 4 + (self.octets[position + 2] << 8 | self.octets[position + 3])
        if position != end:
            return False
        payload: cython.int = self.octets[start + 3] << 8 | self.octets[start + 4]
        self.limit = min(max(payload, _SMALLEST), _LARGEST)
        self.do = self.octets[start + 7] & 0x80 != 0
        return True

    def wildcard_state(self, label: cython.Py_ssize_t) -> cython.uint:
        """Hash of the wildcard whose closest encloser is the name in hand from `label` on."""
        return _mix(_mix(self.states[label], 42), 1)

    def canonical_key(self, key: cython.uchar[::1]) -> cython.Py_ssize_t:
        """Put the key of the name in canonical order into `key`, as `zones.name.canonical_key` has it; its length."""
        length: cython.Py_ssize_t = 0
        label: cython.Py_ssize_t = self.count - 1
        index: cython.Py_ssize_t
        octet: cython.int
        while label >= 0:
            for index in range(self.labels[label] + 1, self.labels[label + 1]):
                octet = self.folded[index]
                if octet <= 1:
                    key[length] = 1
                    length += 1
                    octet += 1
                key[length] = octet
                length += 1
            key[length] = 0
            length += 1
            label -= 1
        return length
