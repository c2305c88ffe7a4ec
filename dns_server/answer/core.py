"""Answers a batch of datagrams from ready answers, at the speed of C where this module is compiled (Cython, pure-Python
mode).

It takes well-formed queries of class IN with at most an OPT record, whose answer was rendered before and fits; every
other one is left to the engine, whose reply is the same octet for octet, and which leaves the answer here. So what is
right and wrong is decided in one place, and this one only repeats. Uncompiled it is slower than the engine, which then
does without it.

A `ZoneIndex` has the names of a zone with what lookup must know of them, and ready answers by (name, type, kind). A
`Directory` has the zones by origin. Names are found by a hash that runs from their end, so that one pass gives that of
every ancestor too.
"""

from array import array
from typing import Any

import cython

from dns_server.answer import core_kinds
from dns_server.answer.protocol import CLASS_IN, HEADER_SIZE, UDP_MINIMUM, UDP_PAYLOAD, Option, Type
from dns_server.answer.render import Answer
from dns_server.answer.steps import is_wildcard
from zones.name import MAX_NAME, canonical_key

COMPILED: bool = cython.compiled

_FIRST_SLOTS = 16

# With their C types: what is not named so, or does not fit a C int, would make Python objects of all that it meets.
_EXACT = cython.declare(cython.int, core_kinds.EXACT)
_WILDCARD = cython.declare(cython.int, core_kinds.WILDCARD)
_REFERRAL = cython.declare(cython.int, core_kinds.REFERRAL)
_NODATA = cython.declare(cython.int, core_kinds.NODATA)
_NXDOMAIN = cython.declare(cython.int, core_kinds.NXDOMAIN)
_NO_TYPE = cython.declare(cython.int, 0)  # in the key of answers that do not depend on the type asked for
_CUT = cython.declare(cython.int, core_kinds.CUT)
_DNAME = cython.declare(cython.int, core_kinds.DNAME)
_CNAME = cython.declare(cython.int, core_kinds.CNAME)
_OPT = cython.declare(cython.int, Type.OPT)
_DS = cython.declare(cython.int, Type.DS)
_META_FIRST = cython.declare(cython.int, 128)
_META_LAST = cython.declare(cython.int, 255)
_IN = cython.declare(cython.int, CLASS_IN)
_NSID = cython.declare(cython.int, Option.NSID)
_EXPIRE = cython.declare(cython.int, Option.EXPIRE)
_ZONEVERSION = cython.declare(cython.int, Option.ZONEVERSION)
_HEADER = cython.declare(cython.Py_ssize_t, HEADER_SIZE)
_NAME_LIMIT = cython.declare(cython.Py_ssize_t, MAX_NAME)
_LABEL_LIMIT = cython.declare(cython.Py_ssize_t, 128)
_SMALLEST = cython.declare(cython.Py_ssize_t, UDP_MINIMUM)
_LARGEST = cython.declare(cython.Py_ssize_t, UDP_PAYLOAD)
_OPT_SIZE = cython.declare(cython.Py_ssize_t, 11)
# Octets of a kept answer before its pointers: flags, three counts, base, octets of the body, number of pointers.
_ANSWER_HEAD = cython.declare(cython.Py_ssize_t, 14)
_MAX_ARENA = cython.declare(cython.Py_ssize_t, 1 << 27)
_MAX_NODES = cython.declare(cython.Py_ssize_t, 1 << 22)  # as many as a key has bits for
_MAX_COVERS = cython.declare(cython.Py_ssize_t, (1 << 21) - 1)
_MASK32 = cython.declare(cython.ulonglong, 0xFFFFFFFF)
_PRIME = cython.declare(cython.ulonglong, 16777619)
# The hash of bytes is keyed anew in each process: nobody can choose names that collide.
_START = cython.declare(cython.ulonglong, hash(b"names") & 0xFFFFFFFF)


@cython.cfunc
@cython.inline
def _mix(state: cython.ulonglong, octet: cython.ulonglong) -> cython.ulonglong:
    """FNV-1a, one octet."""
    return ((state ^ octet) * _PRIME) & _MASK32


@cython.cfunc
@cython.inline
def _slot_of(state: cython.ulonglong) -> cython.ulonglong:
    """The high bits of an FNV state are the good ones."""
    return state ^ (state >> 15)


