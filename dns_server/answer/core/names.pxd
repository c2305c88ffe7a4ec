# Types of names.py where Cython compiles it; variables of its functions have theirs as annotations.
cimport cython
from dns_server.answer.core.ahead cimport fetch
from dns_server.answer.core.query cimport Query, hash_octets

cdef Py_ssize_t _FIRST_SLOTS


@cython.final
cdef class Names:
    cdef readonly Py_ssize_t count
    cdef Py_ssize_t _entered
    cdef bytearray _octets
    cdef object _at
    cdef unsigned int[::1] _slots
    cdef unsigned int _mask
    cdef unsigned char[::1] _name
    cdef unsigned int[::1] _begin

    cdef put(self, Py_ssize_t number)
    cdef bint is_wildcard(self, Py_ssize_t number) except -1
    cpdef Py_ssize_t add(self, bytes name) except -1
    cpdef bint enter(self, Py_ssize_t limit) except -1
    cdef void fetch_slot(self, unsigned int state) noexcept
    cdef Py_ssize_t fetch_begin(self, unsigned int state) except -2
    cdef int fetch_name(self, Py_ssize_t number) except -1
    cdef Py_ssize_t find(self, Query query, Py_ssize_t label) except -2
    cpdef Py_ssize_t find_name(self, bytes name) except -2
    cdef Py_ssize_t find_wildcard(self, Query query, Py_ssize_t label) except -2
    cdef unsigned int _slot(self, unsigned int state) noexcept
