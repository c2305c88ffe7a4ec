"""What answering must know of one zone: its names, what is special about them, what denies, and ready answers."""

from typing import Any

import cython

from dns_server.answer.core import kinds
from dns_server.answer.core.covers import Covers
from dns_server.answer.core.kept import MAX_COVERS, MAX_NODES, Kept, key_of
from dns_server.answer.core.names import Names
from dns_server.answer.core.nsec3 import DIGEST_SIZE, Nsec3Hash
from dns_server.answer.core.query import Query
from dns_server.answer.render import Answer
from zones import name as zone_names
from zones import rdtypes
from zones.arena import SetTables
from zones.slices import Sliced

if not cython.compiled:
    from dns_server.answer.core.ahead import fetch

_EXACT = kinds.EXACT
_WILDCARD = kinds.WILDCARD
_REFERRAL = kinds.REFERRAL
_NODATA = kinds.NODATA
_NXDOMAIN = kinds.NXDOMAIN
_CUT = kinds.CUT
_DNAME = kinds.DNAME
_CNAME = kinds.CNAME
_HIDDEN = kinds.HIDDEN
_DS = rdtypes.DS
_NO_TYPE = 0
_MAX_NAME = zone_names.MAX_NAME
_DIGEST_SIZE = DIGEST_SIZE
_SHARED = 0  # the number that answers are kept by which are the same for all names of the zone


