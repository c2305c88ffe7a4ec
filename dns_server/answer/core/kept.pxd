# Types of kept.py where Cython compiles it; variables of its functions have theirs as annotations.
cimport cython

cdef Py_ssize_t _FIRST_SLOTS, _FIRST_ROOM, _MAX_ARENA, _LARGEST
cdef unsigned long long _MASK32, _PRIME

cpdef unsigned long long key_of(unsigned long long node, unsigned long long cover, unsigned long long rdtype, unsigned long long kind, unsigned long long do) noexcept


@cython.final
cdef class Kept:
    cdef unsigned char[::1] arena
    cdef Py_ssize_t _used, _count
    cdef unsigned long long[::1] _keys
    cdef unsigned int[::1] _places
    cdef unsigned long long _mask

    cdef Py_ssize_t find(self, unsigned long long key) except -2
    cdef int word(self, Py_ssize_t position) except -1
    cpdef keep(self, unsigned long long key, answer)
    cdef _forget(self)
    cdef unsigned long long _slot(self, unsigned long long key) noexcept
    cdef _grow_keys(self)
