# Types of zone.py where Cython compiles it; variables of its functions have theirs as annotations.
cimport cython
from dns_server.answer.core.ahead cimport fetch
from dns_server.answer.core.covers cimport Covers
from dns_server.answer.core.kept cimport Kept, key_of
from dns_server.answer.core.names cimport Names
from dns_server.answer.core.nsec3 cimport Nsec3Hash
from dns_server.answer.core.query cimport Query

cdef int _EXACT, _WILDCARD, _REFERRAL, _NODATA, _NXDOMAIN, _CUT, _DNAME, _CNAME, _HIDDEN, _DS, _NO_TYPE
cdef Py_ssize_t _MAX_NAME, _DIGEST_SIZE, _SHARED


@cython.final
cdef class ZoneIndex:
    cdef readonly bint signed
    cdef bint _has_wildcards
    cdef Names _names
    cdef bytearray _flags
    cdef Py_ssize_t _entered
    cdef Nsec3Hash _hash
    cdef Covers _covers
    cdef Kept kept
    cdef unsigned char[::1] _key
    cdef unsigned char[::1] _node_flags
    cdef unsigned short[::1] _node_types
    cdef unsigned int[::1] _node_types_at

    cdef int fetch_slot(self, Query query) except -1
    cdef int fetch_name(self, Query query) except -1
    cdef int fetch_answer(self, Query query) except -1
    cdef Py_ssize_t look_up(self, Query query) except -2
    cdef Py_ssize_t _cover(self, Query query, Py_ssize_t label) except -1
    cdef Py_ssize_t _ready(self, Py_ssize_t node, Py_ssize_t cover, int rdtype, int kind, bint do) except -2
    cdef bint _has_type(self, Py_ssize_t node, int rdtype) except -1
