"""How many answers of a kind each network gets over UDP; at the speed of C where this module is compiled (Cython,
pure-Python mode).

Read first: NSD's and Knot's manuals on RRL; ISC-TN-2012-1 (DNS Response Rate Limiting). A source address over UDP can
be forged, so what is limited is what we send: to a /24 of IPv4 or a /56 of IPv6, and of one class of answers. Of what
is over the rate one answer in `slip` leaves truncated, so that a client who is really there comes back over TCP, and
the others not at all. Errors can't be truncated; they leave as they are in that share.

A bucket holds the time at which its network will have used up what it was given (the virtual scheduling of GCRA, ITU-T
I.371): one number says all. Buckets are a table of fixed size in sets of four; a new network takes the bucket of its
set whose time comes first, which that of a network under attack never is. Sets are chosen by SipHash with a secret key:
nobody can aim at one. Nothing is allocated for a query. Sans-I/O: `now` is given in seconds, of any clock that does not
go back.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Any

import cython

from dns_server.answer.batch import PEER_STRIDE, REPLY_STRIDE, Batch

COMPILED: bool = cython.compiled

CLASSES = ("positive", "nodata", "nxdomain", "referral", "any", "dnskey", "error")
"""Classes of answers, each of which has its own rate: what is asked for, and what an attacker would have sent."""
SETS_LOG2 = 14
WAYS = 4
"""Buckets of a set; 65,536 in all, 16 octets each."""

BUCKET_OCTETS = 8 * WAYS << SETS_LOG2
"""Of each of the two tables that hold them."""

_POSITIVE = cython.declare(cython.int, 0)
_NODATA = cython.declare(cython.int, 1)
_NXDOMAIN = cython.declare(cython.int, 2)
_REFERRAL = cython.declare(cython.int, 3)
_ANY = cython.declare(cython.int, 4)
_DNSKEY = cython.declare(cython.int, 5)
_ERROR = cython.declare(cython.int, 6)

_RCODE_NXDOMAIN = cython.declare(cython.int, 3)
_TYPE_DNSKEY = cython.declare(cython.int, 48)
_TYPE_ANY = cython.declare(cython.int, 255)
_TYPE_OPT = cython.declare(cython.int, 41)
_AA = cython.declare(cython.int, 0x04)
_TC = cython.declare(cython.int, 0x02)
_HEADER = cython.declare(cython.Py_ssize_t, 12)
_OPT_SIZE = cython.declare(cython.Py_ssize_t, 11)
_PEER = cython.declare(cython.Py_ssize_t, PEER_STRIDE)
_REPLY = cython.declare(cython.Py_ssize_t, REPLY_STRIDE)
_INET = cython.declare(cython.int, 2)
_WAYS = cython.declare(cython.Py_ssize_t, WAYS)

_MASK64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
_USED = cython.declare(cython.ulonglong, 1 << 63)  # the key of a bucket in use is never 0
_CLASS_SHIFT = cython.declare(cython.int, 57)
_FAMILY_BIT = cython.declare(cython.ulonglong, 1 << 56)
_LENGTH_BLOCK = cython.declare(cython.ulonglong, 8 << 56)  # the last block of SipHash for a message of 8 octets
_SIP_0 = cython.declare(cython.ulonglong, 0x736F6D6570736575)
_SIP_1 = cython.declare(cython.ulonglong, 0x646F72616E646F6D)
_SIP_2 = cython.declare(cython.ulonglong, 0x6C7967656E657261)
_SIP_3 = cython.declare(cython.ulonglong, 0x7465646279746573)


@cython.cfunc
@cython.inline
def _rotate(word: cython.ulonglong, by: cython.int) -> cython.ulonglong:
    mask: cython.ulonglong = 0xFFFFFFFFFFFFFFFF  # a variable of the function is a constant to the C compiler
    return ((word << by) | (word >> (64 - by))) & mask


@cython.ccall
def siphash(key_0: cython.ulonglong, key_1: cython.ulonglong, message: cython.ulonglong) -> cython.ulonglong:
    """SipHash-1-3 of a message of 8 octets, all of them little-endian numbers (Aumasson and Bernstein, 2012)."""
    mask: cython.ulonglong = 0xFFFFFFFFFFFFFFFF
    v0: cython.ulonglong = key_0 ^ _SIP_0
    v1: cython.ulonglong = key_1 ^ _SIP_1
    v2: cython.ulonglong = key_0 ^ _SIP_2
    v3: cython.ulonglong = key_1 ^ _SIP_3 ^ message
    step: cython.int
    for step in range(5):
        v0 = (v0 + v1) & mask
        v1 = _rotate(v1, 13) ^ v0
        v0 = _rotate(v0, 32)
        v2 = (v2 + v3) & mask
        v3 = _rotate(v3, 16) ^ v2
        v0 = (v0 + v3) & mask
        v3 = _rotate(v3, 21) ^ v0
        v2 = (v2 + v1) & mask
        v1 = _rotate(v1, 17) ^ v2
        v2 = _rotate(v2, 32)
        if step == 0:
            v0 ^= message
            v3 ^= _LENGTH_BLOCK
        elif step == 1:
            v0 ^= _LENGTH_BLOCK
            v2 ^= 0xFF
    return v0 ^ v1 ^ v2 ^ v3


@cython.cclass
class RateLimiter:
    """Buckets of all networks, and what was done."""

    limited = cython.declare(cython.ulonglong, visibility="readonly")
    """Answers that were over the rate."""
    exempted = cython.declare(cython.ulonglong, visibility="readonly")
    """Answers that no rate holds for."""
    last = cython.declare(cython.ulonglong, visibility="readonly")
    """The key of the last bucket that was over its rate; see `network_of`."""
    _key_0: cython.ulonglong
    _key_1: cython.ulonglong
    _state: cython.ulonglong
    _interval: cython.double
    _tolerance: cython.double
    _slip: cython.ulonglong
    _mask: cython.ulonglong
    _keys: cython.ulonglong[::1]
    _due: cython.double[::1]
    _dropped: cython.ulonglong[::1]
    _slipped: cython.ulonglong[::1]
    _exempt: cython.ulonglong[::1]
    _exempt_count: cython.Py_ssize_t

    def __init__(
        self,
        secret: bytes,
        rate: float,
        slip: int,
        exempt: list[tuple[bytes, int]],
        room: Callable[[int], Any] = bytearray,
    ) -> None:
        """`rate` answers a second, and as many at once; `secret` has 24 random octets; `exempt` networks are prefixes
        of 4 or 16 octets with their lengths. Of what is over the rate, one in `slip` is truncated; none with 0.

        `room` gives zeroed memory for the buckets. Processes may share it: what one does while another looks at the
        same bucket is an answer more or less.
        """
        if len(secret) != 24:
            raise ValueError("the secret has 24 octets")
        if rate < 1:
            raise ValueError("the rate is at least 1 a second")
        self.limited = 0
        self.exempted = 0
        self.last = 0
        self._key_0 = int.from_bytes(secret[:8], "little")
        self._key_1 = int.from_bytes(secret[8:16], "little")
        self._state = int.from_bytes(secret[16:], "little") | 1
        self._interval = 1.0 / rate
        self._tolerance = (rate - 0.999) / rate  # a thousandth of an answer more than exact, for rounding
        self._slip = slip
        self._mask = (1 << SETS_LOG2) - 1
        self._keys = memoryview(room(BUCKET_OCTETS)).cast("Q")
        self._due = memoryview(room(BUCKET_OCTETS)).cast("d")
        self._dropped = array("Q", bytes(8 * len(CLASSES)))
        self._slipped = array("Q", bytes(8 * len(CLASSES)))
        words: list[int] = []
        for prefix, length in exempt:
            mask = (1 << 128) - (1 << (128 - length))
            number = int.from_bytes(prefix.ljust(16, b"\0"), "big") & mask
            words += (len(prefix) == 4, number >> 64, number % (1 << 64), mask >> 64, mask % (1 << 64))
        self._exempt = array("Q", words or [0])
        self._exempt_count = len(exempt)

    def values(self) -> list[float]:
        """Everything that was counted, for `add`."""
        values: list[float] = [self.limited, self.exempted]
        values.extend(self._dropped)
        values.extend(self._slipped)
        return values

    def add(self, values: Sequence[float]) -> None:
        """Add what another limiter counted. ValueError if `values` are none of a limiter."""
        if len(values) != 2 + 2 * len(CLASSES):
            raise ValueError("these are no values of a limiter")
        self.limited += int(values[0])
        self.exempted += int(values[1])
        for number in range(len(CLASSES)):
            self._dropped[number] += int(values[2 + number])
            self._slipped[number] += int(values[2 + len(CLASSES) + number])

    def counts(self) -> list[tuple[str, int, int]]:
        """For each class: its name, answers dropped, and answers that left truncated (errors: as they were)."""
        return [(name, self._dropped[number], self._slipped[number]) for number, name in enumerate(CLASSES)]

    def limit(self, batch: Batch, count: cython.Py_ssize_t, now: cython.double) -> None:
        """Look at the replies to the first `count` datagrams of a batch, and drop or truncate those over the rate.

        Flags of who is trusted are taken down.
        """
        index: cython.Py_ssize_t
        for index in range(count):
            if batch.reply_length_view[index] > 0:
                if batch.trusted_view[index]:
                    self.exempted += 1
                else:
                    self._one(batch, index, now)
            batch.trusted_view[index] = 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def _one(self, batch: Batch, index: cython.Py_ssize_t, now: cython.double) -> cython.int:
        high: cython.ulonglong = 0
        octet: cython.Py_ssize_t
        peer: cython.Py_ssize_t = index * _PEER
        to: cython.Py_ssize_t = index * _REPLY
        is_ipv4: cython.bint = batch.peer_view[peer] == _INET
        if is_ipv4:
            for octet in range(peer + 4, peer + 8):
                high = high << 8 | batch.peer_view[octet]
            high <<= 32
        else:
            for octet in range(peer + 8, peer + 16):
                high = high << 8 | batch.peer_view[octet]
        if self._exempt_count and self._is_exempt(is_ipv4, high, batch, peer):
            self.exempted += 1
            return 0
        end: cython.Py_ssize_t = _question_end(batch.reply_view, to, to + batch.reply_length_view[index])
        kind: cython.int = _classify(batch.reply_view, to, end)
        key: cython.ulonglong = _USED | (cython.cast(cython.ulonglong, kind) << _CLASS_SHIFT)
        # The first 24 bits of an IPv4 address, the first 56 of an IPv6 address
        key |= (_FAMILY_BIT | high >> 40) if is_ipv4 else high >> 8
        if self._take(key, now):
            return 0
        self.limited += 1
        self.last = key
        if not self._slip or (self._slip > 1 and self._random() % self._slip):
            self._dropped[kind] += 1
            batch.reply_length_view[index] = 0
            return 0
        self._slipped[kind] += 1
        if kind != _ERROR:
            batch.reply_length_view[index] = _truncate(batch, index, end)
        return 0

    @cython.cfunc
    def _is_exempt(
        self, is_ipv4: cython.bint, high: cython.ulonglong, batch: Batch, peer: cython.Py_ssize_t
    ) -> cython.bint:
        low: cython.ulonglong = 0
        at: cython.Py_ssize_t
        if not is_ipv4:
            for at in range(peer + 16, peer + 24):
                low = low << 8 | batch.peer_view[at]
        for at in range(0, 5 * self._exempt_count, 5):
            if (
                self._exempt[at] == cython.cast(cython.ulonglong, is_ipv4)
                and high & self._exempt[at + 3] == self._exempt[at + 1]
                and low & self._exempt[at + 4] == self._exempt[at + 2]
            ):
                return True
        return False

    @cython.cfunc
    def _take(self, key: cython.ulonglong, now: cython.double) -> cython.bint:
        """Whether the bucket has one answer more."""
        first: cython.Py_ssize_t = (siphash(self._key_0, self._key_1, key) & self._mask) * _WAYS
        place: cython.Py_ssize_t = first
        way: cython.Py_ssize_t
        for way in range(first, first + _WAYS):
            if self._keys[way] == key:
                place = way
                break
            if self._due[way] < self._due[place]:
                place = way
        due: cython.double = now
        if self._keys[place] == key:
            due = max(self._due[place], now)
        else:
            self._keys[place] = key
        if due - now > self._tolerance:
            return False
        self._due[place] = due + self._interval
        return True

    @cython.cfunc
    def _random(self) -> cython.ulonglong:
        """Xorshift64 (Marsaglia, 2003), from a secret: who could count along could have others' answers dropped."""
        self._state ^= (self._state << 13) & _MASK64
        self._state ^= self._state >> 7
        self._state ^= (self._state << 17) & _MASK64
        return self._state >> 11