class ZoneIndex:
    """Names and ready answers of one zone.

    Names and types are looked at where the zone has them, and numbered as there.
    """

    def __init__(self, signed: cython.bint, tables: SetTables, slots: cython.uint[::1]) -> None:
        """`slots` is room to find names by, as `Names.adopt` has it."""
        self.signed = signed
        """Whether DO makes a difference."""
        self._has_wildcards = False
        self._entered = 0
        self._names = Names()
        self._names.adopt(tables.names.octets, tables.names.begins, len(tables.names), slots)
        self._flags = bytearray(len(tables.names))
        self._hash: Nsec3Hash | None = None
        self._covers = Covers(before=False)
        self.kept = Kept()
        self._key = bytearray(2 * _MAX_NAME)
        self._node_flags: Any = self._flags
        self._node_types: Any = tables.types
        self._node_types_at: Any = tables.sets_at

    def mark(self, number: cython.Py_ssize_t, flags: cython.int) -> None:
        """Say what is special about name `number` of the zone. Before `enter`."""
        self._node_flags[number] = flags

    def use_nsec3(self, salt: bytes, iterations: int) -> None:
        """The zone has NSEC3 records with these parameters. Before `add_cover`."""
        self._hash = Nsec3Hash(salt, iterations)
        self._covers = Covers(before=True)

    def add_cover(self, key: bytes) -> None:
        """Add the sort key of the next denial record in order: canonical for NSEC, a hash for NSEC3. Before `close`."""
        self._covers.add(key)

    def close(self) -> None:
        """All is said; call `enter` until it says that names can be found."""
        if self._covers.count >= MAX_COVERS:
            self._covers = Covers(before=False)
        self._covers.close()

    def enter(self, limit: cython.Py_ssize_t) -> cython.bint:
        """Make up to `limit` more names to be found, 100 nanoseconds each; whether all can be."""
        number: cython.Py_ssize_t
        end: cython.Py_ssize_t = min(self._names.count, self._entered + limit)
        for number in range(self._entered, end):
            if not self._node_flags[number] & _HIDDEN:
                self._names.put(number)
                if self._names.is_wildcard(number):
                    self._has_wildcards = True
        self._entered = end
        return end == self._names.count

    def keep(self, name: bytes, rdtype: int, kind: int, do: bool, answer: Answer, cover: bytes = b"") -> bool:
        """Take in a ready answer that stands by the folded `name`; whether it is kept here.

        `rdtype` counts for EXACT and WILDCARD. `cover` is the sort key of what is denied, where the answer depends on
        the name asked for by that.
        """
        shared: cython.bint = not do and kind in (_NODATA, _NXDOMAIN)
        node: cython.Py_ssize_t = _SHARED if shared else self._names.find_name(name)
        number: cython.Py_ssize_t = self._covers.find_key(cover) if cover else 0
        if node < 0 or node >= MAX_NODES or (cover and not number):
            return False
        self.kept.keep(key_of(node, number, rdtype if kind in (_EXACT, _WILDCARD) else _NO_TYPE, kind, do), answer)
        return True

    def release(self) -> Sliced[None]:
        """Let go of the ready answers in steps: nobody asks any more."""
        return self.kept.release()

    # What `look_up` will look at is fetched in three steps, for each needs what the one before has brought. They guess
    # that the name is there and has the type, which costs nothing but time where it is wrong.

    def fetch_slot(self, query: Query) -> cython.int:
        """Have fetched what tells the number of the name in hand."""
        self._names.fetch_slot(query.states[0])
        return 0

    def fetch_name(self, query: Query) -> cython.int:
        """Have fetched what is known by that number."""
        query.node = self._names.fetch_begin(query.states[0])
        if query.node >= 0:
            fetch(cython.address(self._node_flags[query.node]))
            self.kept.fetch_slot(key_of(query.node, 0, query.qtype, _EXACT, query.do and self.signed))
        return 0

    def fetch_answer(self, query: Query) -> cython.int:
        """Have fetched the name itself, and the answer."""
        if query.node >= 0:
            self._names.fetch_name(query.node)
            self.kept.fetch_answer(key_of(query.node, 0, query.qtype, _EXACT, query.do and self.signed))
        return 0

    def look_up(self, query: Query) -> cython.Py_ssize_t:
        """Where in `kept` the answer to the query in hand is, whose name is in this zone; -1: not here.

        As `lookup` says it, but from the name up: what lies below a cut or a DNAME is not in the index.
        """
        do: cython.bint = query.do and self.signed
        label: cython.Py_ssize_t = 0
        node: cython.Py_ssize_t = -1
        while label <= query.apex:
            node = self._names.find(query, label)
            if node >= 0:
                break
            label += 1
        if node < 0:
            return -1
        flags: cython.int = self._node_flags[node]
        if flags & _CUT and (label or query.qtype != _DS):
            return self._ready(node, 0, _NO_TYPE, _REFERRAL, do)
        if not label:
            # One that is kept shows that the name has the type, or an alias: the zone itself need not be looked at.
            answer: cython.Py_ssize_t = self._ready(node, 0, query.qtype, _EXACT, do)
            if answer >= 0 or flags & _CNAME or self._has_type(node, query.qtype):
                return answer
            return self._ready(node if do else _SHARED, 0, _NO_TYPE, _NODATA, do)
        if flags & _DNAME:  # the alias is made for this very name
            return -1
        cover: cython.Py_ssize_t = 0
        if do:
            cover = self._cover(query, label)
            if not cover:
                return -1
        encloser: cython.Py_ssize_t = node if do else _SHARED
        node = self._names.find_wildcard(query, label) if self._has_wildcards else -1
        if node < 0:
            return self._ready(encloser, cover, _NO_TYPE, _NXDOMAIN, do)
        flags = self._node_flags[node]
        if flags & _CUT:
            return -1
        if flags & _CNAME or self._has_type(node, query.qtype):
            return self._ready(node, cover, query.qtype, _WILDCARD, do)
        return self._ready(node if do else _SHARED, cover, _NO_TYPE, _NODATA, do)

    def _cover(self, query: Query, label: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Number of the denial record for the name in hand, whose closest encloser begins at `label`; 0: none."""
        hasher: Nsec3Hash | None = self._hash
        if hasher is None:
            return self._covers.find(self._key, query.canonical_key(self._key))
        start: cython.Py_ssize_t = query.labels[label - 1]  # RFC 5155 7.2.1: the next closer name
        hasher.hash(query.folded, start, query.length - start)
        return self._covers.find(hasher.digest, _DIGEST_SIZE)

    def _ready(
        self,
        node: cython.Py_ssize_t,
        cover: cython.Py_ssize_t,
        rdtype: cython.int,
        kind: cython.int,
        do: cython.bint,
    ) -> cython.Py_ssize_t:
        return self.kept.find(key_of(node, cover, rdtype, kind, do))

    def _has_type(self, node: cython.Py_ssize_t, rdtype: cython.int) -> cython.bint:
        index: cython.Py_ssize_t
        for index in range(self._node_types_at[node], self._node_types_at[node + 1]):
            if self._node_types[index] == rdtype:
                return True
        return False
