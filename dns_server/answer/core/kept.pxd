# Types of kept.py where Cython compiles it; variables of its functions have theirs as annotations.
cimport cython
from dns_server.answer.core.ahead cimport fetch

cdef Py_ssize_t _FIRST_SLOTS, _FIRST_ROOM, _SEGMENT_BITS, _SEGMENT, _MAX_SEGMENTS, _MOVED, _CLEARED, _RELEASED, _LARGEST

cpdef unsigned long long key_of(unsigned long long node, unsigned long long cover, unsigned long long rdtype, unsigned long long kind, unsigned long long do) noexcept


@cython.final
cdef class Segment:
    cdef unsigned char[::1] octets
    cdef Py_ssize_t used

    cdef Py_ssize_t take(self, bytes octets) except -2


@cython.final
cdef class Kept:
    cdef list _segments, _doomed
    cdef Segment _last
    cdef Py_ssize_t _count, _moved
    cdef object _words, _words_before, _next
    cdef unsigned long long[::1] _table, _before
    cdef unsigned int _mask, _before_mask

    cdef Py_ssize_t find(self, unsigned long long key) except -2
    cdef int fetch_slot(self, unsigned long long key) except -1
    cdef int fetch_answer(self, unsigned long long key) except -1
    cdef Segment segment(self, Py_ssize_t answer)
    cdef Py_ssize_t place(self, Py_ssize_t answer) noexcept
    cpdef keep(self, unsigned long long key, answer)
    cdef _forget(self)
    cdef Py_ssize_t _slot(self, unsigned long long key) except -1
    cdef Py_ssize_t _slot_before(self, unsigned long long key) except -1
    cdef _free(self)
    cdef _clear(self)
    cdef _grow(self)
    cdef _move(self)