@cython.cfunc
@cython.inline
def _question_end(reply: cython.uchar[::1], to: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Where the question of our own reply at `to` ends, seen from its start."""
    if not reply[to + 5]:
        return _HEADER
    position: cython.Py_ssize_t = to + _HEADER
    while position < end and reply[position]:
        position += 1 + reply[position]
    return position + 5 - to


@cython.cfunc
@cython.inline
def _classify(reply: cython.uchar[::1], to: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
    rcode: cython.int = reply[to + 3] & 0x0F
    if rcode:
        return _NXDOMAIN if rcode == _RCODE_NXDOMAIN else _ERROR
    if not (reply[to + 6] | reply[to + 7]):
        if reply[to + 2] & _AA:
            return _NODATA
        # An upper half of the rcode may stand in the OPT record: BADVERS, BADCOOKIE
        return _REFERRAL if reply[to + 8] | reply[to + 9] else _ERROR
    qtype: cython.int = reply[to + end - 4] << 8 | reply[to + end - 3]
    return _ANY if qtype == _TYPE_ANY else _DNSKEY if qtype == _TYPE_DNSKEY else _POSITIVE


@cython.cfunc
def _truncate(batch: Batch, index: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.int:
    """Leave header and question, TC set, and an OPT record if the query has one behind its question; the length."""
    octet: cython.Py_ssize_t
    at: cython.Py_ssize_t = index * batch.stride
    to: cython.Py_ssize_t = index * _REPLY
    batch.reply_view[to + 2] = (batch.reply_view[to + 2] & ~_AA) | _TC
    batch.reply_view[to + 3] &= 0xF0  # NXDOMAIN without its proof would be a claim
    for octet in range(6, 12):
        batch.reply_view[to + octet] = 0
    if (
        not (batch.query_view[at + 10] | batch.query_view[at + 11])
        or end + _OPT_SIZE > batch.length_view[index]
        or batch.query_view[at + end]
        or batch.query_view[at + end + 1]
        or batch.query_view[at + end + 2] != _TYPE_OPT
    ):
        return end
    for octet in range(end, end + _OPT_SIZE):
        batch.reply_view[to + octet] = 0
    batch.reply_view[to + 11] = 1
    batch.reply_view[to + end + 2] = _TYPE_OPT
    batch.reply_view[to + end + 3] = 0x04  # 1232 octets, as in every reply
    batch.reply_view[to + end + 4] = 0xD0
    batch.reply_view[to + end + 7] = batch.query_view[at + end + 7] & 0x80  # DO
    return end + _OPT_SIZE


def network_of(key: int) -> tuple[bytes, int, str]:
    """Network (its prefix in 4 or 16 octets and the prefix's length) and class of the bucket with that key."""
    kind = CLASSES[key >> 57 & 0x7]
    if key >> 56 & 1:
        return (key & 0xFFFFFF).to_bytes(3, "big") + b"\0", 24, kind
    return (key & (1 << 56) - 1).to_bytes(7, "big") + bytes(9), 56, kind