@cython.cfunc
@cython.inline
def _key(
    node: cython.ulonglong,
    second: cython.ulonglong,
    rdtype: cython.ulonglong,
    kind: cython.ulonglong,
    do: cython.ulonglong,
) -> cython.ulonglong:
    """Key of an answer; never 0. `second` is the NSEC record that covers the name asked for, counted from 1, or 0."""
    return node << 42 | second << 21 | rdtype << 5 | kind << 2 | do << 1 | 1


@cython.cfunc
@cython.inline
def _key_slot(key: cython.ulonglong) -> cython.ulonglong:
    return _slot_of(((key ^ (key >> 21) ^ (key >> 42)) * _PRIME) & _MASK32)


@cython.cfunc
def _hash(name: bytes) -> cython.ulonglong:
    """Hash of a folded wire name, from its last octet to its first."""
    state: cython.ulonglong = _START
    position: cython.Py_ssize_t = len(name) - 1
    while position >= 0:
        state = _mix(state, name[position])
        position -= 1
    return state


@cython.cclass
class ZoneIndex:
    """Names and ready answers of one zone."""

    signed: cython.bint
    """Whether DO makes a difference."""
    has_wildcards: cython.bint
    _octets: bytearray
    _name_at: Any
    _flags: bytearray
    _types: Any
    _types_at: Any
    _sorted: bytearray
    _sorted_at: Any
    _covers: cython.Py_ssize_t
    _canonical: cython.uchar[::1]
    _canonical_at: cython.uint[::1]
    _names: cython.uchar[::1]
    _at: cython.uint[::1]
    _slots: cython.uint[::1]
    _slot_mask: cython.ulonglong
    _entered: cython.Py_ssize_t
    _node_flags: cython.uchar[::1]
    _node_types: cython.ushort[::1]
    _node_types_at: cython.uint[::1]
    _keys: cython.ulonglong[::1]
    _values: cython.uint[::1]
    _key_mask: cython.ulonglong
    _kept: cython.ulonglong
    _arena: cython.uchar[::1]
    _used: cython.Py_ssize_t

    def __init__(self, signed: bool) -> None:
        self.signed = signed
        self.has_wildcards = False
        self._octets = bytearray()
        self._sorted = bytearray()
        self._sorted_at = array("I", [0])
        self._covers = 0
        self._name_at = array("I", [0])
        self._flags = bytearray()
        self._types = array("H")
        self._types_at = array("I", [0])
        self._key_mask = _FIRST_SLOTS - 1
        self._keys = array("Q", bytes(8 * _FIRST_SLOTS))
        self._values = array("I", bytes(4 * _FIRST_SLOTS))
        self._kept = 0
        self._arena = bytearray(256)
        self._used = 0
        self._slot_mask = 0
        self._entered = 0

    def add(self, name: bytes, flags: int, types: list[int]) -> None:
        """Add a name of the zone's tree, folded; the apex first, nothing below a cut or a DNAME. Before `close`."""
        if is_wildcard(name):
            self.has_wildcards = True
        self._octets += name
        self._name_at.append(len(self._octets))
        self._flags.append(flags)
        self._types.extend(array("H", types))
        self._types_at.append(len(self._types))

    def add_nsec(self, owner: bytes) -> None:
        """Add the owner of an NSEC record, folded, in canonical order. Before `close`."""
        self._sorted += canonical_key(owner)
        self._sorted_at.append(len(self._sorted))

    def close(self) -> None:
        """All names are there; call `enter` until it says that they can be found."""
        self._covers = len(self._sorted_at) - 1
        if self._covers > _MAX_COVERS:
            self._covers = 0
        self._sorted.append(0)
        self._canonical = self._sorted
        self._canonical_at = self._sorted_at
        self._names = self._octets
        self._at = self._name_at
        self._node_flags = self._flags
        self._types.append(0)  # a view of nothing is none
        self._node_types = self._types
        self._node_types_at = self._types_at
        size: cython.Py_ssize_t = _FIRST_SLOTS
        while size < 2 * len(self._flags):
            size *= 2
        self._slots = array("I", [0]) * size
        self._slot_mask = size - 1
        self._entered = 0

    def enter(self, limit: int) -> bool:
        """Enter up to `limit` names, 100 nanoseconds each; whether all are entered."""
        count: cython.Py_ssize_t = min(len(self._flags), self._entered + limit)
        node: cython.Py_ssize_t
        for node in range(self._entered, count):
            state: cython.ulonglong = _START
            position: cython.Py_ssize_t = self._at[node + 1]
            first: cython.Py_ssize_t = self._at[node]
            while position > first:
                position -= 1
                state = _mix(state, self._names[position])
            slot: cython.ulonglong = _slot_of(state) & self._slot_mask
            while self._slots[slot]:
                slot = (slot + 1) & self._slot_mask
            self._slots[slot] = node + 1
        self._entered = count
        return count == len(self._flags)

    @cython.cfunc
    def _find(self, name: cython.uchar[::1], start: cython.Py_ssize_t, end: cython.Py_ssize_t,
              state: cython.ulonglong) -> cython.Py_ssize_t:  # fmt: skip
        """Number of the name `name[start:end]` with that hash; -1 if it is not in the zone."""
        if not self._slot_mask:
            return -1
        slot: cython.ulonglong = _slot_of(state) & self._slot_mask
        while self._slots[slot]:
            node: cython.Py_ssize_t = self._slots[slot] - 1
            begin: cython.Py_ssize_t = self._at[node]
            if self._at[node + 1] - begin == end - start:
                offset: cython.Py_ssize_t = 0
                while start + offset < end and self._names[begin + offset] == name[start + offset]:
                    offset += 1
                if start + offset == end:
                    return node
            slot = (slot + 1) & self._slot_mask
        return -1

    @cython.cfunc
    @cython.inline
    def _word(self, position: cython.Py_ssize_t) -> cython.int:
        """The 16 bits at `position` of the arena."""
        return self._arena[position] << 8 | self._arena[position + 1]

    @cython.cfunc
    def _has_type(self, node: cython.Py_ssize_t, rdtype: cython.int) -> cython.bint:
        index: cython.Py_ssize_t
        for index in range(self._node_types_at[node], self._node_types_at[node + 1]):
            if self._node_types[index] == rdtype:
                return True
        return False

    @cython.cfunc
    def _cover(self, name: cython.uchar[::1], length: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """The NSEC record at or before the canonical key `name`, counted from 1; 0 if there is none."""
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = self._covers
        while low < high:
            middle: cython.Py_ssize_t = (low + high) >> 1
            begin: cython.Py_ssize_t = self._canonical_at[middle]
            size: cython.Py_ssize_t = self._canonical_at[middle + 1] - begin
            index: cython.Py_ssize_t = 0
            while index < size and index < length and self._canonical[begin + index] == name[index]:
                index += 1
            if index < size and (index == length or self._canonical[begin + index] > name[index]):
                high = middle
            else:
                low = middle + 1
        return low

    @cython.cfunc
    def _ready(
        self,
        node: cython.Py_ssize_t,
        second: cython.Py_ssize_t,
        rdtype: cython.int,
        kind: cython.int,
        do: cython.bint,
    ) -> cython.Py_ssize_t:
        """Where in the arena the answer is; -1 if it is not kept."""
        key: cython.ulonglong = _key(node, second, rdtype, kind, do)
        slot: cython.ulonglong = _key_slot(key) & self._key_mask
        while self._keys[slot]:
            if self._keys[slot] == key:
                return self._values[slot]
            slot = (slot + 1) & self._key_mask
        return -1

    def keep(self, name: bytes, rdtype: int, kind: int, do: bool, answer: Answer, cover: bytes = b"") -> bool:
        """Take in a ready answer that stands by the folded `name`; whether it is kept here.

        `rdtype` counts for EXACT and WILDCARD. `cover` is the owner of the NSEC record that covers the name asked for,
        where the answer has one.
        """
        folded: cython.uchar[::1] = bytearray(name)
        node: cython.Py_ssize_t = self._find(folded, 0, len(name), _hash(name))
        second: cython.Py_ssize_t = 0
        if cover:
            covering = canonical_key(cover)
            second = self._cover(bytearray(covering), len(covering))
            if not second:
                return False
        if node < 0 or node >= _MAX_NODES:
            return False
        key: cython.ulonglong = _key(node, second, rdtype if kind in (_EXACT, _WILDCARD) else _NO_TYPE, kind, do)
        if self._keys[self._free_slot(key)]:  # it is here already, and did not fit into the reply
            return True
        if answer.needed >= len(answer.marks) or len(answer.body) > _LARGEST:  # what is cut is not for here
            return False
        answers, authorities, additionals = answer.marks[len(answer.marks) - 1].counts
        head = (answer.flags, answers, authorities, additionals, answer.base, len(answer.body), len(answer.pointers))
        octets = b"".join(part.to_bytes(2, "big") for part in (*head, *answer.pointers)) + answer.body
        if self._used + len(octets) > _MAX_ARENA:
            self._forget()
        if 2 * (self._kept + 1) > self._key_mask:
            self._grow_keys()
        size: cython.Py_ssize_t = len(self._arena)
        while self._used + len(octets) > size:
            size *= 2
        if size > len(self._arena):
            larger: cython.uchar[::1] = bytearray(size)
            larger[: self._used] = self._arena[: self._used]
            self._arena = larger
        slot: cython.ulonglong = self._free_slot(key)
        self._keys[slot] = key
        self._values[slot] = self._used
        self._kept += 1
        octet: cython.int
        for octet in octets:
            self._arena[self._used] = octet
            self._used += 1
        return True

    @cython.cfunc
    def _forget(self) -> cython.void:
        """Drop all answers: who asks for so many different ones does not ask for them again soon."""
        self._keys = array("Q", bytes(8 * _FIRST_SLOTS))
        self._values = array("I", bytes(4 * _FIRST_SLOTS))
        self._key_mask = _FIRST_SLOTS - 1
        self._kept = 0
        self._arena = bytearray(256)
        self._used = 0

    @cython.cfunc
    def _free_slot(self, key: cython.ulonglong) -> cython.ulonglong:
        """The slot of `key`, or the free one where it belongs."""
        slot: cython.ulonglong = _key_slot(key) & self._key_mask
        while self._keys[slot] and self._keys[slot] != key:
            slot = (slot + 1) & self._key_mask
        return slot

    @cython.cfunc
    def _grow_keys(self) -> cython.void:
        """Four times as many slots for answers."""
        keys: cython.ulonglong[::1] = self._keys
        values: cython.uint[::1] = self._values
        size: cython.Py_ssize_t = 4 * (self._key_mask + 1)
        self._keys = array("Q", bytes(8 * size))
        self._values = array("I", bytes(4 * size))
        self._key_mask = size - 1
        index: cython.Py_ssize_t
        for index in range(len(keys)):
            if keys[index]:
                slot: cython.ulonglong = self._free_slot(keys[index])
                self._keys[slot] = keys[index]
                self._values[slot] = values[index]


@cython.cclass
class Directory:
    """The zones in service, and the reader of queries."""

    _numbers: dict[bytes, int]
    _zones: list[ZoneIndex | None]
    _octets: cython.uchar[::1]
    _used: cython.Py_ssize_t
    _at: cython.uint[::1]
    _served: cython.uchar[::1]
    _slots: cython.uint[::1]
    _mask: cython.ulonglong
    _folded: cython.uchar[::1]
    _labels: cython.int[::1]
    _states: cython.ulonglong[::1]
    _wildcard: cython.uchar[::1]
    _canonical: cython.uchar[::1]
    _count: cython.Py_ssize_t
    """Labels of the name in hand."""

    def __init__(self) -> None:
        self._numbers = {}
        self._zones = []
        self._used = 0
        self._octets = bytearray(_FIRST_SLOTS * MAX_NAME)
        self._at = array("I", bytes(4 * _FIRST_SLOTS))
        self._served = bytearray(_FIRST_SLOTS)
        self._slots = array("I", bytes(8 * _FIRST_SLOTS))
        self._mask = 2 * _FIRST_SLOTS - 1
        self._folded = bytearray(MAX_NAME + 1)
        self._labels = array("i", bytes(4 * (_LABEL_LIMIT + 1)))
        self._states = array("Q", bytes(8 * (_LABEL_LIMIT + 1)))
        self._wildcard = bytearray(MAX_NAME + 3)
        self._canonical = bytearray(2 * MAX_NAME)
        self._count = 0

    def put(self, origin: bytes, zone: ZoneIndex | None) -> None:
        """Serve the zone; with None its queries are left to the engine."""
        number = self._numbers.get(origin)
        if number is None:
            number = self._numbers[origin] = len(self._zones)
            self._zones.append(None)
            self._add(origin, number)
        self._zones[number] = zone
        self._served[number] = 1

    def remove(self, origin: bytes) -> None:
        """Serve the zone no longer: its names belong to the zone above, if there is one."""
        number = self._numbers.get(origin)
        if number is not None:
            self._zones[number] = None
            self._served[number] = 0

    @cython.cfunc
    def _add(self, origin: bytes, number: cython.Py_ssize_t) -> cython.void:
        """Note a new origin."""
        if number + 1 == len(self._at):
            self._grow()
        size: cython.Py_ssize_t = len(self._octets)
        index: cython.Py_ssize_t
        if self._used + len(origin) > size:
            octets: cython.uchar[::1] = bytearray(2 * size)
            for index in range(self._used):
                octets[index] = self._octets[index]
            self._octets = octets
        octet: cython.int
        for octet in origin:
            self._octets[self._used] = octet
            self._used += 1
        self._at[number + 1] = self._used
        self._take_slot(_hash(origin), number)

    @cython.cfunc
    def _grow(self) -> cython.void:
        """Room for twice as many origins."""
        size: cython.Py_ssize_t = len(self._at)
        at: cython.uint[::1] = array("I", bytes(4 * 2 * size))
        served: cython.uchar[::1] = bytearray(2 * size)
        index: cython.Py_ssize_t
        for index in range(size):
            at[index] = self._at[index]
            served[index] = self._served[index]
        self._at = at
        self._served = served
        self._slots = array("I", bytes(4 * 4 * size))
        self._mask = 4 * size - 1
        for index in range(size - 1):
            state: cython.ulonglong = _START
            position: cython.Py_ssize_t = at[index + 1]
            while position > at[index]:
                position -= 1
                state = _mix(state, self._octets[position])
            self._take_slot(state, index)

    @cython.cfunc
    def _take_slot(self, state: cython.ulonglong, number: cython.Py_ssize_t) -> cython.void:
        """Enter an origin by its hash."""
        slot: cython.ulonglong = _slot_of(state) & self._mask
        while self._slots[slot]:
            slot = (slot + 1) & self._mask
        self._slots[slot] = number + 1

    @cython.cfunc
    def _find(self, label: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Number of the zone whose origin is the name in hand from `label` on; -1 if there is none."""
        slot: cython.ulonglong = _slot_of(self._states[label]) & self._mask
        start: cython.Py_ssize_t = self._labels[label]
        while self._slots[slot]:
            number: cython.Py_ssize_t = self._slots[slot] - 1
            begin: cython.Py_ssize_t = self._at[number]
            if self._served[number] and self._at[number + 1] - begin == end - start:
                offset: cython.Py_ssize_t = 0
                while start + offset < end and self._octets[begin + offset] == self._folded[start + offset]:
                    offset += 1
                if start + offset == end:
                    return number
            slot = (slot + 1) & self._mask
        return -1

    def respond(
        self,
        queries: cython.uchar[::1],
        lengths: cython.int[::1],
        count: cython.Py_ssize_t,
        stride: cython.Py_ssize_t,
        replies: cython.uchar[::1],
        reply_lengths: cython.int[::1],
        reply_stride: cython.Py_ssize_t,
        tells_name: cython.bint,
    ) -> int:
        """Answer what can be of the first `count` datagrams; how many could not, with 0 as the length of their reply.

        Datagram `i` begins at `i * stride` and has `lengths[i]` octets; its reply begins at `i * reply_stride`, where
        there is room for 1232 octets. With `tells_name` queries that ask for NSID are left to the engine.
        """
        missed: cython.Py_ssize_t = 0
        index: cython.Py_ssize_t
        for index in range(count):
            length: cython.int = self._one(
                queries, index * stride, lengths[index], replies, index * reply_stride, tells_name
            )
            reply_lengths[index] = length
            if not length:
                missed += 1
        return missed

    @cython.cfunc
    def _one(
        self,
        query: cython.uchar[::1],
        at: cython.Py_ssize_t,
        length: cython.Py_ssize_t,
        reply: cython.uchar[::1],
        to: cython.Py_ssize_t,
        tells_name: cython.bint,
    ) -> cython.int:
        """Length of the reply to the datagram at `at`; 0 if it is left to the engine."""
        if length < _HEADER + 5 or query[at + 2] & 0xF8:  # QR, or another opcode than QUERY
            return 0
        if query[at + 4] or query[at + 5] != 1 or query[at + 6] or query[at + 7] or query[at + 8] or query[at + 9]:
            return 0
        if query[at + 10] or query[at + 11] > 1:
            return 0
        end: cython.Py_ssize_t = self._read_name(query, at + _HEADER, at + length)
        if not end or end + 4 > at + length:
            return 0
        qtype: cython.int = query[end] << 8 | query[end + 1]
        if query[end + 2] or query[end + 3] != _IN or _META_FIRST <= qtype <= _META_LAST:
            return 0
        if qtype in (_OPT, _DS):
            return 0
        limit: cython.Py_ssize_t = _SMALLEST
        do: cython.bint = False
        if query[at + 11]:
            limit = _read_opt(query, end + 4, at + length, tells_name)
            if not limit:
                return 0
            do = query[end + 4 + 7] & 0x80
        elif end + 4 != at + length:
            return 0
        name_length: cython.Py_ssize_t = end - at - _HEADER
        label: cython.Py_ssize_t = 0
        number: cython.Py_ssize_t = self._find(0, name_length)
        while number < 0 and self._labels[label] < name_length - 1:
            label += 1
            number = self._find(label, name_length)
        if number < 0 or self._zones[number] is None:
            return 0
        zone: ZoneIndex = cython.cast(ZoneIndex, self._zones[number])
        answer: cython.Py_ssize_t = self._look_up(zone, name_length, label, qtype, do and zone.signed)
        if answer < 0:
            return 0
        return _write(zone, answer, query, at, end + 4, reply, to, limit, query[at + 11] == 1, do)

    @cython.cfunc
    def _read_name(
        self, query: cython.uchar[::1], start: cython.Py_ssize_t, end: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """Take the name at `start` in hand: folded, its labels, their hashes. Where it ends; 0 if it is malformed."""
        position: cython.Py_ssize_t = start
        labels: cython.Py_ssize_t = 0
        octet: cython.int
        while True:
            if position >= end or labels >= _LABEL_LIMIT:
                return 0
            octet = query[position]
            self._labels[labels] = position - start
            if not octet:
                break
            if octet > 63:
                return 0
            labels += 1
            position += 1 + octet
        position += 1
        if position - start > _NAME_LIMIT:
            return 0
        self._count = labels
        state: cython.ulonglong = _START
        index: cython.Py_ssize_t = position - start - 1
        while index >= 0:
            octet = query[start + index]
            if 65 <= octet <= 90:
                octet += 32
            self._folded[index] = octet
            state = _mix(state, octet)
            if index == self._labels[labels]:
                self._states[labels] = state
                labels -= 1
                if labels < 0:
                    labels = 0
            index -= 1
        return position

    @cython.cfunc
    def _look_up(
        self, zone: ZoneIndex, end: cython.Py_ssize_t, apex: cython.Py_ssize_t, qtype: cython.int, do: cython.bint
    ) -> cython.Py_ssize_t:
        """Where the answer for the name in hand is in the zone whose apex is label `apex` of it; -1: not here.

        As `lookup` says it, but from the name up: what lies below a cut or a _DNAME is not in the index.
        """
        label: cython.Py_ssize_t = 0
        node: cython.Py_ssize_t = -1
        while label <= apex:
            node = zone._find(self._folded, self._labels[label], end, self._states[label])
            if node >= 0:
                break
            label += 1
        if node < 0:
            return -1
        flags: cython.int = zone._node_flags[node]
        if flags & _CUT:
            return zone._ready(node, 0, _NO_TYPE, _REFERRAL, do)
        if not label:
            if flags & _CNAME or zone._has_type(node, qtype):
                return zone._ready(node, 0, qtype, _EXACT, do)
            return zone._ready(node if do else 0, 0, _NO_TYPE, _NODATA, do)
        if flags & _DNAME:  # the alias is made for this very name
            return -1
        cover: cython.Py_ssize_t = 0
        if do:
            cover = self._cover(zone)
            if not cover:
                return -1
        encloser: cython.Py_ssize_t = node if do else 0
        node = self._find_wildcard(zone, end, label)
        if node < 0:
            return zone._ready(encloser, cover, _NO_TYPE, _NXDOMAIN, do)
        flags = zone._node_flags[node]
        if flags & _CUT:
            return -1
        if flags & _CNAME or zone._has_type(node, qtype):
            return zone._ready(node, cover, qtype, _WILDCARD, do)
        return zone._ready(node if do else 0, cover, _NO_TYPE, _NODATA, do)

    @cython.cfunc
    def _cover(self, zone: ZoneIndex) -> cython.Py_ssize_t:
        """The NSEC record before the name in hand, counted from 1; 0 if there is none."""
        length: cython.Py_ssize_t = 0
        label: cython.Py_ssize_t = self._count - 1
        octet: cython.int
        while label >= 0:  # as zones.name.canonical_key has it
            index: cython.Py_ssize_t
            for index in range(self._labels[label] + 1, self._labels[label + 1]):
                octet = self._folded[index]
                if octet <= 1:
                    self._canonical[length] = 1
                    length += 1
                    octet += 1
                self._canonical[length] = octet
                length += 1
            self._canonical[length] = 0
            length += 1
            label -= 1
        return zone._cover(self._canonical, length)

    @cython.cfunc
    def _find_wildcard(self, zone: ZoneIndex, end: cython.Py_ssize_t, label: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Number of the wildcard at the closest encloser, which is the name in hand from `label` on."""
        if not zone.has_wildcards:
            return -1
        start: cython.Py_ssize_t = self._labels[label]
        self._wildcard[0] = 1
        self._wildcard[1] = 42
        index: cython.Py_ssize_t
        for index in range(start, end):
            self._wildcard[2 + index - start] = self._folded[index]
        state: cython.ulonglong = _mix(_mix(self._states[label], 42), 1)
        return zone._find(self._wildcard, 0, 2 + end - start, state)


@cython.cfunc
def _read_opt(
    query: cython.uchar[::1], start: cython.Py_ssize_t, end: cython.Py_ssize_t, tells_name: cython.bint
) -> cython.Py_ssize_t:
    """Octets that the reply may have by the OPT record at `start`; 0 if that is not one to answer here."""
    if start + _OPT_SIZE > end or query[start] or query[start + 1] or query[start + 2] != _OPT or query[start + 6]:
        return 0
    position: cython.Py_ssize_t = start + _OPT_SIZE
    if position + (query[start + 9] << 8 | query[start + 10]) != end:
        return 0
    while position < end:
        if position + 4 > end:
            return 0
        if not query[position] and (
            (tells_name and query[position + 1] == _NSID)
            or query[position + 1] == _EXPIRE
            or query[position + 1] == _ZONEVERSION
        ):
            return 0
        position += 4 + (query[position + 2] << 8 | query[position + 3])
    if position != end:
        return 0
    payload: cython.Py_ssize_t = query[start + 3] << 8 | query[start + 4]
    return min(max(payload, _SMALLEST), _LARGEST)


@cython.cfunc
def _write(
    zone: ZoneIndex,
    answer: cython.Py_ssize_t,
    query: cython.uchar[::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    reply: cython.uchar[::1],
    to: cython.Py_ssize_t,
    limit: cython.Py_ssize_t,
    edns: cython.bint,
    do: cython.bint,
) -> cython.int:
    """Write the kept answer behind the question of the datagram at `at`; the reply's length, 0 if it does not fit."""
    size: cython.Py_ssize_t = zone._word(answer + 10)
    pointers: cython.Py_ssize_t = zone._word(answer + 12)
    head: cython.Py_ssize_t = end - at
    total: cython.Py_ssize_t = head + size + (_OPT_SIZE if edns else 0)
    if total > limit:
        return 0
    index: cython.Py_ssize_t
    for index in range(head):
        reply[to + index] = query[at + index]
    reply[to + 2] = zone._arena[answer] | (query[at + 2] & 1)  # RD is copied
    reply[to + 3] = zone._arena[answer + 1]
    for index in range(6):
        reply[to + 6 + index] = zone._arena[answer + 2 + index]
    first: cython.Py_ssize_t = to + head
    source: cython.Py_ssize_t = answer + _ANSWER_HEAD + 2 * pointers
    for index in range(size):
        reply[first + index] = zone._arena[source + index]
    shift: cython.int = head - _HEADER - 4 - zone._word(answer + 8)
    if shift:
        for index in range(pointers):
            place: cython.Py_ssize_t = first + zone._word(answer + _ANSWER_HEAD + 2 * index)
            target: cython.int = (reply[place] << 8 | reply[place + 1]) + shift
            reply[place] = target >> 8
            reply[place + 1] = target & 0xFF
    if edns:
        first += size
        for index in range(_OPT_SIZE):
            reply[first + index] = 0
        reply[first + 2] = _OPT
        reply[first + 3] = _LARGEST >> 8
        reply[first + 4] = _LARGEST & 0xFF
        reply[first + 7] = 0x80 if do else 0
        additional: cython.int = zone._word(answer + 6) + 1
        reply[to + 10] = additional >> 8
        reply[to + 11] = additional & 0xFF
    return total
