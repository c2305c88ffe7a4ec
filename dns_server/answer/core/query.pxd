# Types of query.py where Cython compiles it; variables of its functions have theirs as annotations.
cimport cython
from dns_server.answer.core.cookies cimport is_size

cdef Py_ssize_t _HEADER, _NAME_LIMIT, _LABEL_LIMIT, _SMALLEST, _LARGEST, _OPT_SIZE
cdef int _OPT, _IN, _META_FIRST, _META_LAST, _NSID, _COOKIE, _EXPIRE, _ZONEVERSION
cdef unsigned int _START

cpdef unsigned int hash_octets(unsigned char[::1] octets, Py_ssize_t begin, Py_ssize_t end) noexcept


@cython.final
cdef class Query:
    cdef unsigned char[::1] octets
    cdef Py_ssize_t at, end, length, limit, count, cookie_at, cookie_size, apex, zone, node
    cdef int qtype
    cdef bint is_plain, has_edns, do, wants_nsid
    cdef unsigned char[::1] folded
    cdef int[::1] labels
    cdef unsigned int[::1] states

    cdef bint read(self, Py_ssize_t at, Py_ssize_t length) except -1
    cdef Py_ssize_t _read_name(self, Py_ssize_t start, Py_ssize_t end) except -1
    cdef bint _read_opt(self, Py_ssize_t end) except -1
    cdef unsigned int wildcard_state(self, Py_ssize_t label) noexcept
    cdef Py_ssize_t canonical_key(self, unsigned char[::1] key) except -1
